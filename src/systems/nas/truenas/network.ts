/** What becomes of connections to the NAS: how long is waited, and what it means when they break. */
import { Failure, isFailure, messageOf } from "../../../model/failure.ts";
import { DeadlineExceeded } from "../../kubernetes/aborting.ts";
import { errorCodeOf } from "../../kubernetes/failures.ts";

/** Pauses before the second and each further try of a connection, in ms: about 5 s, for a NAS that restarts a service. */
export const pauses: readonly number[] = [250, 1000, 4000];

const untrusted =
  /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|HOSTNAME_MISMATCH|UNABLE_TO_DECODE_ISSUER|ERR_TLS_CERT_ALTNAME/;
/** Before these there was no connection, so nothing was sent. */
const neverConnected: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
  "EPROTO",
  "ERR_SSL_WRONG_VERSION_NUMBER",
  "ERR_SSL_PACKET_LENGTH_TOO_LONG",
]);

/** A connection that broke, or answered something that is not of TrueNAS. Its text has no secret. */
export class Broken extends Error {
  static {
    this.prototype.name = "Broken";
  }
}

/** Whether nothing of the request can have reached the NAS. */
export const wasNeverSent = (error: unknown): boolean => {
  const code = errorCodeOf(error);
  return neverConnected.has(code) || untrusted.test(code);
};

/** NAS_UNTRUSTED or NAS_UNREACHABLE for what a socket throws; undefined for what did not come from the network. */
export const failureOfNetwork = (host: string, error: unknown): Failure | undefined => {
  if (isFailure(error)) return error;
  const code = errorCodeOf(error);
  if (untrusted.test(code)) {
    return new Failure("NAS_UNTRUSTED", {
      what: `The certificate of ${host} is not trusted.`,
      why: `${messageOf(error)} (${code})`,
      cause: error,
    });
  }
  const isOfNetwork = error instanceof Broken || error instanceof DeadlineExceeded;
  if (!isOfNetwork && (code === "" || code === "UND_ERR_INVALID_ARG" || code === "ERR_INVALID_ARG_TYPE")) {
    return undefined;
  }
  return new Failure("NAS_UNREACHABLE", {
    what: `${host} does not answer.`,
    why: error instanceof DeadlineExceeded ? `There was ${error.message}.` : reasonOf(code, error),
    cause: error,
  });
};

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "The connection was refused: nothing listens there.",
  ENOTFOUND: "The name is not known to DNS.",
  EAI_AGAIN: "DNS does not answer.",
  ECONNRESET: "The connection was reset.",
  EHOSTUNREACH: "There is no route to the host.",
  ENETUNREACH: "There is no route to the network.",
  EPROTO: "The server does not speak TLS.",
  ERR_SSL_WRONG_VERSION_NUMBER: "The server does not speak TLS.",
  UND_ERR_SOCKET: "The connection was closed before the answer was complete.",
};

const reasonOf = (code: string, error: unknown): string => reasons[code] ?? (messageOf(error) || code);
