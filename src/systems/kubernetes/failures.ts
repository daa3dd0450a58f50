import { Failure, isFailure, messageOf } from "../../model/failure.ts";
import { DeadlineExceeded } from "./aborting.ts";
import { ApiError } from "./api-error.ts";
import { describeCall, type Call } from "./call.ts";
import { decodeJson } from "./json.ts";
import { forbidden, isAboutRights } from "./missing-rule.ts";

/** The one place that turns answers and broken connections into Failures. */

/** What the server answered, as far as errors are concerned: nothing of its headers but Retry-After. */
export interface ErrorAnswer {
  readonly status: number;
  readonly text: string;
  readonly retryAfterMilliseconds: number | undefined;
}

interface StatusBody {
  readonly kind?: unknown;
  readonly reason?: unknown;
  readonly message?: unknown;
  readonly code?: unknown;
  readonly details?: { readonly retryAfterSeconds?: unknown; readonly causes?: unknown };
}

const stringOr = (value: unknown, otherwise: string): string =>
  typeof value === "string" && value !== "" ? value : otherwise;

const parsed = (text: string): StatusBody => {
  try {
    const body = decodeJson(text);
    return typeof body === "object" && body !== null ? body : {};
  } catch (error) {
    // Proxies and the API server's outermost layer answer in plain text.
    if (error instanceof SyntaxError) return {};
    throw error;
  }
};

/** A Kubernetes Status object, or whatever else came, as an ApiError. */
export const apiError = (answer: ErrorAnswer): ApiError => {
  const body = parsed(answer.text);
  const isStatus = body.kind === "Status";
  const plainText = answer.text.trim().replaceAll(/\s+/g, " ").slice(0, 200);
  const seconds = body.details?.retryAfterSeconds;
  return new ApiError({
    status: answer.status,
    reason: isStatus ? stringOr(body.reason, "") : "",
    message: isStatus ? stringOr(body.message, `HTTP ${answer.status}`) : plainText || `HTTP ${answer.status}`,
    retryAfterMilliseconds: answer.retryAfterMilliseconds ?? (typeof seconds === "number" ? seconds * 1000 : undefined),
  });
};

/** The Status that arrives inside a watch's stream. */
export const apiErrorOfStatus = (status: unknown): ApiError => {
  const code = (status as StatusBody | undefined)?.code;
  return apiError({
    status: typeof code === "number" ? code : 500,
    text: JSON.stringify(status) ?? "",
    retryAfterMilliseconds: undefined,
  });
};

const unauthorized = (call: Call, cause: ApiError): Failure =>
  new Failure("KUBERNETES_UNAUTHORIZED", {
    what: `Cannot ${describeCall(call)}: the API server does not know who is asking.`,
    why: cause.message,
    todo: "Renew the credentials of the kubeconfig's user (expired token or client certificate).",
    cause,
  });

/** A write met an object that is not what the caller took it for. A merge patch with another uid gets 422. */
const isConflict = (answer: ApiError): boolean =>
  answer.status === 409 ||
  answer.status === 412 ||
  (answer.status === 422 && answer.message.includes("metadata.uid: Invalid value"));

/** The Failure for an answer of 400 and above. */
export const failureOfAnswer = (call: Call, answer: ErrorAnswer): Failure => failureOfApiError(call, apiError(answer));

/** The Failure for what the API server said. */
export const failureOfApiError = (call: Call, cause: ApiError): Failure => {
  if (cause.status === 401) return unauthorized(call, cause);
  if (cause.status === 403 && isAboutRights(cause)) return forbidden(call, cause.message, cause);
  if (isConflict(cause)) {
    return new Failure("KUBERNETES_CONFLICT", { what: `Cannot ${describeCall(call)}.`, why: cause.message, cause });
  }
  return new Failure("KUBERNETES_REFUSED", {
    what: `Cannot ${describeCall(call)}.`,
    why: `${cause.message} (HTTP ${cause.status})`,
    cause,
  });
};

const untrustedCodes =
  /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|HOSTNAME_MISMATCH|UNABLE_TO_DECODE_ISSUER/;
const rejectedCodes = /ALERT_.*(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)/;
const unusableCodes = /^ERR_OSSL/;

/** The system's or OpenSSL's word for what broke: "ECONNREFUSED", "SELF_SIGNED_CERT_IN_CHAIN"; "" when there is none. */
export const errorCodeOf = (error: unknown): string => {
  const code = (error as { code?: unknown } | undefined)?.code;
  if (typeof code === "string") return code;
  return error instanceof Error && error.cause !== undefined ? errorCodeOf(error.cause) : "";
};

/** What has neither a deadline nor a system's word for it did not come from the network: it is our defect. */
const isOfConnection = (error: unknown, code: string): boolean =>
  error instanceof DeadlineExceeded || (code !== "" && code !== "UND_ERR_INVALID_ARG");

/**
 * The Failure for a connection that did not come about or broke; anything else comes back as it is. `host` is the
 * server as the user knows it.
 */
export const failureOfConnection = (call: Call, host: string, error: unknown): unknown => {
  const code = errorCodeOf(error);
  if (isFailure(error) || !isOfConnection(error, code)) return error;
  if (unusableCodes.test(code)) {
    return new Failure("KUBECONFIG_INVALID", {
      what: "The certificates or the key of the kubeconfig cannot be used.",
      why: `OpenSSL says ${code}.`,
    });
  }
  if (rejectedCodes.test(code)) {
    return new Failure("KUBERNETES_UNAUTHORIZED", {
      what: `Cannot ${describeCall(call)}: ${host} rejects the client certificate.`,
      why: code,
      todo: "Renew the client certificate of the kubeconfig's user.",
      cause: error,
    });
  }
  if (untrustedCodes.test(code)) {
    return new Failure("KUBERNETES_UNTRUSTED", {
      what: `Cannot ${describeCall(call)}: the certificate of ${host} is not trusted.`,
      why: `${messageOf(error)} (${code})`,
      todo: "Check the server's address and certificate-authority-data in the kubeconfig.",
      cause: error,
    });
  }
  return new Failure("KUBERNETES_UNREACHABLE", {
    what: `Cannot ${describeCall(call)}: ${host} does not answer.`,
    why: connectionReason(code, error),
    todo: `Check that the API server runs and that ${host} is its address in the kubeconfig.`,
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
  ETIMEDOUT: "The connection timed out.",
  UND_ERR_CONNECT_TIMEOUT: "The connection timed out.",
  UND_ERR_SOCKET: "The connection was closed before the answer was complete.",
  EPROTO: "The server does not speak TLS.",
  ERR_SSL_WRONG_VERSION_NUMBER: "The server does not speak TLS.",
};

const connectionReason = (code: string, error: unknown): string => {
  if (error instanceof DeadlineExceeded) return `There was ${error.message}.`;
  return reasons[code] ?? (messageOf(error) || code);
};
