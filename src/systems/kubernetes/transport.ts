import { Agent, ProxyAgent, request as send, type Dispatcher } from "undici";
import type { Clock } from "../../context.ts";
import { abortLater, DeadlineExceeded, follow, orAborted } from "./aborting.ts";
import { isSameTls, type Credentials, type TlsOptions } from "./credentials.ts";
import type { ClusterAccess } from "./kubeconfig.ts";

/** One HTTP request to the API server. */
export interface Request {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: string;
  readonly contentType?: string;
}

/** A whole answer. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly retryAfterMilliseconds: number | undefined;
}

/** An answer whose body is still coming. Reading it to its end, or leaving the loop, frees the connection. */
export interface Stream {
  readonly status: number;
  readonly body: AsyncIterable<Uint8Array>;
}

/** How long things may take, in milliseconds. */
export interface Deadlines {
  /** A unary call from start to end; a stream until its answer begins. */
  readonly call: number;
  /** Name look-up, TCP and TLS together. */
  readonly connect: number;
  /** A credential plugin: someone may have to log in in a browser. */
  readonly credentials: number;
  /** A command in a container, from start to end. */
  readonly exec: number;
}

export const defaultDeadlines: Deadlines = { call: 30_000, connect: 10_000, credentials: 120_000, exec: 120_000 };

export interface StreamOptions {
  readonly signal: AbortSignal;
  /** Silence of this many milliseconds breaks the stream. Absent: it may be silent for ever. */
  readonly silence?: number;
}

/**
 * HTTP to one API server: credentials on every request, read again once after a 401, connections made anew when
 * certificates change. Answers of any status are answers; what is thrown is a broken or refused connection,
 * DeadlineExceeded, or the signal's reason.
 */
export class Transport {
  readonly #access: ClusterAccess;
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;
  #connections: { readonly tls: TlsOptions; readonly dispatcher: Dispatcher } | undefined;

  constructor(access: ClusterAccess, clock: Clock, deadlines: Deadlines = defaultDeadlines) {
    this.#access = access;
    this.#clock = clock;
    this.#deadlines = deadlines;
  }

  /** The server as users know it: host and port. */
  get host(): string {
    return new URL(this.#access.server).host;
  }

  /** A request and its whole answer, within the deadline. */
  async call(request: Request): Promise<Answer> {
    return await this.#renewing(async (credentials) => {
      const controller = new AbortController();
      const stop = abortLater(this.#clock, controller, this.#deadlines.call);
      try {
        return await wholeAnswer(await this.#send(request, credentials, controller.signal));
      } catch (error) {
        throw reasonOf(controller.signal, error);
      } finally {
        stop();
      }
    });
  }

  /** A request whose answer is read as it comes; a refusal (400 and above) is read whole. */
  async stream(request: Request, options: StreamOptions): Promise<Stream | Answer> {
    return await this.#renewing(async (credentials) => {
      const controller = new AbortController();
      const unlink = follow(options.signal, controller);
      const stop = abortLater(this.#clock, controller, this.#deadlines.call);
      try {
        const answer = await this.#send(request, credentials, controller.signal);
        if (answer.statusCode < 400) {
          return {
            status: answer.statusCode,
            body: this.#bytes(answer.body, controller, { unlink, silence: options.silence }),
          };
        }
        const refusal = await wholeAnswer(answer);
        unlink();
        return refusal;
      } catch (error) {
        unlink();
        throw reasonOf(controller.signal, error);
      } finally {
        stop();
      }
    });
  }

  /** Ends all connections, streams included. */
  async close(): Promise<void> {
    const connections = this.#connections;
    this.#connections = undefined;
    await connections?.dispatcher.destroy();
  }

  /** Current credentials, for what does not go through here (exec's WebSocket). */
  async credentials(): Promise<Credentials> {
    const controller = new AbortController();
    const stop = abortLater(this.#clock, controller, this.#deadlines.credentials);
    try {
      return await orAborted(this.#access.credentials(), controller.signal);
    } finally {
      stop();
    }
  }

  /** A 401 means that nothing was done yet, so asking again with new credentials is safe for writes too. */
  async #renewing<A extends { readonly status: number }>(
    attempt: (credentials: Credentials) => Promise<A>,
  ): Promise<A> {
    const answer = await attempt(await this.credentials());
    if (answer.status !== 401) return answer;
    this.#access.renew();
    return await attempt(await this.credentials());
  }

  async #send(request: Request, credentials: Credentials, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    return await send(`${this.#access.server}${request.path}${searchOf(request)}`, {
      dispatcher: this.#dispatcher(credentials.tls),
      method: request.method,
      headers: {
        ...credentials.headers,
        accept: "application/json",
        "user-agent": "holdfast",
        ...(request.contentType === undefined ? {} : { "content-type": request.contentType }),
      },
      body: request.body ?? null,
      signal,
      // Ours are the only deadlines; undici's would end a quiet watch or log.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  #dispatcher(tls: TlsOptions): Dispatcher {
    if (this.#connections !== undefined && isSameTls(this.#connections.tls, tls)) return this.#connections.dispatcher;
    // Streams on the old connections run on; close() waits for them and then lets go.
    void this.#connections?.dispatcher.close();
    const proxy = this.#access.proxyUrl;
    const dispatcher =
      proxy === undefined
        ? new Agent({ connect: { ...tls, timeout: this.#deadlines.connect } })
        : new ProxyAgent({ uri: proxy, requestTls: tls });
    this.#connections = { tls, dispatcher };
    return dispatcher;
  }

  async *#bytes(
    body: Dispatcher.ResponseData["body"],
    controller: AbortController,
    options: { readonly unlink: () => void; readonly silence: number | undefined },
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const watchdog = options.silence === undefined ? undefined : new Watchdog(this.#clock, options.silence, controller);
    try {
      for await (const chunk of body) {
        watchdog?.rest();
        yield chunk as Uint8Array;
        watchdog?.watch();
      }
    } catch (error) {
      throw reasonOf(controller.signal, error);
    } finally {
      watchdog?.stop();
      options.unlink();
      body.destroy();
    }
  }
}

/** Aborts a stream when its peer says nothing for too long. Time that the reader takes does not count. */
class Watchdog {
  readonly #clock: Clock;
  readonly #silence: number;
  readonly #stop = new AbortController();
  #since: number | undefined;

  constructor(clock: Clock, silence: number, controller: AbortController) {
    this.#clock = clock;
    this.#silence = silence;
    this.#since = clock.now();
    this.#run(controller).catch(() => undefined); // stopped
  }

  rest(): void {
    this.#since = undefined;
  }

  watch(): void {
    this.#since = this.#clock.now();
  }

  stop(): void {
    this.#stop.abort();
  }

  async #run(controller: AbortController): Promise<void> {
    for (;;) {
      const silent = this.#since === undefined ? 0 : this.#clock.now() - this.#since;
      if (silent >= this.#silence) return controller.abort(new DeadlineExceeded(this.#silence));
      await this.#clock.sleep(this.#silence - silent, this.#stop.signal);
    }
  }
}

const searchOf = (request: Request): string => {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(request.query ?? {})) if (value !== undefined) search.set(key, value);
  return search.size === 0 ? "" : `?${search.toString()}`;
};

const wholeAnswer = async (answer: Dispatcher.ResponseData): Promise<Answer> => {
  const text = await answer.body.text();
  const header = answer.headers["retry-after"];
  const seconds = header === undefined ? Number.NaN : Number(header);
  return {
    status: answer.statusCode,
    text,
    retryAfterMilliseconds: Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined,
  };
};

/** What broke it: our own abort speaks plainer than the error that the abort caused. */
const reasonOf = (signal: AbortSignal, error: unknown): unknown => (signal.aborted ? signal.reason : error);
