/** The journal in the bucket: an object for each entry, `operations/<id>/<number>.json` (design §4). */
import { isFailure } from "../../model/failure.ts";
import type { Bucket } from "../s3/port.ts";
import { damaged, taken } from "./failures.ts";
import { inOrder } from "./memory.ts";
import type { JournalStore } from "./port.ts";

const keyPattern = /\/(\d{6})\.json$/;

export class BucketJournal implements JournalStore {
  readonly #bucket: Bucket;
  readonly #prefix: string;

  /** `prefix` ends in "/": "holdfast/home/operations/". */
  constructor(bucket: Bucket, prefix: string) {
    this.#bucket = bucket;
    this.#prefix = prefix;
  }

  async operations(): Promise<readonly string[]> {
    const names: string[] = [];
    for await (const folder of this.#bucket.folders(this.#prefix)) names.push(folder.slice(this.#prefix.length, -1));
    return names.toSorted();
  }

  async read(operation: string): Promise<readonly string[]> {
    const entries = new Map<number, string>();
    for await (const { key } of this.#bucket.list(`${this.#prefix}${operation}/`)) {
      const [, number] = keyPattern.exec(key) ?? [];
      if (number === undefined) continue;
      const content = await this.#bucket.get(key);
      if (content === undefined) throw damaged(operation, `${key} vanished while it was read`);
      entries.set(Number(number), new TextDecoder().decode(content.body));
    }
    return inOrder(operation, entries);
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
