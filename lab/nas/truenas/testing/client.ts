/** A small JSON-RPC client for the stand-in's tests. It knows nothing of the stand-in's code. */
import { once } from "node:events";
import WebSocket from "ws";

export interface Answer {
  readonly id?: unknown;
  readonly result?: unknown;
  readonly error?: {
    readonly code: number;
    readonly message: string;
    readonly data?: Readonly<Record<string, unknown>>;
  };
}

/** What a refused call is thrown as. */
export class Refused extends Error {
  readonly answer: Answer;

  constructor(method: string, answer: Answer) {
    super(`${method}: ${JSON.stringify(answer.error)}`);
    this.answer = answer;
  }

  /** "EBUSY" of a call error, or the first problem's errno of a validation error. */
  get reason(): string {
    return String(this.answer.error?.data?.reason ?? this.answer.error?.message);
  }
}

export class TestClient {
  readonly socket: WebSocket;
  /** Every message that came, in its order. */
  readonly messages: Answer[] = [];
  #next = 0;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on("message", (data: Buffer) => void this.messages.push(JSON.parse(data.toString()) as Answer));
    socket.on("error", () => undefined);
  }

  static async open(url: string): Promise<TestClient> {
    const client = new TestClient(new WebSocket(url, { rejectUnauthorized: false }));
    await once(client.socket, "open");
    return client;
  }

  static async loggedIn(url: string, username: string, key: string): Promise<TestClient> {
    const client = await TestClient.open(url);
    const login = { mechanism: "API_KEY_PLAIN", username, api_key: key };
    const { response_type: type } = (await client.call("auth.login_ex", login)) as { readonly response_type: string };
    if (type !== "SUCCESS") throw new Error(`login: ${type}`);
    return client;
  }

  /** Sends whatever it is given and gives the message with its id. Rejects when the connection ends before. */
  answer(method: string, ...params: readonly unknown[]): Promise<Answer> {
    this.#next += 1;
    const id = this.#next;
    return new Promise((resolve, reject) => {
      const onMessage = (data: Buffer): void => {
        const message = JSON.parse(data.toString()) as Answer;
        if (message.id !== id) return;
        this.socket.off("message", onMessage);
        resolve(message);
      };
      this.socket.on("message", onMessage);
      this.socket.once("close", (code: number) => reject(new Error(`closed: ${code}`)));
      this.socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    });
  }

  /** The result of a call. Throws `Refused`. */
  async call(method: string, ...params: readonly unknown[]): Promise<unknown> {
    const answer = await this.answer(method, ...params);
    if (answer.error !== undefined) throw new Refused(method, answer);
    return answer.result;
  }

  close(): void {
    this.socket.terminate();
  }
}
