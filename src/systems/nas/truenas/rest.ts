/** REST v2.0, for TrueNAS 24.10: the same methods and parameters, as paths, queries and bodies. */
import { Agent, request } from "undici";
import type { Clock } from "../../../context.ts";
import { Failure } from "../../../model/failure.ts";
import { abortLater, DeadlineExceeded, follow } from "../../kubernetes/aborting.ts";
import { decodeJson } from "../../kubernetes/json.ts";
import { type Api, type Params, Unanswered } from "./api.ts";
import { refusalOfRest, worded } from "./errors.ts";
import type { Login } from "./login.ts";
import { Broken, failureOfNetwork, pauses, wasNeverSent } from "./network.ts";
import { type RestRequest, restRequests } from "./rest-requests.ts";
import { parseVersion, type Version } from "./version.ts";

export interface RestOptions {
  /** https://host */
  readonly url: string;
  readonly login: Login;
  readonly ca: string | undefined;
  readonly clock: Clock;
  /** Ends every call with its reason. */
  readonly signal: AbortSignal;
  /** Of each request, ms. */
  readonly timeout: number;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** What a proxy answers while TrueNAS' own service is away: nobody knows how far the request came. */
const proxyStatuses: ReadonlySet<number> = new Set([502, 503, 504]);
/** As many as over a socket; more would only wait inside TrueNAS. */
const connections = 8;

export class Rest implements Api {
  readonly transport = "rest";
  readonly #options: RestOptions;
  readonly #dispatcher: Agent;
  #version: Version | undefined;

  private constructor(options: RestOptions) {
    this.#options = options;
    const { ca, timeout } = options;
    this.#dispatcher = new Agent({
      connections,
      connect: { timeout, rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }) },
    });
  }

  /** Learns the version, and by it that the key is good. Throws Failures only. */
  static async open(options: RestOptions): Promise<Rest> {
    const api = new Rest(options);
    try {
      api.#version = parseVersion(
        await worded("The NAS does not tell its version.", () => api.read("system.version", [])),
      );
      return api;
    } catch (error) {
      await api.close();
      throw error;
    }
  }

  get version(): Version {
    if (this.#version === undefined) throw new TypeError("the version is known once the connection was opened");
    return this.#version;
  }

  async read(method: string, params: Params): Promise<unknown> {
    const answers: unknown[] = [];
    for (const one of restRequests(method, params)) answers.push(await this.#send(method, one, pauses.length + 1));
    return answers.length === 1 ? answers[0] : answers.flat();
  }

  async change(method: string, params: Params): Promise<unknown> {
    const [one, ...more] = restRequests(method, params);
    if (one === undefined || more.length > 0) throw new TypeError(`${method} is no single request`);
    return await this.#send(method, one, 1);
  }

  async close(): Promise<void> {
    await this.#dispatcher.destroy();
  }

  /** `tries` counts those whose answer was lost; what never reached the NAS is always sent again. */
  async #send(method: string, wanted: RestRequest, tries: number): Promise<unknown> {
    let lost = 0;
    for (let attempt = 0; ; attempt += 1) {
      try {
        return this.#resultOf(method, await this.#once(wanted));
      } catch (error) {
        const failure = failureOfNetwork(this.#host, error);
        if (failure === undefined || failure.code !== "NAS_UNREACHABLE") throw failure ?? error;
        const neverSent = wasNeverSent(error);
        if (!neverSent) lost += 1;
        if (!neverSent && tries === 1) throw new Unanswered(failure, !(error instanceof DeadlineExceeded));
        if (error instanceof DeadlineExceeded || lost === tries || attempt === pauses.length) throw failure;
        await this.#options.clock.sleep(pauses[attempt] ?? 0, this.#options.signal);
      }
    }
  }

  async #once({ verb, path, body }: RestRequest): Promise<Answer> {
    const { url, login, clock, timeout, signal } = this.#options;
    const controller = new AbortController();
    const stop = abortLater(clock, controller, timeout);
    const unlink = follow(signal, controller);
    try {
      const answer = await request(new URL(`/api/v2.0${path}`, url), {
        dispatcher: this.#dispatcher,
        method: verb,
        headers: {
          authorization: `Bearer ${login.apiKey}`,
          accept: "application/json",
          "user-agent": "holdfast",
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        body: body === undefined ? null : JSON.stringify(body),
        signal: controller.signal,
        headersTimeout: 0,
        bodyTimeout: 0,
      });
      return { status: answer.statusCode, text: (await answer.body.text()).replaceAll(login.apiKey, "[key]") };
    } catch (error) {
      // Our own abort speaks plainer than the error that the abort caused.
      throw controller.signal.aborted ? controller.signal.reason : error;
    } finally {
      stop();
      unlink();
    }
  }

  #resultOf(method: string, { status, text }: Answer): unknown {
    if (status === 401) throw this.#unauthorized();
    if (proxyStatuses.has(status)) throw new Broken(`The NAS answers with HTTP ${status}.`);
    if (status >= 300) throw refusalOfRest(method, status, text);
    try {
      return text === "" ? null : decodeJson(text);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new Failure("NAS_VERSION_UNKNOWN", {
        what: `${this.#host} does not speak TrueNAS' REST.`,
        why: "It answers with something that is not JSON: a web page, perhaps.",
      });
    }
  }

  #unauthorized(): Failure {
    return new Failure("NAS_UNAUTHORIZED", {
      what: `TrueNAS does not accept the API key for "${this.#options.login.user}".`,
      why: "It answered with HTTP 401: the key is wrong, was removed, or was revoked.",
    });
  }

  get #host(): string {
    return new URL(this.#options.url).host;
  }
}
