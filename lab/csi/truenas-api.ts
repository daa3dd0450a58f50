/** REST v2.0 of a TrueNAS, as democratic-csi's `freenas-api-*` drivers speak it. */
import { readFileSync } from "node:fs";
import { request as overHttp } from "node:http";
import { request as overHttps } from "node:https";

export interface ApiOptions {
  /** `https://nas.lab`, or http for a NAS on loopback. */
  readonly url: string;
  readonly key: string;
  /** PEM file of the CA that signed the NAS' certificate. */
  readonly caFile?: string | undefined;
}

/** The NAS refused. `text` is what it said; callers look for words in it, as the real driver does. */
export class ApiRefused extends Error {
  readonly status: number;
  readonly text: string;

  constructor(verb: string, path: string, { status, text }: { readonly status: number; readonly text: string }) {
    super(`${verb} ${path}: ${status} ${text}`);
    this.name = "ApiRefused";
    this.status = status;
    this.text = text;
  }
}

export interface TrueNasApi {
  /** `path` is below /api/v2.0. Throws `ApiRefused`, and the connection's own error. */
  ask(verb: "GET" | "POST" | "PUT" | "DELETE", path: string, body?: unknown): Promise<unknown>;
}

interface Received {
  readonly status: number;
  readonly text: string;
}

const send = (
  address: URL,
  headers: Readonly<Record<string, string>>,
  { verb, body, ca }: Sending,
): Promise<Received> =>
  new Promise((resolve, reject) => {
    const start = address.protocol === "https:" ? overHttps : overHttp;
    const sent = start(
      address,
      { method: verb, headers, agent: false, ...(ca === undefined ? {} : { ca }) },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (piece: string) => void (text += piece));
        response.once("error", reject);
        response.once("end", () => resolve({ status: response.statusCode ?? 0, text }));
      },
    );
    sent.once("error", reject);
    sent.end(body);
  });

interface Sending {
  readonly verb: string;
  readonly body: string;
  readonly ca: Buffer | undefined;
}

export const openTrueNasApi = ({ url, key, caFile }: ApiOptions): TrueNasApi => {
  const ca = caFile === undefined ? undefined : readFileSync(caFile);
  return {
    ask: async (verb, path, body) => {
      const text = body === undefined ? "" : JSON.stringify(body);
      const headers = {
        authorization: `Bearer ${key}`,
        "content-type": "application/json",
        // Node gives no length by itself to what DELETE carries.
        "content-length": String(Buffer.byteLength(text)),
      };
      const received = await send(new URL(`/api/v2.0${path}`, url), headers, { verb, body: text, ca });
      if (received.status !== 200) throw new ApiRefused(verb, path, received);
      return JSON.parse(received.text) as unknown;
    },
  };
};
