/** JSON-RPC 2.0 over one WebSocket, with TrueNAS' limits. */
import type { WebSocket } from "ws";
import { dispatch, findMethod } from "./dispatch.ts";
import { Dropped } from "./faults.ts";
import { Session } from "./session.ts";
import { codes, encode, rpcError, type RpcError } from "./wire.ts";
import type { World } from "./world.ts";

const limits = { anonymous: 8192, authenticated: 65_536, running: 10, outstanding: 20 } as const;

type Id = string | number | null;

interface Message {
  /** Absent for a notification, which gets no answer. */
  readonly id?: Id;
  readonly method: string;
  readonly params: readonly unknown[];
}

/** What is wrong with a message's form; undefined when nothing is. */
const problemOf = (message: Readonly<Record<string, unknown>>): string | undefined => {
  const { jsonrpc, id, method, params } = message;
  if (jsonrpc === undefined) return "Missing 'jsonrpc' member";
  if (jsonrpc !== "2.0") return "'jsonrpc' member must be of type string and must be exactly '2.0'";
  if (id !== undefined && id !== null && typeof id !== "string" && typeof id !== "number")
    return "'id' member must be of type null, string or number";
  if (method === undefined) return "Missing 'method' member";
  if (typeof method !== "string" || method === "") return "'method' member must be of type string";
  return params === undefined || Array.isArray(params) ? undefined : "'params' member must be of type array";
};

/** At most ten calls of a connection run at once; ten more wait; the next is refused. */
class Turns {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  get full(): boolean {
    return this.#running + this.#waiting.length >= limits.outstanding;
  }

  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < limits.running) this.#running += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}

class Connection {
  readonly #world: World;
  readonly #socket: WebSocket;
  readonly #session: Session;
  readonly #turns = new Turns();

  constructor(world: World, socket: WebSocket, secure: boolean) {
    this.#world = world;
    this.#socket = socket;
    this.#session = new Session({ secure, notify: (message) => this.#send(message) });
    const stop = world.jobs.listen((event) => this.#session.publish("core.get_jobs", event));
    socket.once("close", stop);
  }

  receive(text: string, isBinary: boolean): void {
    if (isBinary) return this.#socket.close(1003, "Invalid websocket message type");
    const anonymous = this.#session.identity === undefined;
    if (anonymous && text.length > limits.anonymous)
      return this.#socket.close(1007, "Anonymous connection max message length is 8 kB");
    if (text.length > limits.authenticated) return this.#socket.close(1009, "Max message length is 64 kB");
    let message: unknown;
    try {
      message = JSON.parse(text);
    } catch (error) {
      return this.#refuse(null, { code: codes.invalidJson, message: (error as SyntaxError).message });
    }
    if (typeof message !== "object" || message === null || Array.isArray(message)) {
      const what = Array.isArray(message) ? "Batch messages are not supported at this time" : "Invalid Message Format";
      return this.#refuse(null, { code: codes.invalidJson, message: what });
    }
    this.#accept(message as Readonly<Record<string, unknown>>);
  }

  #accept(message: Readonly<Record<string, unknown>>): void {
    const problem = problemOf(message);
    const id = message.id as Id | undefined;
    if (problem !== undefined) {
      if (id !== undefined) this.#refuse(id, { code: codes.invalidRequest, message: problem });
      return;
    }
    void this.#serve({ params: [], ...message } as unknown as Message);
  }

  async #serve({ id, method: name, params }: Message): Promise<void> {
    const method = findMethod(name, this.#world.release);
    if (method === undefined) return this.#refuse(id, { code: codes.methodNotFound, message: "Method does not exist" });
    if (this.#turns.full) {
      const text = `Maximum number of concurrent calls (${limits.outstanding}) has exceeded`;
      return this.#refuse(id, { code: codes.tooManyCalls, message: text });
    }
    try {
      const call = { world: this.#world, session: this.#session };
      const result = await this.#turns.take(async () => {
        const outcome = await dispatch(call, { method, params, id });
        if (!("job" in outcome)) return outcome.result;
        return this.#session.legacyJobs || this.#world.release === "25.04" ? outcome.job.id : outcome.job.end;
      });
      if (id !== undefined) this.#send({ jsonrpc: "2.0", result: result ?? null, id });
    } catch (error) {
      if (error instanceof Dropped) this.#socket.terminate();
      else this.#refuse(id, rpcError(error));
    }
  }

  #refuse(id: Id | undefined, error: RpcError): void {
    if (id !== undefined) this.#send({ jsonrpc: "2.0", error, id });
  }

  #send(message: object): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(encode(message));
  }
}

/** Speaks with a client until one of the two ends the connection. */
export const serveSocket = (world: World, socket: WebSocket, secure: boolean): void => {
  const connection = new Connection(world, socket, secure);
  socket.on("message", (data: Buffer, isBinary) => connection.receive(data.toString("utf8"), isBinary));
  // A client that vanishes is no matter of ours; "close" follows.
  socket.on("error", () => socket.terminate());
};
