/** The stand-in's listeners: WebSocket and REST, with TLS and without, on the same addresses as the real server. */
import { readFileSync } from "node:fs";
import { createServer as createHttp, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createHttps } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import type { StandInConfig } from "./config.ts";
import { controlPrefix, isLoopback, serveControl } from "./control.ts";
import { apiVersions, speaksRest } from "./release.ts";
import { restPrefix, serveRest } from "./rest.ts";
import { serveSocket } from "./socket.ts";
import { encode } from "./wire.ts";
import { openWorld, type World } from "./world.ts";

/** Far beyond what a message may have, so that it is the protocol that refuses it. */
const largestFrame = 4 * 1024 * 1024;

const pathOf = (request: IncomingMessage): string =>
  new URL(request.url ?? "/", "http://nas").pathname.replace(/\/$/, "");

const answerPlain = async (world: World, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const path = pathOf(request);
  if (path.startsWith(controlPrefix)) return serveControl(world, request, response);
  if (path.startsWith(restPrefix) && speaksRest(world.release)) return serveRest(world, request, response);
  const versions = apiVersions[world.release];
  const isList = path === "/api/versions" && versions.length > 0;
  response.writeHead(isList ? 200 : 404, { "content-type": "application/json" });
  response.end(isList ? encode(versions) : encode({ message: "Not found" }));
};

/** Whether JSON-RPC is spoken at this path. */
const speaksRpc = ({ release }: World, path: string): boolean =>
  apiVersions[release].length > 0 &&
  (path === "/api/current" || apiVersions[release].some((version) => path === `/api/${version}`));

const refuseUpgrade = (socket: Duplex): void =>
  void socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");

const listen = (
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<AddressInfo> =>
  new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => resolve(server.address() as AddressInfo));
  });

/** Ends a server and every connection to it. */
const close = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });

export interface StandIn {
  readonly world: World;
  /** Where it listens; undefined where the config names nothing. */
  readonly https: AddressInfo | undefined;
  readonly http: AddressInfo | undefined;
  close(): Promise<void>;
}

/** Starts it. Throws when an address is taken or a certificate cannot be read. */
export const startStandIn = async (config: StandInConfig): Promise<StandIn> => {
  const world = openWorld(config);
  const sockets = new WebSocketServer({ noServer: true, maxPayload: largestFrame, perMessageDeflate: false });
  const attach = (server: Server, encrypted: boolean): Server => {
    server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      answerPlain(world, request, response).catch(() => request.socket.destroy());
    });
    server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (!speaksRpc(world, pathOf(request))) return refuseUpgrade(socket);
      const isSecure = encrypted || (config.loopbackIsSecure && isLoopback(request.socket.remoteAddress));
      return sockets.handleUpgrade(request, socket, head, (webSocket) => serveSocket(world, webSocket, isSecure));
    });
    return server;
  };
  const { https, http } = config;
  const servers: Server[] = [];
  const serve = (server: Server, at: { readonly host: string; readonly port: number }): Promise<AddressInfo> => {
    servers.push(server);
    return listen(server, at);
  };
  const certificates = https && { cert: readFileSync(https.certFile), key: readFileSync(https.keyFile) };
  const onHttps = https && certificates && (await serve(attach(createHttps(certificates), true), https));
  const onHttp = http && (await serve(attach(createHttp(), false), http));
  return {
    world,
    https: onHttps,
    http: onHttp,
    close: async () => {
      for (const socket of sockets.clients) socket.terminate();
      await Promise.all(servers.map(close));
    },
  };
};
