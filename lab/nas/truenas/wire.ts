/** What goes over the wire: JSON with exact 64-bit integers, dates, and JSON-RPC 2.0 error objects. */
import { CallError, errno, MatchNotFound, ValidationErrors } from "./call-error.ts";

/** A time in TrueNAS' JSON. */
export const date = (ms: number): { readonly $date: number } => ({ $date: ms });

const exact = "\u0001exact:";

/**
 * JSON in which a bigint is a plain number, as Python writes it: a GUID needs all its digits. Whoever reads it with
 * JSON.parse loses some, as with the real server.
 */
export const encode = (value: unknown): string =>
  JSON.stringify(value, (_key, part: unknown) => (typeof part === "bigint" ? `${exact}${part}` : part)).replaceAll(
    /"\\u0001exact:(\d+)"/g,
    "$1",
  );

export const codes = {
  invalidJson: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  tooManyCalls: -32000,
  callError: -32001,
} as const;

export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: object;
}

/** TrueNAS sends Python's traceback; nobody may rely on more than that there is one. */
const trace = (error: Error): object => ({
  class: error.name,
  frames: [],
  formatted: `${error.name}: ${error.message}`,
  repr: `${error.name}(${JSON.stringify(error.message)})`,
});

/** The `error` of a JSON-RPC answer for whatever a call threw. */
export const rpcError = (error: unknown): RpcError => {
  if (error instanceof ValidationErrors) {
    const extra = error.problems.map(({ attribute, message, errname }) => [attribute, message, errno[errname]]);
    const data = { error: errno.EINVAL, errname: "EINVAL", reason: error.reason, trace: trace(error), extra };
    return { code: codes.invalidParams, message: "Invalid params", data };
  }
  const cause = error instanceof Error ? error : new Error(String(error));
  const errname = error instanceof CallError ? error.errname : "EINVAL";
  const reason = error instanceof CallError ? error.reason : cause.message || `${cause.name}()`;
  const data = { error: errno[errname], errname, reason, trace: trace(cause), extra: null };
  return { code: codes.callError, message: "Method call error", data };
};

export interface RestAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** The answer of REST for whatever a call threw. */
export const restError = (error: unknown): RestAnswer => {
  if (error instanceof ValidationErrors) {
    const body: Record<string, object[]> = {};
    for (const { attribute, message, errname } of error.problems)
      (body[attribute ?? "null"] ??= []).push({ message, errno: errno[errname] });
    return { status: 422, body };
  }
  if (error instanceof CallError) return { status: 422, body: { message: error.message, errno: errno[error.errname] } };
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof MatchNotFound) return { status: 404, body: { message } };
  return { status: 500, body: { message, traceback: message } };
};
