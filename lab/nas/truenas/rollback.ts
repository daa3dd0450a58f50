/** Going back to a snapshot. */
import { isZfsError } from "../../zfs/zfs-error.ts";
import type { RollbackOptions } from "../../zfs/zfs.ts";
import { patiently } from "../../zfs/patience.ts";
import { clonesOf, readDataset, readObjects, readSnapshotsOf } from "./objects.ts";
import { adoptImage } from "./volume-image.ts";
import type { World } from "./world.ts";

/**
 * Rolls one dataset back; a volume has the size again that it had. Throws `ZfsError`s. zfs-fuse can only do it with a
 * mounted dataset, and waits until nobody uses it.
 */
export const rollBack = async (world: World, snapshot: string, options: RollbackOptions): Promise<void> => {
  const [dataset = ""] = snapshot.split("@");
  const before = await readDataset(world, dataset);
  if (before !== undefined) await patiently(() => world.zfs.mount(dataset));
  await world.zfs.rollback(snapshot, options);
  if (before?.type === "VOLUME") await adoptImage(world, dataset);
};

/** Snapshots of a dataset that are newer than one of them, oldest first. */
export const newerThan = async (world: World, snapshot: string): Promise<readonly string[]> => {
  const [dataset = ""] = snapshot.split("@");
  const names = (await readSnapshotsOf(world, dataset)).map(({ name }) => name);
  return names.slice(names.indexOf(snapshot) + 1);
};

/** The datasets below one that have a snapshot of this name, and itself. */
export const withSnapshot = async (world: World, dataset: string, snapshot: string): Promise<readonly string[]> =>
  (await readObjects(world, { under: dataset })).snapshots
    .filter((one) => one.snapshot === snapshot)
    .map(({ name }) => name);

const destroyIfItGoes = async ({ zfs }: World, name: string): Promise<void> => {
  try {
    await patiently(() => zfs.destroy(name));
  } catch (error) {
    const stays = ["busy", "has-clones", "has-children"] as const;
    if (!stays.some((kind) => isZfsError(error, kind))) throw error;
  }
};

/** 26 destroys what is newer one by one, newest first, and goes on whatever happens to each. */
export const destroyNewer = async (world: World, snapshot: string, clones: boolean): Promise<void> => {
  for (const name of (await newerThan(world, snapshot)).toReversed()) {
    if (clones)
      for (const clone of clonesOf((await readObjects(world)).datasets, name)) await destroyIfItGoes(world, clone);
    await destroyIfItGoes(world, name);
  }
};
