/**
 * An S3 bucket as Holdfast uses it. All keys are relative to the bucket.
 *
 * Contract: failures are `Failure`s (BUCKET_UNREACHABLE, _UNTRUSTED, _DENIED, _MISSING, _CONFLICT, _REFUSED); reading
 * an absent key gives undefined; removing one succeeds; reads after a finished write see it. No key may be the folder
 * of another ("a" beside "a/b"): MinIO on a disk lists only the first of them.
 */
export interface StoredObject {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
  readonly etag: string;
}

export interface Content {
  readonly body: Uint8Array;
  readonly etag: string;
}

/** What must be true for a `put`: the object still has this ETag, or does not exist. Else BUCKET_CONFLICT. */
export type PutCondition = { readonly etag: string } | "absent";

export interface Bucket {
  /** Objects below `prefix` in key order; pages are followed as they are read. */
  list(prefix: string): AsyncIterable<StoredObject>;
  /** The "folders" directly below `prefix` (which ends in "/" or is empty), with their trailing slash. */
  folders(prefix: string): AsyncIterable<string>;
  /** The whole object in memory: for small ones. */
  get(key: string): Promise<Content | undefined>;
  put(key: string, body: Uint8Array, condition?: PutCondition): Promise<{ readonly etag: string }>;
  remove(key: string): Promise<void>;
}
