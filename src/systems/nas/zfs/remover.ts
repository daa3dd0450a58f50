/** Plain ZFS as the port's remover. Nothing here is recursive, forced or deferred. */
import type { Identity, NasRemover, Rights } from "../port.ts";
import { checkDatasetName, checkDatasetRemoval, checkSnapshotName, checkSnapshotRemoval } from "../removal.ts";
import { Commands } from "./commands.ts";
import { readRights, type ZfsOptions } from "./nas.ts";
import { Reader, together } from "./reader.ts";
import { neededBy } from "./rights.ts";
import type { Shell } from "./shell.ts";

export class ZfsRemover implements NasRemover {
  readonly #commands: Commands;
  readonly #reader: Reader;
  readonly #options: ZfsOptions;

  constructor(shell: Shell, options: ZfsOptions) {
    this.#commands = new Commands(shell);
    this.#reader = new Reader(this.#commands);
    this.#options = options;
  }

  async destroySnapshot(snapshot: Identity): Promise<void> {
    const { name } = snapshot;
    checkSnapshotName(name);
    const seen = await this.#reader.snapshot(name);
    if (seen === undefined) return;
    checkSnapshotRemoval(snapshot, seen);
    await this.#commands.change({
      words: ["zfs", "destroy", name],
      doing: `destroy the snapshot "${name}"`,
      isDone: async () => (await this.#reader.snapshot(name)) === undefined,
    });
  }

  async destroyDataset(dataset: Identity, snapshots: readonly Identity[]): Promise<void> {
    const { name } = dataset;
    checkDatasetName(name);
    const [seen, ...below] = await this.#reader.datasets(name);
    if (seen === undefined) return;
    const own = await this.#reader.snapshots(name);
    checkDatasetRemoval(dataset, snapshots, { dataset: seen, snapshots: own, children: below.map((one) => one.name) });
    // What uses it is met before its snapshots are gone. Without them, ZFS refuses a dataset that has got a new one.
    if (await this.#reader.isMounted(name)) await this.#unmount(name);
    if (own.length > 0)
      await this.#commands.change({
        words: ["zfs", "destroy", together(name, own)],
        doing: `destroy the snapshots of "${name}"`,
        isDone: async () => (await this.#reader.snapshots(name)).length === 0,
      });
    await this.#commands.change({
      words: ["zfs", "destroy", name],
      doing: `destroy "${name}"`,
      isDone: async () => (await this.#reader.dataset(name)) === undefined,
    });
  }

  async rights(): Promise<Rights> {
    return await readRights(this.#commands, this.#options.parents, neededBy.remover);
  }

  async close(): Promise<void> {
    await this.#commands.close();
  }

  async #unmount(name: string): Promise<void> {
    await this.#commands.change({
      words: ["zfs", "unmount", name],
      doing: `unmount "${name}"`,
      isDone: async () => !(await this.#reader.isMounted(name)),
    });
  }
}
