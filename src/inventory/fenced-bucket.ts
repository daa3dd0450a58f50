/** A bucket that another cluster's Holdfast cannot write to: a second cluster with the same configuration looks, no more. */
import type { Clock } from "../context.ts";
import { Failure, isFailure } from "../model/failure.ts";
import { OpenedOnce } from "../model/opened-once.ts";
import type { Bucket, Content, PutCondition, StoredObject } from "../systems/s3/port.ts";
import { claim, ownershipOf, refuseForeign, type Self } from "./identity.ts";
import { recordsPrefix } from "./records.ts";

export interface Fence {
  /** holdfast.cluster: the place below which is written. */
  readonly cluster: string;
  /** Asked for at the first write. What it throws keeps the write from happening; the next one asks again. */
  self(): Promise<Self>;
  readonly clock: Pick<Clock, "now">;
}

/**
 * Reads pass. Each write below `holdfast/<cluster>/` reads `cluster.json` first (one small read): the first write of all
 * names this cluster there, and FENCED is thrown while another one is named, however late it came to be. The API server's
 * failure, when it cannot say which cluster this is, is thrown instead of writing.
 */
export class FencedBucket implements Bucket {
  readonly #inner: Bucket;
  readonly #fence: Fence;
  readonly #prefix: string;
  readonly #self: OpenedOnce<Self>;

  constructor(inner: Bucket, fence: Fence) {
    this.#inner = inner;
    this.#fence = fence;
    this.#prefix = recordsPrefix(fence.cluster);
    this.#self = new OpenedOnce(() => fence.self());
  }

  list(prefix: string): AsyncIterable<StoredObject> {
    return this.#inner.list(prefix);
  }

  folders(prefix: string): AsyncIterable<string> {
    return this.#inner.folders(prefix);
  }

  get(key: string): Promise<Content | undefined> {
    return this.#inner.get(key);
  }

  async put(key: string, body: Uint8Array, condition?: PutCondition): Promise<{ readonly etag: string }> {
    await this.#pass(key);
    return this.#inner.put(key, body, condition);
  }

  async remove(key: string): Promise<void> {
    await this.#pass(key);
    await this.#inner.remove(key);
  }

  async #pass(key: string): Promise<void> {
    if (!key.startsWith(this.#prefix)) return;
    const self = await this.#whoAmI();
    const { cluster } = this.#fence;
    const seen = await ownershipOf(this.#inner, cluster, self.uid);
    refuseForeign(seen, cluster, self.uid);
    if (seen.state === "unclaimed") await this.#claim(self);
  }

  async #claim(self: Self): Promise<void> {
    const { cluster, clock } = this.#fence;
    try {
      await claim(this.#inner, cluster, self, clock.now());
    } catch (error) {
      if (!isFailure(error, "BUCKET_CONFLICT")) throw error;
      // Somebody was quicker: another process of this cluster, or another cluster.
      refuseForeign(await ownershipOf(this.#inner, cluster, self.uid), cluster, self.uid);
    }
  }

  async #whoAmI(): Promise<Self> {
    try {
      return await this.#self.get();
    } catch (error) {
      if (!isFailure(error) || error.code === "FENCED") throw error;
      throw new Failure(error.code, {
        what: `Nothing is written to ${this.#prefix} in the bucket: it is not known which cluster this is.`,
        why: error.what,
        ...(error.todo === undefined ? {} : { todo: error.todo }),
        cause: error,
      });
    }
  }
}
