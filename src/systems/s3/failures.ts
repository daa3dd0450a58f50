/** What an S3 error means for a user. The one place that knows the SDK's names for things. */
import { Failure, isFailure, messageOf } from "../../model/failure.ts";

interface SdkError {
  readonly name?: string;
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $response?: unknown;
  readonly cause?: unknown;
}

const denied: ReadonlySet<string> = new Set([
  "AccessDenied",
  "InvalidAccessKeyId",
  "SignatureDoesNotMatch",
  "Forbidden",
  "InvalidToken",
  "ExpiredToken",
  "AuthorizationHeaderMalformed",
  "CredentialsProviderError",
]);
const untrusted = /certificate|self.signed|unable to verify|CERT_|ERR_TLS|altname/i;
const unreachable: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ETIMEDOUT",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EPIPE",
  "EPROTO",
]);

/** The operation as the user would name it, with the S3 action that it needs. */
export interface Operation {
  readonly verb: "list" | "read" | "write" | "remove";
  readonly action: "s3:ListBucket" | "s3:GetObject" | "s3:PutObject" | "s3:DeleteObject";
  readonly bucket: string;
  readonly endpoint: string;
  readonly key?: string;
}

const subject = (operation: Operation): string =>
  operation.key === undefined
    ? `the bucket "${operation.bucket}"`
    : `"${operation.key}" in the bucket "${operation.bucket}"`;

/**
 * True when the object is not there, which is no error for most callers. A 404 that does not say NoSuchKey comes from
 * something that is no S3 store, and says nothing about objects.
 */
export const isAbsent = (error: unknown): boolean => (error as SdkError).name === "NoSuchKey";

/** What answered with success, but not as an S3 store does: a web interface of the NAS, a login page. */
export const noS3Store = (operation: Operation): Failure =>
  new Failure("BUCKET_REFUSED", {
    what: `${operation.endpoint} does not answer like an S3 store.`,
    why: `it was asked to ${operation.verb} ${subject(operation)}, and its answer is of another kind`,
    todo: "Correct bucket.endpoint in holdfast.yaml: it must name the port of the S3 API, not of a web page.",
  });

const isConflict = (error: unknown, status: number | undefined, { verb }: Operation): boolean =>
  // A condition on an object that has vanished is answered by NoSuchKey.
  status === 412 || status === 409 || (verb === "write" && isAbsent(error));

/** Maps whatever the SDK throws. Only names, codes and the server's message go into the text: never headers. */
export const bucketFailure = (error: unknown, operation: Operation): Failure => {
  if (isFailure(error)) return error;
  const { name = "" } = error as SdkError;
  const status = (error as SdkError).$metadata?.httpStatusCode;
  const details = { why: reasonOf(error, status), cause: error };
  if (name === "NoSuchBucket")
    return new Failure("BUCKET_MISSING", {
      what: `There is no bucket "${operation.bucket}" at ${operation.endpoint}.`,
      ...details,
      todo: "Create it, or correct bucket.name in holdfast.yaml.",
    });
  if (isConflict(error, status, operation))
    return new Failure("BUCKET_CONFLICT", { what: `Somebody else changed ${subject(operation)}.`, ...details });
  if (denied.has(name) || status === 401 || status === 403) {
    return new Failure("BUCKET_DENIED", {
      what: `The S3 store does not let us ${operation.verb} ${subject(operation)}.`,
      ...details,
      todo: `Check the keys that bucket.credentials names; they need ${operation.action} on this bucket.`,
    });
  }
  return (
    connectionFailure(error, operation) ??
    new Failure("BUCKET_REFUSED", {
      what: `The S3 store refused to ${operation.verb} ${subject(operation)}.`,
      ...details,
    })
  );
};

const reasonOf = (error: unknown, status: number | undefined): string => {
  const { name = "", code = "" } = error as SdkError;
  const text = messageOf(error) || code || name;
  return status === undefined || status < 400 ? text : `${text} (${name}, HTTP ${status})`;
};

const connectionFailure = (error: unknown, operation: Operation): Failure | undefined => {
  const { code = "", $metadata } = error as SdkError;
  const details = { why: reasonOf(error, undefined), cause: error };
  if ($metadata?.httpStatusCode === undefined && untrusted.test(`${code} ${messageOf(error)}`))
    return new Failure("BUCKET_UNTRUSTED", {
      what: `The certificate of ${operation.endpoint} is not trusted.`,
      ...details,
    });
  const late = (error as SdkError).name === "TimeoutError" || (error as SdkError).name === "AbortError";
  if (!late && !unreachable.has(code)) return undefined;
  return new Failure("BUCKET_UNREACHABLE", {
    what: `${operation.endpoint} does not answer.`,
    ...details,
    todo: "Is the NAS on, and is bucket.endpoint in holdfast.yaml right?",
  });
};
