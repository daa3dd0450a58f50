/**
 * The journal in the bucket: an object for each entry, `operations/<id>/<number>.json` (design §4), and beside them, while
 * they are removed one by one, `gone`: an operation that has it is not there any more.
 */
import { mapLimited } from "../../model/concurrency.ts";
import { isFailure } from "../../model/failure.ts";
import type { Bucket } from "../s3/port.ts";
import { damaged, taken } from "./failures.ts";
import { byName, inOrder } from "./memory.ts";
import type { JournalStore } from "./port.ts";

const keyPattern = /([^/]+)\/(\d{6})\.json$/;
const goneName = "gone";
const requestsAtATime = 8;

export class BucketJournal implements JournalStore {
  readonly #bucket: Bucket;
  readonly #prefix: string;
  /** Whose removal was cut off, by the last look. */
  #halfGone: string[] = [];

  /** `prefix` ends in "/": "holdfast/home/operations/". */
  constructor(bucket: Bucket, prefix: string) {
    this.#bucket = bucket;
    this.#prefix = prefix;
  }

  /** Cost: one listing, a request for each 1000 entries. */
  async sizes(): Promise<ReadonlyMap<string, number>> {
    const sizes = new Map<string, number>();
    const gone = new Set<string>();
    for await (const { key } of this.#bucket.list(this.#prefix)) {
      const [operation = "", name] = key.slice(this.#prefix.length).split("/");
      if (name === goneName) gone.add(operation);
      else if (keyPattern.test(key)) sizes.set(operation, (sizes.get(operation) ?? 0) + 1);
    }
    this.#halfGone = [...gone];
    return byName([...sizes].filter(([operation]) => !gone.has(operation)));
  }

  /** Cost: a listing, and a request for each entry. */
  async read(operation: string): Promise<readonly string[]> {
    const keys = await this.#keysOf(operation);
    if (keys.includes(this.#goneKey(operation))) return [];
    const entries = await mapLimited(keys, requestsAtATime, (key) => this.#entry(operation, key));
    return inOrder(operation, new Map(entries.flat()));
  }

  async #entry(operation: string, key: string): Promise<readonly (readonly [number, string])[]> {
    const [, , number] = keyPattern.exec(key) ?? [];
    if (number === undefined) return [];
    const content = await this.#bucket.get(key);
    if (content === undefined) throw damaged(operation, `${key} vanished while it was read`);
    return [[Number(number), new TextDecoder().decode(content.body)]];
  }

  async remove(operation: string): Promise<void> {
    const wanted = new Set([...this.#halfGone.splice(0), operation]);
    for (const one of wanted) await this.#removeOne(one);
  }

  async #removeOne(operation: string): Promise<void> {
    const gone = this.#goneKey(operation);
    const keys = await this.#keysOf(operation);
    if (keys.length === 0) return;
    await this.#bucket.put(gone, new Uint8Array());
    const entries = keys.filter((key) => key !== gone);
    await mapLimited(entries, requestsAtATime, (key) => this.#bucket.remove(key));
    await this.#bucket.remove(gone);
  }

  #goneKey(operation: string): string {
    return `${this.#prefix}${operation}/${goneName}`;
  }

  async #keysOf(operation: string): Promise<readonly string[]> {
    const keys: string[] = [];
    for await (const { key } of this.#bucket.list(`${this.#prefix}${operation}/`)) keys.push(key);
    return keys;
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
