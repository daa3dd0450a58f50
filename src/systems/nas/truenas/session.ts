import { WebSocket } from "ws";
import type { Clock } from "../../../context.ts";
import { Failure } from "../../../model/failure.ts";
import { abortLater, DeadlineExceeded, follow, orAborted } from "../../kubernetes/aborting.ts";
import { decodeJson } from "../../kubernetes/json.ts";
import { isTurnedAway, refusalOfRpc } from "./errors.ts";
import { Broken } from "./network.ts";

/** TrueNAS closes the connection of whoever sends more, in bytes. */
const largestRequest = 65_536;
/** A listing of many thousand snapshots, in bytes. */
const largestAnswer = 256 * 1024 * 1024;

/** What answers there has no /api/current: TrueNAS 24.10 and older, or something else. */
export class NoJsonRpc extends Error {}

/** The NAS turned the call away before it did anything, because too many others run. */
export class TurnedAway extends Error {}

interface Waiting {
  readonly method: string;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export interface SessionOptions {
  /** wss://host/api/current */
  readonly url: string;
  /** PEM text of the private CA, when there is one. */
  readonly ca: string | undefined;
  readonly clock: Clock;
  /** Of opening and of each call, ms. */
  readonly timeout: number;
  /** Taken out of everything that arrives: what the NAS repeats may end in a message. */
  readonly secret: string;
  /** Ends the opening with its reason. */
  readonly signal: AbortSignal;
}

interface Message {
  readonly id?: unknown;
  readonly result?: unknown;
  readonly error?: unknown;
}

/** One socket from its opening to its end. Answers may come in any order. */
export class Session {
  readonly #socket: WebSocket;
  readonly #options: SessionOptions;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #heard = 0;
  #isOpen = true;

  private constructor(socket: WebSocket, options: SessionOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.on("message", (data) => this.#receive((data as Buffer).toString("utf8")));
    socket.on("error", () => undefined); // "close" follows, and says enough
    socket.on("close", (code) => this.#end(new Broken(`The connection was closed (${code}).`)));
  }

  /** Throws NoJsonRpc, Broken, DeadlineExceeded, and the system's and OpenSSL's errors. */
  static async open(options: SessionOptions): Promise<Session> {
    const socket = new WebSocket(options.url, {
      ...(options.ca === undefined ? {} : { ca: options.ca }),
      rejectUnauthorized: true,
      perMessageDeflate: false,
      maxPayload: largestAnswer,
    });
    const controller = new AbortController();
    const stop = abortLater(options.clock, controller, options.timeout);
    const unlink = follow(options.signal, controller);
    try {
      const opened = new Promise<Session>((resolve, reject) => {
        socket.once("open", () => resolve(new Session(socket, options)));
        socket.once("error", reject);
        socket.once("unexpected-response", (_request, { statusCode = 0 }) => reject(noWebSocket(statusCode)));
      });
      return await orAborted(opened, controller.signal);
    } catch (error) {
      socket.on("error", () => undefined); // ending an unopened socket is an error to it
      socket.terminate();
      throw error;
    } finally {
      stop();
      unlink();
    }
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /**
   * One call and its answer. Throws ApiRefusal, TurnedAway, Broken when the socket ended first, DeadlineExceeded when the
   * time was over first, and NAS_REFUSED for what is too large to be sent.
   */
  async call(method: string, params: readonly unknown[]): Promise<unknown> {
    const id = (this.#lastId += 1);
    const text = JSON.stringify({ jsonrpc: "2.0", id, method, params });
    const size = Buffer.byteLength(text);
    if (size > largestRequest) throw tooLarge(method, size);
    const controller = new AbortController();
    const stop = abortLater(this.#options.clock, controller, this.#options.timeout);
    const heard = this.#heard;
    try {
      const answered = new Promise<unknown>((resolve, reject) => {
        this.#waiting.set(id, { method, resolve, reject });
        this.#socket.send(text, (error) => {
          if (error) reject(new Broken("The connection was closed."));
        });
      });
      return await orAborted(answered, controller.signal);
    } catch (error) {
      // Nothing at all came in that time: the line is dead, and others need not wait as long to find that out.
      if (error instanceof DeadlineExceeded && this.#heard === heard) this.close();
      throw error;
    } finally {
      stop();
      this.#waiting.delete(id);
    }
  }

  close(): void {
    this.#socket.terminate();
    this.#end(new Broken("The connection was closed."));
  }

  #receive(text: string): void {
    this.#heard += 1;
    let message: Message | null;
    try {
      message = decodeJson(text.replaceAll(this.#options.secret, "[key]")) as Message | null;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return this.close(); // whoever speaks there is no TrueNAS
    }
    if (typeof message?.id !== "number") return; // events
    const waiting = this.#waiting.get(message.id);
    if (waiting === undefined) return; // its time was over
    if (message.error === undefined || message.error === null) waiting.resolve(message.result);
    else if (isTurnedAway(message.error)) waiting.reject(new TurnedAway());
    else waiting.reject(refusalOfRpc(waiting.method, message.error));
  }

  #end(error: Broken): void {
    this.#isOpen = false;
    for (const { reject } of this.#waiting.values()) reject(error);
  }
}

/** A 5xx comes from a proxy whose service is away for a while. */
const noWebSocket = (status: number): Error =>
  status >= 500
    ? new Broken(`The NAS answers with HTTP ${status}.`)
    : new NoJsonRpc(`It answers with HTTP ${status} instead of a WebSocket.`);

const tooLarge = (method: string, size: number): Failure =>
  new Failure("NAS_REFUSED", {
    what: "A request is larger than TrueNAS takes.",
    why: `${method} with its arguments has ${size} bytes; TrueNAS ends the connection above ${largestRequest}.`,
  });
