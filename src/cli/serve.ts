import { buildCommand } from "@stricli/core";
import { modes } from "../guard/protect/mode.ts";
import { Failure } from "../model/failure.ts";
import type { Address } from "../server/http.ts";
import { worldFlags } from "./flags.ts";

/** "127.0.0.1:9310", "[::1]:9310", ":9310" for every address. */
export const addressFlag = (input: string): Address => {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(input) ?? [];
  if (port === undefined || Number(port) > 65_535)
    throw new Failure("USAGE", { what: `"${input}" is no HOST:PORT.`, todo: 'Write it like "127.0.0.1:9310".' });
  return { host: bracketed ?? (plain === "" || plain === undefined ? "::" : plain), port: Number(port) };
};

export const serveCommand = buildCommand({
  docs: {
    brief: "Guards continuously: runs until it is told to end",
    fullDescription: `New volumes are guarded within seconds, as \`guard on\` does it. When any claim is deleted, guarded or not, its
PersistentVolume gets the reclaim policy Retain at once. Permissions to delete are closed when their time is over. A
guarded claim that is being deleted is held until its bytes are safe. The inventory in the bucket follows each change.
Several may run: one acts, the others wait for its Lease. It says what it does in lines of JSON on standard error, and
answers GET /healthz, /readyz and /metrics. SIGTERM ends it.`,
  },
  parameters: {
    flags: {
      ...worldFlags,
      listen: {
        kind: "parsed",
        parse: addressFlag,
        brief: "where /healthz, /readyz and /metrics are answered; :PORT for every address",
        default: "127.0.0.1:9310",
        placeholder: "HOST:PORT",
      },
      mode: {
        kind: "enum",
        values: modes,
        brief: "how new volumes are guarded (default: guard.mode of holdfast.yaml)",
        optional: true,
      },
    },
  },
  loader: async () => (await import("./serve-body.ts")).serveForever,
});
