/** A TrueNAS on the loopback for tests: TLS, both wires, and wrong in every way that a test wants. */
import { createServer, type Server } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { text as textOf } from "node:stream/consumers";
import { WebSocketServer, type WebSocket } from "ws";
import type { Pair } from "../../../kubernetes/testing/certificates.ts";
import { encodeJson } from "../../../kubernetes/json.ts";
import { isAtLeast } from "../version.ts";
import { Middleware, Refused } from "./middleware.ts";

/** What a test does to one call. */
export interface Mishap {
  /** The connection breaks before, or after, the call took effect. */
  readonly drop?: "before" | "after";
  /** No answer ever comes; the call takes effect, or does not. */
  readonly silent?: "before" | "after";
  /** The answer waits for this. */
  readonly until?: Promise<unknown>;
  /** Answers this instead: JSON-RPC's `error`, or REST's status and body. */
  readonly error?: object;
  readonly rest?: readonly [status: number, body: string];
  readonly result?: unknown;
}

export interface Call {
  readonly method: string;
  readonly params: readonly unknown[];
  /** Of the connection, counted from 1. */
  readonly connection: number;
}

export class TrueNasServer {
  readonly middleware: Middleware;
  readonly key = `3-${"k".repeat(64)}`;
  readonly calls: Call[] = [];
  /** By `response_type`; "SUCCESS" lets in whoever has the key. */
  login = "SUCCESS";
  /** Called for each call; what it gives is done to it. */
  mishap: (call: Call) => Mishap | undefined = () => undefined;
  mostAtOnce = 0;
  connections = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #webSockets = new Set<WebSocket>();
  #running = 0;

  private constructor(version: string, pair: Pair) {
    this.middleware = new Middleware(version);
    this.#server = createServer(pair, (request, response) => void this.#answer(request, response));
    const webSockets = new WebSocketServer({ noServer: true });
    this.#server.on("upgrade", (request, socket, head) => {
      if (request.url !== "/api/current" || !isAtLeast(this.middleware.version, 25, 4)) {
        socket.end("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
        return;
      }
      webSockets.handleUpgrade(request, socket, head, (webSocket) => this.#accept(webSocket));
    });
    this.#server.on("secureConnection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      socket.on("error", () => undefined); // clients break off as they like
    });
  }

  static async start(version: string, pair: Pair): Promise<TrueNasServer> {
    const server = new TrueNasServer(version, pair);
    await new Promise<void>((resolve) => {
      server.#server.listen(0, "127.0.0.1", resolve);
    });
    return server;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Methods in the order in which they came, without those of the way in. */
  get methods(): readonly string[] {
    return this.calls.map(({ method }) => method).filter((method) => method !== "system.version");
  }

  /** Breaks every connection. */
  breakAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.breakAll();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #accept(webSocket: WebSocket): void {
    this.#webSockets.add(webSocket);
    const connection = (this.connections += 1);
    let isIn = false;
    webSocket.on("error", () => undefined);
    webSocket.on("message", (data) => {
      const { id, method, params } = JSON.parse((data as Buffer).toString()) as {
        id: number;
        method: string;
        params: readonly unknown[];
      };
      const reply = (body: object): void => webSocket.send(encodeJson({ jsonrpc: "2.0", id, ...body }));
      if (method === "auth.login_ex") {
        const outcome = this.#logIn(params[0] as Record<string, unknown>);
        isIn = outcome === "SUCCESS";
        reply({ result: { response_type: outcome } });
      } else if (isIn) void this.#rpc({ method, params, connection }, webSocket, reply);
      else reply({ error: { code: -32_001, message: "x", data: { error: 207, reason: "[ENOTAUTHENTICATED]" } } });
    });
  }

  #logIn(login: Record<string, unknown>): string {
    if (this.login !== "SUCCESS") return this.login;
    return login["api_key"] === this.key && login["username"] === "holdfast" ? "SUCCESS" : "AUTH_ERR";
  }

  async #rpc(call: Call, webSocket: WebSocket, reply: (body: object) => void): Promise<void> {
    await this.#run(call, {
      drop: () => webSocket.terminate(),
      refuse: (refused) => {
        const { attribute, errno, message } = refused;
        const extra = attribute === undefined ? null : [[attribute, message, errno]];
        reply({
          error: { code: -32_001, message: "Method call error", data: { error: errno, reason: message, extra } },
        });
      },
      unknown: () => reply({ error: { code: -32_601, message: "Method does not exist" } }),
      answer: (result) => reply({ result }),
      mishap: ({ error }) => reply({ error }),
    });
  }

  /** One call, with what a test does to it. */
  async #run(call: Call, wire: Wire): Promise<void> {
    this.calls.push(call);
    const mishap = this.mishap(call) ?? {};
    this.mostAtOnce = Math.max(this.mostAtOnce, (this.#running += 1));
    await mishap.until;
    this.#running -= 1;
    if (mishap.drop === "before") return wire.drop();
    if (mishap.silent === "before") return;
    if (mishap.error !== undefined || mishap.rest !== undefined) return wire.mishap(mishap);
    if ("result" in mishap) return wire.answer(mishap.result);
    try {
      const done = this.middleware.call(call.method, call.params);
      if (mishap.silent === "after") return;
      if (mishap.drop === "after") return wire.drop();
      if (done === undefined) wire.unknown();
      else wire.answer(done.result ?? null);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      wire.refuse(error);
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await textOf(request);
    const send = (status: number, text: string): void => void response.writeHead(status).end(text);
    if (request.headers.authorization !== `Bearer ${this.key}` || this.login !== "SUCCESS") {
      return send(401, `Invalid API key ${request.headers.authorization}`);
    }
    const call = callOf(request.method ?? "", request.url ?? "", body);
    await this.#run(
      { ...call, connection: 0 },
      {
        drop: () => void request.socket.destroy(),
        refuse: ({ errno, message, attribute }) =>
          send(
            422,
            JSON.stringify(attribute === undefined ? { message, errno } : { [attribute]: [{ message, errno }] }),
          ),
        unknown: () => send(404, "404: Not Found"),
        answer: (result) => send(200, encodeJson(result)),
        mishap: ({ rest: [status, text] = [500, ""] }) => send(status, text),
      },
    );
  }
}

interface Wire {
  drop(): void;
  refuse(refused: Refused): void;
  unknown(): void;
  answer(result: unknown): void;
  mishap(mishap: Mishap): void;
}

/** The call that a REST request stands for. */
const callOf = (verb: string, address: string, body: string): { method: string; params: readonly unknown[] } => {
  const url = new URL(address, "https://server");
  const parts = url.pathname.replace("/api/v2.0/", "").split("/");
  const data = body === "" ? [] : [JSON.parse(body) as unknown];
  const at = parts.indexOf("id");
  const namespace = (at === -1 ? parts : parts.slice(0, at)).join(".");
  if (at !== -1) {
    const name = decodeURIComponent(parts[at + 1] ?? "");
    const id = /^\d+$/.test(name) ? Number(name) : name;
    const action = parts[at + 2] ?? { PUT: "update", DELETE: "delete" }[verb];
    return { method: `${namespace}.${action}`, params: [id, ...data] };
  }
  if (verb === "POST") {
    const isAction = ["clone"].includes(parts.at(-1) ?? "");
    return { method: isAction ? namespace : `${namespace}.create`, params: data };
  }
  if (["system.version", "auth.me", "iscsi.global.sessions"].includes(namespace))
    return { method: namespace, params: [] };
  if (namespace === "iscsi.global") return { method: "iscsi.global.config", params: [] };
  return { method: `${namespace}.query`, params: queryOf(url) };
};

const queryOf = (url: URL): readonly unknown[] => {
  const filters: unknown[] = [];
  const extra: Record<string, unknown> = {};
  for (const [key, value] of url.searchParams) {
    if (key.startsWith("extra.")) extra[key.slice("extra.".length)] = JSON.parse(value);
    else filters.push([key.split("__")[0], key.split("__")[1] ?? "=", value]);
  }
  return [filters, { extra }];
};
