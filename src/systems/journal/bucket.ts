/** The journal in the bucket: an object for each entry, `operations/<id>/<number>.json` (design §4). */
import { mapLimited } from "../../model/concurrency.ts";
import { isFailure } from "../../model/failure.ts";
import type { Bucket } from "../s3/port.ts";
import { damaged, taken } from "./failures.ts";
import { byName, inOrder } from "./memory.ts";
import type { JournalStore } from "./port.ts";

const keyPattern = /([^/]+)\/(\d{6})\.json$/;
const readersAtATime = 8;

export class BucketJournal implements JournalStore {
  readonly #bucket: Bucket;
  readonly #prefix: string;

  /** `prefix` ends in "/": "holdfast/home/operations/". */
  constructor(bucket: Bucket, prefix: string) {
    this.#bucket = bucket;
    this.#prefix = prefix;
  }

  /** Cost: one listing, a request for each 1000 entries. */
  async sizes(): Promise<ReadonlyMap<string, number>> {
    const sizes = new Map<string, number>();
    for await (const { key } of this.#bucket.list(this.#prefix)) {
      const [, operation] = keyPattern.exec(key) ?? [];
      if (operation !== undefined) sizes.set(operation, (sizes.get(operation) ?? 0) + 1);
    }
    return byName([...sizes]);
  }

  /** Cost: a listing, and a request for each entry. */
  async read(operation: string): Promise<readonly string[]> {
    const keys: string[] = [];
    for await (const { key } of this.#bucket.list(`${this.#prefix}${operation}/`)) keys.push(key);
    const entries = await mapLimited(keys, readersAtATime, (key) => this.#entry(operation, key));
    return inOrder(operation, new Map(entries.flat()));
  }

  async #entry(operation: string, key: string): Promise<readonly (readonly [number, string])[]> {
    const [, , number] = keyPattern.exec(key) ?? [];
    if (number === undefined) return [];
    const content = await this.#bucket.get(key);
    if (content === undefined) throw damaged(operation, `${key} vanished while it was read`);
    return [[Number(number), new TextDecoder().decode(content.body)]];
  }

  async append(operation: string, number: number, text: string): Promise<void> {
    const key = `${this.#prefix}${operation}/${String(number).padStart(6, "0")}.json`;
    try {
      await this.#bucket.put(key, new TextEncoder().encode(text), "absent");
    } catch (error) {
      if (!isFailure(error, "BUCKET_CONFLICT")) throw error;
      throw taken(operation, number);
    }
  }
}
