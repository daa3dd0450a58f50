/** Going back to a snapshot as 26 does it. */
import { ZfsError } from "../../../zfs/zfs-error.ts";
import { readObjects, readSnapshot } from "../objects.ts";
import { destroyNewer, newerThan, rollBack } from "../rollback.ts";
import type { World } from "../world.ts";

export interface Rollback26 {
  readonly recursive: boolean;
  readonly recursive_clones: boolean;
  readonly force: boolean;
  readonly recursive_rollback: boolean;
}

const one = async (world: World, path: string, { recursive, recursive_clones: clones }: Rollback26): Promise<void> => {
  if ((await readSnapshot(world, path)) === undefined) throw new Error(`'${path}' not found`);
  if (recursive || clones) await destroyNewer(world, path, clones);
  try {
    await rollBack(world, path, {});
  } catch (error) {
    if (!(error instanceof ZfsError)) throw error;
    if (error.kind !== "newer-snapshots")
      throw new Error(`Failed to rollback snapshot: ${error.said}`, { cause: error });
    const conflicts = (await newerThan(world, path)).map((name) => `  ${name}`).join("\n");
    const text =
      "Cannot rollback: more recent snapshots or bookmarks exist. Please pass `recursive: true` to delete the following snapshots and bookmarks recursively:";
    throw new Error(`${text}\n${conflicts}`, { cause: error });
  }
};

/** Throws plain errors: `pool.snapshot.rollback` gives them as they are, without an error's name. */
export const rollBack26 = async (world: World, path: string, options: Rollback26): Promise<null> => {
  const [dataset = "", name = ""] = path.split("@");
  const datasets = options.recursive_rollback
    ? (await readObjects(world, { under: dataset })).datasets
    : [{ name: dataset }];
  for (const each of datasets) await one(world, `${each.name}@${name}`, options);
  return null;
};
