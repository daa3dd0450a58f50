/**
 * Datasets that zfs-fuse unmounted although somebody uses them: its destroy does that first and then finds them busy, where
 * OpenZFS leaves them mounted. It mounts no dataset while an old mount of it lives somewhere, so they wait here, and every
 * call begins with another try.
 */
import { isZfsError } from "../../zfs/zfs-error.ts";
import type { Zfs } from "../../zfs/zfs.ts";

export class Remounts {
  readonly #zfs: Zfs;
  readonly #waiting = new Set<string>();

  constructor(zfs: Zfs) {
    this.#zfs = zfs;
  }

  /** Mounts these now, or as soon as it can be. */
  async add(datasets: readonly string[]): Promise<void> {
    for (const dataset of datasets) this.#waiting.add(dataset);
    await this.settle();
  }

  /** Tries all that wait. */
  async settle(): Promise<void> {
    for (const dataset of this.#waiting) if (await this.#isSettled(dataset)) this.#waiting.delete(dataset);
  }

  async #isSettled(dataset: string): Promise<boolean> {
    try {
      await this.#zfs.mount(dataset);
      return true;
    } catch (error) {
      if (isZfsError(error, "busy")) return false;
      if (isZfsError(error, "missing") || isZfsError(error, "already-mounted")) return true;
      throw error;
    }
  }
}
