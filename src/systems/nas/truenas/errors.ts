/** What TrueNAS' refusals mean for a user: the one place that knows its codes and wordings. */
import { Failure, type FailureDetails } from "../../../model/failure.ts";
import type { FailureCode } from "../../../model/failure-catalogue.ts";
import { ApiRefusal } from "./api.ts";
import { rolesOf } from "./methods.ts";

/** Of Linux. */
export const errno = {
  ENOENT: 2,
  EACCES: 13,
  EBUSY: 16,
  EEXIST: 17,
  ENOSPC: 28,
  EROFS: 30,
  ENOTEMPTY: 39,
  EDQUOT: 122,
  /** TrueNAS' own: there is no such method. */
  ENOMETHOD: 201,
  /** TrueNAS' own: the session has ended. */
  ENOTAUTHENTICATED: 207,
} as const;

/** Longer reasons are cut: TrueNAS adds command output and traces. */
const longestReason = 500;

const oneLine = (text: string): string => text.trim().replaceAll(/\s+/g, " ").slice(0, longestReason);

/** JSON-RPC's code. */
const noSuchMethod = -32_601;

/** JSON-RPC's `error`. */
interface RpcError {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly data?: { readonly error?: unknown; readonly reason?: unknown; readonly extra?: unknown } | null;
}

interface Complaint {
  readonly reason: string;
  readonly errno: number;
}

const asNumber = (value: unknown): number => (typeof value === "number" ? value : 0);

/** A validation error's [attribute, message, errno] triples. */
const complaintsOf = (extra: unknown): readonly Complaint[] =>
  !Array.isArray(extra)
    ? []
    : (extra as unknown[]).flatMap((triple) =>
        Array.isArray(triple) && typeof triple[1] === "string"
          ? [{ reason: withAttribute(triple[0], triple[1]), errno: asNumber(triple[2]) }]
          : [],
      );

const withAttribute = (attribute: unknown, message: string): string =>
  typeof attribute === "string" && attribute !== "" ? `${attribute}: ${message}` : message;

/** EINVAL stands beside whatever else is wrong; the first errno that says more is the one that counts. */
const EINVAL = 22;

const joined = (method: string, complaints: readonly Complaint[]): ApiRefusal => {
  const telling = complaints.find((one) => one.errno !== EINVAL && one.errno !== 0) ?? complaints[0];
  return new ApiRefusal(method, telling?.errno ?? 0, oneLine(complaints.map(({ reason }) => reason).join("; ")));
};

/** A JSON-RPC error as a refusal. */
export const refusalOfRpc = (method: string, error: unknown): ApiRefusal => {
  const { code, message, data } = (error ?? {}) as RpcError;
  if (code === noSuchMethod) return new ApiRefusal(method, errno.ENOMETHOD, `it has no method ${method}`);
  const complaints = complaintsOf(data?.extra);
  if (complaints.length > 0) return joined(method, complaints);
  const reason = typeof data?.reason === "string" ? data.reason : `${String(message)} (${String(code)})`;
  return new ApiRefusal(method, asNumber(data?.error), oneLine(reason));
};

/** True when the NAS turned the call away before it did anything, because others run. */
export const isTurnedAway = (error: unknown): boolean => (error as RpcError | undefined)?.code === -32_000;

/**
 * A REST answer of 400 and above as a refusal: 422 {message, errno} or {attribute: [{message, errno}]}. What has
 * neither shape (a proxy's page, a traceback) is told by its status alone.
 */
export const refusalOfRest = (method: string, status: number, text: string): ApiRefusal => {
  if (status === 403) return new ApiRefusal(method, errno.EACCES, "Not authorized (HTTP 403)");
  const body = parsed(text);
  if (typeof body["message"] === "string") {
    const given = asNumber(body["errno"]);
    return new ApiRefusal(method, given === 0 && status === 404 ? errno.ENOENT : given, oneLine(body["message"]));
  }
  const complaints = Object.entries(body).flatMap(([attribute, list]) =>
    complaintsOf(
      Array.isArray(list)
        ? (list as { message?: unknown; errno?: unknown }[]).map((one) => [attribute, one.message, one.errno])
        : [],
    ),
  );
  if (complaints.length > 0) return joined(method, complaints);
  // A path that TrueNAS does not know says nothing about the object: "not there" must never be read into it.
  return new ApiRefusal(method, status === 404 ? errno.ENOMETHOD : 0, `HTTP ${status}`);
};

const parsed = (text: string): Readonly<Record<string, unknown>> => {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === "object" && body !== null && !Array.isArray(body) ? { ...body } : {};
  } catch (error) {
    // Proxies answer in HTML.
    if (error instanceof SyntaxError) return {};
    throw error;
  }
};

interface Meaning {
  readonly code: FailureCode;
  readonly errnos: readonly number[];
  readonly words: RegExp;
}

/** The first that fits counts: TrueNAS gives EBUSY for clones and holds too, and EFAULT for nearly everything. */
const meanings: readonly Meaning[] = [
  { code: "NAS_HAS_CLONES", errnos: [], words: /dependent clones|following clones|there are clones/i },
  { code: "NAS_HAS_CHILDREN", errnos: [], words: /has children/i },
  {
    code: "NAS_READ_ONLY",
    errnos: [errno.EROFS],
    words: /read-only|readonly|read only|pool (?:i\/o )?is (?:currently )?suspended/i,
  },
  {
    code: "NAS_FULL",
    errnos: [errno.ENOSPC, errno.EDQUOT],
    words: /out of space|no space left|quota exceeded|insufficient space/i,
  },
  {
    code: "NAS_EXISTS",
    errnos: [errno.EEXIST],
    words: /already exists|already shared|must be unique|conflicting snapshot/i,
  },
  { code: "NAS_BUSY", errnos: [errno.EBUSY], words: /\bbusy\b|(?:is|are) in use|following holds|there are holds/i },
  { code: "NAS_HAS_CHILDREN", errnos: [errno.ENOTEMPTY], words: /(?!)/ },
  { code: "NAS_MISSING", errnos: [errno.ENOENT], words: /does not exist|not found|no such/i },
];

const isAboutRights = ({ errno: number, message }: ApiRefusal): boolean =>
  number === errno.EACCES && /not authorized/i.test(message);

/** What a refusal means; undefined for one that has no meaning of its own. */
export const meaningOf = (refusal: ApiRefusal): FailureCode | undefined => {
  if (isAboutRights(refusal)) return "NAS_FORBIDDEN";
  const { errno: number, message } = refusal;
  if (number === errno.ENOMETHOD) return undefined;
  return meanings.find(({ errnos, words }) => errnos.includes(number) || words.test(message))?.code;
};

/** The Failure for a refusal. `what` says what was wanted, as a sentence. */
export const failureOfRefusal = (refusal: ApiRefusal, what: string): Failure => {
  const code = meaningOf(refusal) ?? "NAS_REFUSED";
  const details: FailureDetails = { what, why: `TrueNAS says: ${refusal.message}`, cause: refusal };
  if (code !== "NAS_FORBIDDEN") return new Failure(code, details);
  const roles = rolesOf(refusal.method);
  return new Failure(code, {
    ...details,
    why: `${refusal.method} is not allowed for this user.`,
    ...(roles.length === 0
      ? {}
      : { todo: `Give the user the role ${roles.join(" or ")}: docs/nas/truenas.md says how, and what not to give.` }),
  });
};

/** Runs a call and words its refusal; everything else goes up as it is. */
export const worded = async <T>(what: string, call: () => Promise<T>): Promise<T> => {
  try {
    return await call();
  } catch (error) {
    throw error instanceof ApiRefusal ? failureOfRefusal(error, what) : error;
  }
};
