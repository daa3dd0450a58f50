/** From an address and a key to the port: which transport, which release, and never without encryption. */
import type { Clock } from "../../../context.ts";
import { Failure } from "../../../model/failure.ts";
import type { Nas, NasRemover } from "../port.ts";
import type { Api } from "./api.ts";
import { JsonRpc } from "./json-rpc.ts";
import { TrueNasRemover } from "./remover.ts";
import { Rest } from "./rest.ts";
import type { Asker } from "./rights.ts";
import { NoJsonRpc } from "./session.ts";
import { TrueNas } from "./truenas.ts";

export interface TrueNasOptions {
  /** wss://host for JSON-RPC; https://host finds out which of the two the NAS speaks. A path is not looked at. */
  readonly url: string;
  readonly user: string;
  readonly apiKey: string;
  /** PEM text of the CA that signed the NAS' certificate, where it is a private one. */
  readonly ca?: string;
  readonly clock: Clock;
  /** Ends every call with its reason. */
  readonly signal: AbortSignal;
  /** How long a call may take, ms. Destroying a large snapshot can take a minute. Default 2 minutes. */
  readonly timeout?: number;
}

const defaultTimeout = 120_000;

/** Connects and logs in. Throws NAS_* Failures only. */
export const openTrueNas = async (options: TrueNasOptions): Promise<Nas> =>
  new TrueNas(await openApi(options), askerOf(options));

/** The same for the credential that destroys. */
export const openTrueNasRemover = async (options: TrueNasOptions): Promise<NasRemover> =>
  new TrueNasRemover(await openApi(options), askerOf(options));

const askerOf = ({ user, apiKey }: TrueNasOptions): Asker => ({
  user,
  keyNumber: /^(\d+)-/.exec(apiKey)?.[1],
});

/** No key goes out before it is known which of the two answers there. */
const openApi = async (options: TrueNasOptions): Promise<Api> => {
  const { protocol, host } = encrypted(options.url);
  const { user, apiKey, ca, clock, signal, timeout = defaultTimeout } = options;
  const shared = { login: { user, apiKey }, ca, clock, signal, timeout };
  try {
    return await JsonRpc.open({ ...shared, url: `wss://${host}/api/current` });
  } catch (error) {
    if (!(error instanceof NoJsonRpc)) throw error;
    if (protocol === "https:") return await Rest.open({ ...shared, url: `https://${host}` });
    throw new Failure("NAS_VERSION_UNKNOWN", {
      what: `${host} does not speak TrueNAS' JSON-RPC.`,
      why: error.message,
      todo: `For TrueNAS 24.10 write https://${host} in nas.url.`,
      cause: error,
    });
  }
};

/** Throws NAS_INSECURE before anything is sent. */
const encrypted = (address: string): URL => {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url !== undefined && ["wss:", "https:"].includes(url.protocol)) return url;
  throw new Failure("NAS_INSECURE", {
    what: `The connection to ${url?.host ?? "the NAS"} would not be encrypted.`,
    why: `nas.url begins with "${url?.protocol ?? ""}//", and an API key would be sent in clear. Nothing was sent.`,
  });
};
