/** Taking snapshots, of a dataset or of a tree without some of its parts. */
import type { Properties } from "../../zfs/zfs.ts";
import { readObjects, readSnapshot } from "./objects.ts";
import type { World } from "./world.ts";

export interface WantedSnapshot {
  readonly dataset: string;
  readonly name: string;
  readonly recursive: boolean;
  /** Full names; what is below them is left out too. */
  readonly exclude: readonly string[];
  readonly properties: Properties;
}

const isExcluded = (dataset: string, exclude: readonly string[]): boolean =>
  exclude.some((left) => dataset === left || dataset.startsWith(`${left}/`));

/** The names that a snapshot with exclusions consists of. */
const namesOf = async (world: World, { dataset, name, exclude }: WantedSnapshot): Promise<readonly string[]> =>
  (await readObjects(world, { under: dataset })).datasets
    .filter((one) => !isExcluded(one.name, exclude))
    .map((one) => `${one.name}@${name}`);

/**
 * Takes them, all or none as far as names go: one that is taken refuses the rest before anything happens. With exclusions
 * they are not of one transaction, as they would be on the real NAS. Gives identities at once. Throws `ZfsError`s.
 */
export const takeSnapshot = async (world: World, wanted: WantedSnapshot): Promise<void> => {
  const { zfs } = world;
  const { dataset, name, recursive, exclude, properties } = wanted;
  if (exclude.length === 0) await zfs.snapshot(`${dataset}@${name}`, { recursive, properties });
  else {
    const names = await namesOf(world, wanted);
    // The first that exists is refused by zfs itself, in its words, before one is made.
    for (const one of names) if (await zfs.exists(one)) return zfs.snapshot(one);
    for (const one of names) await zfs.snapshot(one, { properties });
  }
  if (recursive) await readObjects(world, { under: dataset });
  else await readSnapshot(world, `${dataset}@${name}`);
};
