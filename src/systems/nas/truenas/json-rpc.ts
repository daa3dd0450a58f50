/** JSON-RPC over one WebSocket, for TrueNAS 25.04 and newer. */
import type { Clock } from "../../../context.ts";
import { Failure } from "../../../model/failure.ts";
import { DeadlineExceeded, orAborted } from "../../kubernetes/aborting.ts";
import { ApiRefusal, type Api, type Params, Unanswered } from "./api.ts";
import { errno, worded } from "./errors.ts";
import { type Login, logIn } from "./login.ts";
import { Broken, failureOfNetwork, pauses } from "./network.ts";
import { Session, type SessionOptions, TurnedAway } from "./session.ts";
import { Slots } from "./slots.ts";
import { parseVersion, type Version } from "./version.ts";

export interface JsonRpcOptions {
  /** wss://host/api/current */
  readonly url: string;
  readonly login: Login;
  readonly ca: string | undefined;
  readonly clock: Clock;
  /** Ends every call with its reason. */
  readonly signal: AbortSignal;
  /** Of each call, ms. */
  readonly timeout: number;
}

/** TrueNAS runs 10 at once and refuses the 21st; others may use the same user. */
const outstanding = 8;

/** What one call has been through. */
interface Tally {
  lost: number;
  turnedAway: number;
  logins: number;
}

export class JsonRpc implements Api {
  readonly transport = "json-rpc";
  readonly #options: JsonRpcOptions;
  readonly #slots = new Slots(outstanding);
  readonly #ending = new AbortController();
  /** Ends every call: the caller's, or our own close. */
  readonly #signal: AbortSignal;
  /** The session in use, or on its way. */
  #session: Promise<Session> | undefined;
  #version: Version | undefined;

  private constructor(options: JsonRpcOptions) {
    this.#options = options;
    this.#signal = AbortSignal.any([options.signal, this.#ending.signal]);
  }

  /** Connects, logs in and learns the version. Throws Failures, and NoJsonRpc. */
  static async open(options: JsonRpcOptions): Promise<JsonRpc> {
    const api = new JsonRpc(options);
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
    return await this.#slots.run(() => this.#call(method, params, pauses.length + 1));
  }

  async change(method: string, params: Params): Promise<unknown> {
    return await this.#slots.run(() => this.#call(method, params, 1));
  }

  async close(): Promise<void> {
    this.#ending.abort(new TypeError("the connection to the NAS was closed by its owner"));
    await this.#session?.then(
      (session) => session.close(),
      () => undefined, // whoever waited for it was told
    );
  }

  /** `tries` counts those whose answer was lost; a call that the NAS turned away did nothing and is always made again. */
  async #call(method: string, params: Params, tries: number): Promise<unknown> {
    const tally = { lost: 0, turnedAway: 0, logins: 0 };
    for (;;) {
      const session = await this.#open();
      try {
        return await orAborted(session.call(method, params), this.#signal);
      } catch (error) {
        await this.#prepareAgain(error, session, tally, tries);
      }
    }
  }

  /** Throws when the call must not be made again. */
  async #prepareAgain(error: unknown, session: Session, tally: Tally, tries: number): Promise<void> {
    if (isLoggedOut(error)) {
      if (tally.logins > 0) throw loggedOut(this.#options.login.user);
      tally.logins += 1;
      return session.close();
    }
    if (error instanceof TurnedAway) {
      await this.#pause(tally.turnedAway);
      tally.turnedAway += 1;
      return;
    }
    const unanswered = this.#unanswered(error);
    tally.lost += 1;
    if (tries === 1) throw unanswered;
    if (!unanswered.isOver || tally.lost === tries) throw unanswered.failure;
  }

  /** A session that is open and logged in: the present one, or one new one for all who found it ended. */
  async #open(): Promise<Session> {
    for (;;) {
      this.#signal.throwIfAborted();
      const opening = (this.#session ??= this.#connect());
      const forget = (): void => {
        if (this.#session === opening) this.#session = undefined;
      };
      opening.catch(forget);
      const session = await orAborted(opening, this.#signal);
      if (session.isOpen) return session;
      forget();
    }
  }

  async #connect(): Promise<Session> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#connectOnce();
      } catch (error) {
        const failure = failureOfNetwork(this.#host, error);
        if (failure === undefined) throw error;
        if (failure.code !== "NAS_UNREACHABLE" || attempt === pauses.length) throw failure;
        await this.#pause(attempt);
      }
    }
  }

  async #connectOnce(): Promise<Session> {
    const { url, ca, clock, timeout, login } = this.#options;
    const options: SessionOptions = { url, ca, clock, timeout, secret: login.apiKey, signal: this.#signal };
    const session = await Session.open(options);
    try {
      await worded("TrueNAS refuses the login.", () => logIn((method, params) => session.call(method, params), login));
      return session;
    } catch (error) {
      session.close();
      throw error;
    }
  }

  #unanswered(error: unknown): Unanswered {
    if (!(error instanceof Broken) && !(error instanceof DeadlineExceeded)) throw error;
    const failure = failureOfNetwork(this.#host, error);
    if (failure === undefined) throw error;
    return new Unanswered(failure, error instanceof Broken);
  }

  async #pause(attempt: number): Promise<void> {
    await this.#options.clock.sleep(pauses[Math.min(attempt, pauses.length - 1)] ?? 0, this.#signal);
  }

  get #host(): string {
    return new URL(this.#options.url).host;
  }
}

const isLoggedOut = (error: unknown): boolean => error instanceof ApiRefusal && error.errno === errno.ENOTAUTHENTICATED;

const loggedOut = (user: string): Failure =>
  new Failure("NAS_UNAUTHORIZED", {
    what: `TrueNAS does not let the user "${user}" in.`,
    why: "It ended the session again right after a new login.",
  });
