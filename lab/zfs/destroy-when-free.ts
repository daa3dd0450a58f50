import { setTimeout as sleep } from "node:timers/promises";
import { isZfsError } from "./zfs-error.ts";
import type { Zfs } from "./zfs.ts";

/** How long to ask again while something is in use; pauses double from a tenth of a second up to the longest. */
export interface BusyRetry {
  readonly giveUpAfterMs: number;
  readonly longestPauseMs: number;
}

const shortestPauseMs = 100;

/**
 * Destroys a dataset with its snapshots and children, waiting for its users to let go. Even a dataset that nobody uses is
 * busy for a moment after its unmount, until FUSE has released it. Without zfs' force flag, see `DestroyOptions`.
 * Throws what `Zfs.destroy` throws; kind `busy` only when the time is over.
 */
export const destroyWhenFree = async (
  zfs: Pick<Zfs, "destroy">,
  dataset: string,
  { giveUpAfterMs, longestPauseMs }: BusyRetry,
): Promise<void> => {
  const deadline = performance.now() + giveUpAfterMs;
  for (let pause = shortestPauseMs; ; pause = Math.min(pause * 2, longestPauseMs)) {
    try {
      return await zfs.destroy(dataset, { recursive: true });
    } catch (error) {
      if (!isZfsError(error, "busy") || performance.now() + pause > deadline) throw error;
    }
    await sleep(pause);
  }
};
