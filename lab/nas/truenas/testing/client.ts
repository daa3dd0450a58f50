/** A small JSON-RPC client for the stand-in's tests. It knows nothing of the stand-in's code. */
import { once } from "node:events";
import { WebSocket } from "ws";

export interface Answer {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: RpcError;
}

interface RpcError {
  readonly code: number;
  readonly message: string;
  /** Of a call that was refused by the method or its checks. */
  readonly data?: {
    readonly error: number;
    readonly errname: string;
    readonly reason: string;
    readonly extra: unknown;
  };
}

/** What a refused call is thrown as. */
export class Refused extends Error {
  readonly code: number;
  readonly errname: string | undefined;
  readonly reason: string;
  /** Triples of attribute, message, errno. */
  readonly extra: unknown;

  constructor(method: string, { code, message, data }: RpcError) {
    super(`${method}: ${code} ${data?.reason ?? message}`);
    this.code = code;
    this.errname = data?.errname;
    this.reason = data?.reason ?? message;
    this.extra = data?.extra;
  }
}

export class TestClient {
  readonly socket: WebSocket;
  /** Every message that came, in its order. */
  readonly messages: Answer[] = [];
  /** The code with which the server ended the connection. */
  closedWith: number | undefined;
  readonly #waiting = new Map<unknown, { resolve(answer: Answer): void; reject(error: Error): void }>();
  #next = 0;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on("message", (data: Buffer) => this.#receive(JSON.parse(data.toString()) as Answer));
    socket.on("error", () => undefined);
    socket.on("close", (code: number) => {
      this.closedWith = code;
      for (const one of this.#waiting.values()) one.reject(new Error(`closed with ${code}`));
      this.#waiting.clear();
    });
  }

  static async open(url: string): Promise<TestClient> {
    const client = new TestClient(new WebSocket(url, { rejectUnauthorized: false }));
    await once(client.socket, "open");
    return client;
  }

  /** Logs in with a key. Throws when that is refused. */
  static async loggedIn(url: string, username: string, key: string): Promise<TestClient> {
    const client = await TestClient.open(url);
    const login = { mechanism: "API_KEY_PLAIN", username, api_key: key };
    const { response_type: type } = (await client.call("auth.login_ex", login)) as { readonly response_type: string };
    if (type !== "SUCCESS") throw new Error(`login: ${type}`);
    return client;
  }

  /** The message that answers a call. Rejects when the connection ends before. */
  answer(method: string, ...params: readonly unknown[]): Promise<Answer> {
    this.#next += 1;
    const id = this.#next;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.send({ jsonrpc: "2.0", id, method, params });
    });
  }

  /** The result of a call. Throws `Refused`. */
  async call(method: string, ...params: readonly unknown[]): Promise<unknown> {
    const { result, error } = await this.answer(method, ...params);
    if (error !== undefined) throw new Refused(method, error);
    return result;
  }

  /** Sends whatever it is given: text as it is, anything else as JSON. */
  send(message: unknown): void {
    this.socket.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  /** The next message that fits, or one that came already. */
  async message(fits: (message: Answer) => boolean): Promise<Answer> {
    for (;;) {
      const found = this.messages.find(fits);
      if (found !== undefined) return found;
      await once(this.socket, "message");
    }
  }

  close(): void {
    this.socket.terminate();
  }

  #receive(message: Answer): void {
    this.messages.push(message);
    this.#waiting.get(message.id)?.resolve(message);
    this.#waiting.delete(message.id);
  }
}
