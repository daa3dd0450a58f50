import { createServer as createPlainServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { SecureContextOptions, TlsOptions } from "node:tls";
import { text } from "node:stream/consumers";
import type { Credentials } from "../credentials.ts";
import type { ClusterAccess } from "../kubeconfig.ts";

/** One request as it arrived. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** Answers a request; a response that is left open stays silent. */
export type Script = (seen: Seen, response: ServerResponse, index: number) => unknown;

/** A server on the loopback that answers as a test says. */
export interface ScriptedServer {
  readonly address: string;
  readonly port: number;
  readonly seen: readonly Seen[];
  /** Connections that are open now. */
  openSockets(): number;
  /** Requests whose answer has not ended and whose client is still there. */
  openAnswers(): number;
  /** For what is not a request: upgrades, CONNECT. */
  on(event: "upgrade" | "connect", handler: (request: IncomingMessage, socket: Socket) => void): void;
  close(): Promise<void>;
}

export const startScriptedServer = async (
  script: Script,
  tls?: SecureContextOptions & TlsOptions,
): Promise<ScriptedServer> => {
  const seen: Seen[] = [];
  const sockets = new Set<Socket>();
  const answers = new Set<ServerResponse>();
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? "/", "http://server");
    const { method = "", headers } = request;
    answers.add(response);
    response.on("close", () => answers.delete(response));
    const arrived = { method, path: url.pathname, query: url.searchParams, headers, body: await text(request) };
    await script(arrived, response, seen.push(arrived) - 1);
  };
  const listener = (request: IncomingMessage, response: ServerResponse): void => void answer(request, response);
  const server = tls === undefined ? createPlainServer(listener) : createTlsServer(tls, listener);
  server.on(tls === undefined ? "connection" : "secureConnection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => undefined); // clients break off as they like
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    address: `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`,
    port,
    seen,
    openSockets: () => sockets.size,
    openAnswers: () => answers.size,
    on: (event, handler) => void server.on(event, handler),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
};

/** Answers with JSON. */
export const sendJson = (response: ServerResponse, body: unknown, status = 200, headers: object = {}): void => {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
};

/** Answers with a Kubernetes Status. */
export const sendStatus = (
  response: ServerResponse,
  status: { readonly code: number; readonly reason: string; readonly message: string },
  headers: object = {},
): void => {
  sendJson(response, { kind: "Status", apiVersion: "v1", status: "Failure", ...status }, status.code, headers);
};

/** The way to a scripted server; `credentials` may change from call to call. */
export const accessTo = (server: string, credentials: (renewals: number) => Credentials): ClusterAccess => {
  let renewals = 0;
  return {
    server,
    contextName: "context",
    clusterName: "cluster",
    userName: "user",
    namespace: undefined,
    proxyUrl: undefined,
    credentials: async () => credentials(renewals),
    renew: () => {
      renewals += 1;
    },
  };
};
