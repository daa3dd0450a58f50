/** Three GETs: /healthz, /readyz, /metrics. Nothing of them changes anything or tells a secret. */
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock } from "../context.ts";
import { Failure } from "../model/failure.ts";
import { type Answer, liveness, metricsText, readiness, type ServerStanding } from "./standing.ts";

/** Where to listen. */
export interface Address {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

export interface Listening {
  readonly address: string;
  close(): Promise<void>;
}

interface Page extends Answer {
  readonly type?: string;
}

const pages: Readonly<Record<string, (standing: ServerStanding, now: number) => Page>> = {
  "/healthz": liveness,
  "/readyz": readiness,
  "/metrics": (standing) => ({ ok: true, text: metricsText(standing), type: "text/plain; version=0.0.4" }),
};

interface Answered {
  readonly status: number;
  readonly text: string;
  readonly type?: string | undefined;
}

const answerTo = ({ url = "", method }: IncomingMessage, standing: ServerStanding, now: number): Answered => {
  const page = pages[url.split("?", 1)[0] ?? ""];
  if (page === undefined) return { status: 404, text: "not found" };
  if (method !== "GET" && method !== "HEAD") return { status: 405, text: "only GET" };
  const { ok, text, type } = page(standing, now);
  return { status: ok ? 200 : 503, text, type };
};

/** Throws USAGE when the address cannot be had. */
export const listen = async (
  { host, port }: Address,
  standing: ServerStanding,
  clock: Pick<Clock, "now">,
): Promise<Listening> => {
  const server = createServer((request, response) => {
    const { status, text, type = "text/plain" } = answerTo(request, standing, clock.now());
    response.writeHead(status, { "content-type": `${type}; charset=utf-8` });
    response.end(text.endsWith("\n") ? text : `${text}\n`);
  });
  await begin(server, { host, port });
  const bound = server.address() as AddressInfo;
  return {
    address: `${bound.family === "IPv6" ? `[${bound.address}]` : bound.address}:${bound.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

const begin = (server: Server, { host, port }: Address): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(
        new Failure("USAGE", {
          what: `Cannot listen on ${host}:${port}.`,
          why: error.code ?? error.message,
          todo: "Give another address with --listen HOST:PORT.",
          cause: error,
        }),
      ),
    );
    server.listen({ host, port }, resolve);
  });
