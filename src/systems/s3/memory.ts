/** A bucket in memory, true to the port's contract, with the hooks that tests need. */
import { createHash } from "node:crypto";
import type { Clock } from "../../context.ts";
import { Failure } from "../../model/failure.ts";
import type { Bucket, Content, PutCondition, StoredObject } from "./port.ts";

/** One use of the bucket, as faults see it. */
export interface BucketCall {
  readonly verb: "list" | "read" | "write" | "remove";
  /** The object's key; the prefix of a list. */
  readonly key: string;
}

export interface BucketFaultOptions {
  /** How often, at most; absent: until removed. */
  readonly times?: number;
  /** The call takes effect and its answer is lost. */
  readonly afterEffect?: boolean;
}

interface Fault {
  readonly matches: (call: BucketCall) => boolean;
  readonly failure: Failure;
  readonly afterEffect: boolean;
  left: number;
}

interface Entry {
  readonly body: Uint8Array;
  readonly etag: string;
  readonly modified: number;
}

/** S3 sorts keys by their UTF-8 bytes, JavaScript by UTF-16. */
const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

export class MemoryBucket implements Bucket {
  readonly #clock: Pick<Clock, "now">;
  readonly #entries = new Map<string, Entry>();
  readonly #faults = new Set<Fault>();
  readonly #calls: BucketCall[] = [];

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  // Hooks for tests.

  /** Lets calls fail until the function that it gives is called. A verb alone stands for all calls of that kind. */
  fail(
    match: BucketCall["verb"] | ((call: BucketCall) => boolean),
    failure: Failure,
    options: BucketFaultOptions = {},
  ): () => void {
    const fault: Fault = {
      matches: typeof match === "function" ? match : (call) => call.verb === match,
      failure,
      afterEffect: options.afterEffect === true,
      left: options.times ?? Number.POSITIVE_INFINITY,
    };
    this.#faults.add(fault);
    return () => this.#faults.delete(fault);
  }

  /** Puts an object in place at once, without faults; text is stored as UTF-8. */
  seed(key: string, body: Uint8Array | string): void {
    const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
    this.#write(key, bytes);
  }

  /** Everything that was asked of the bucket, in order, what failed included. */
  get calls(): readonly BucketCall[] {
    return this.#calls;
  }

  // The port.

  async *list(prefix: string): AsyncIterable<StoredObject> {
    const keys = this.#do({ verb: "list", key: prefix }, () => this.#keys(prefix));
    for (const key of keys) {
      const entry = this.#entries.get(key);
      if (entry !== undefined) yield { key, size: entry.body.length, modified: entry.modified, etag: entry.etag };
    }
  }

  async *folders(prefix: string): AsyncIterable<string> {
    const keys = this.#do({ verb: "list", key: prefix }, () => this.#keys(prefix));
    const ends = keys.map((key) => ({ key, end: key.indexOf("/", prefix.length) + 1 })).filter(({ end }) => end > 0);
    yield* new Set(ends.map(({ key, end }) => key.slice(0, end)));
  }

  async get(key: string): Promise<Content | undefined> {
    return this.#do({ verb: "read", key }, () => {
      const entry = this.#entries.get(key);
      return entry === undefined ? undefined : { body: entry.body.slice(), etag: entry.etag };
    });
  }

  async put(key: string, body: Uint8Array, condition?: PutCondition): Promise<{ readonly etag: string }> {
    return this.#do({ verb: "write", key }, () => {
      const present = this.#entries.get(key)?.etag;
      const fits = condition === undefined || present === (condition === "absent" ? undefined : condition.etag);
      if (!fits)
        throw new Failure("BUCKET_CONFLICT", { what: `Somebody else changed "${key}" in the bucket "memory".` });
      return { etag: this.#write(key, body) };
    });
  }

  async remove(key: string): Promise<void> {
    this.#do({ verb: "remove", key }, () => this.#entries.delete(key));
  }

  #keys(prefix: string): readonly string[] {
    return [...this.#entries.keys()].filter((key) => key.startsWith(prefix)).toSorted(byBytes);
  }

  #write(key: string, body: Uint8Array): string {
    const etag = `"${createHash("md5").update(body).digest("hex")}"`;
    this.#entries.set(key, { body: body.slice(), etag, modified: this.#clock.now() });
    return etag;
  }

  #do<T>(call: BucketCall, act: () => T): T {
    this.#calls.push(call);
    this.#trip(call, false);
    const result = act();
    this.#trip(call, true);
    return result;
  }

  #trip(call: BucketCall, afterEffect: boolean): void {
    for (const fault of this.#faults) {
      if (fault.afterEffect !== afterEffect || fault.left <= 0 || !fault.matches(call)) continue;
      fault.left -= 1;
      throw fault.failure;
    }
  }
}
