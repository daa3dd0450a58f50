/** `pool.dataset.delete`, whose manners changed with 26. */
import { z } from "zod";
import { CallError, ValidationError } from "../call-error.ts";
import { destroyTree } from "../destruction.ts";
import { flags, method } from "../method.ts";
import { readObjects, readSnapshotsOf } from "../objects.ts";
import { patiently } from "../../../zfs/patience.ts";
import { releases } from "../release.ts";
import type { World } from "../world.ts";
import { failedCommand } from "../zfs-refusal.ts";
import { datasetInstance } from "./dataset-query.ts";

/** What uses a dataset's path goes with it, also when the destroy then fails. A volume has no path. */
const removeShares = async ({ exports }: World, mountpoint: string | null): Promise<void> => {
  if (mountpoint === null) return;
  for (const { id, path } of await exports.query("nfs"))
    if (path === mountpoint || path.startsWith(`${mountpoint}/`)) await exports.remove("nfs", id);
};

/** 25.10 and before: `zfs destroy [-r]`. zfs-fuse is never given its force flag, which makes it hang. */
const destroy = async (world: World, id: string, recursive: boolean): Promise<true> => {
  try {
    await failedCommand("delete dataset", () => patiently(() => world.zfs.destroy(id, { recursive })), {
      busy: "EBUSY",
    });
  } catch (error) {
    const { datasets } = await readObjects(world, { under: id });
    await world.remounts.add(datasets.map(({ name }) => name));
    throw error;
  }
  return true;
};

const problem26 = async (world: World, id: string, recursive: boolean): Promise<void> => {
  if (!id.includes("/"))
    throw new ValidationError("zfs.resource.destroy", "Destroying the root filesystem is not allowed.");
  if (!recursive && (await readSnapshotsOf(world, id)).length > 0)
    throw new ValidationError(
      "zfs.resource.destroy",
      `'${id}' has snapshots. Set recursive=True to remove them.`,
      "ENOTEMPTY",
    );
};

/** 26 looks at nothing that the destroy answers: it says true also for a dataset that is still there. */
const destroy26 = async (world: World, id: string, recursive: boolean): Promise<true> => {
  await problem26(world, id, recursive);
  await destroyTree(world, id);
  return true;
};

const remove = async (world: World, id: string, recursive: boolean): Promise<true> => {
  const { datasets } = await readObjects(world, { under: id });
  if (!recursive && datasets.length > 1)
    throw new CallError(`Failed to delete dataset: cannot destroy '${id}': filesystem has children`, "ENOTEMPTY");
  const { mountpoint } = await datasetInstance(world, id);
  await removeShares(world, mountpoint);
  return world.release === "26.0" ? destroy26(world, id, recursive) : destroy(world, id, recursive);
};

export const datasetDeleteMethods = [
  method(
    "pool.dataset.delete",
    { releases, access: ["DATASET_DELETE"] },
    { id: z.string(), options: flags("recursive", "force") },
    ({ world }, { id, options }) => remove(world, id, options.recursive),
  ),
];
