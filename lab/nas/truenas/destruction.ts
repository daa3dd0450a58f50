/** How 26 destroys recursively: clones first, then snapshots; one hold of a snapshot is taken away, and it goes too. */
import { isZfsError } from "../../zfs/zfs-error.ts";
import { forgetTag, tagsOf } from "./hold-tags.ts";
import { clonesOf, readObjects, readSnapshotsOf, type SnapshotObject } from "./objects.ts";
import { patiently } from "../../zfs/patience.ts";
import type { World } from "./world.ts";

/** Why a recursive destroy did not do all that it was asked for. */
export interface Failure {
  readonly message: string;
  readonly errname: "EBUSY" | "EFAULT";
}

const goes = async (world: World, name: string): Promise<boolean> => {
  try {
    await patiently(() => world.zfs.destroy(name));
    return true;
  } catch (error) {
    if (isZfsError(error, "missing")) return true;
    if (isZfsError(error, "busy") || isZfsError(error, "has-clones") || isZfsError(error, "has-children")) return false;
    throw error;
  }
};

/** Destroys a snapshot's clones, then the snapshot; takes one hold away when that is what keeps it. */
const destroySnapshot = async (world: World, snapshot: SnapshotObject): Promise<string | undefined> => {
  const { datasets } = await readObjects(world);
  const clones = clonesOf(datasets, snapshot.name);
  const kept: string[] = [];
  for (const clone of clones) if (!(await goes(world, clone))) kept.push(clone);
  if (kept.length > 0) return ` There are clones (${kept.join(",")})`;
  if (await goes(world, snapshot.name)) return undefined;
  const [tag, ...more] = await tagsOf(world, snapshot);
  if (tag !== undefined) {
    await world.zfs.release(tag, snapshot.name);
    await forgetTag(world, snapshot, tag);
    if (await goes(world, snapshot.name)) return undefined;
  }
  return more.length > 0 ? ` There are holds (${snapshot.name})` : "";
};

const failure = (path: string, why: string | undefined): Failure | undefined =>
  why === undefined
    ? undefined
    : { message: `Failed to destroy '${path}'${why}`, errname: why === "" ? "EFAULT" : "EBUSY" };

/** Snapshots that go, newest first, one after the other: what does not go stops nothing that can. */
const destroySnapshots = async (world: World, snapshots: readonly SnapshotObject[]): Promise<string | undefined> => {
  let problem: string | undefined;
  for (const snapshot of snapshots.toReversed()) problem = (await destroySnapshot(world, snapshot)) ?? problem;
  return problem;
};

/** A dataset with everything below it. */
export const destroyTree = async (world: World, dataset: string): Promise<Failure | undefined> => {
  const { datasets, snapshots } = await readObjects(world, { under: dataset });
  const problem = await destroySnapshots(world, snapshots);
  if (problem !== undefined) return failure(dataset, problem);
  for (const { name } of datasets.toReversed()) if (!(await goes(world, name))) return failure(dataset, "");
  return undefined;
};

/** The snapshots of one name at and below a dataset; or all of a dataset, with `name` undefined. */
export const destroySnapshotTree = async (
  world: World,
  {
    dataset,
    name,
    recursive,
  }: { readonly dataset: string; readonly name: string | undefined; readonly recursive: boolean },
): Promise<Failure | undefined> => {
  const all = recursive
    ? (await readObjects(world, { under: dataset })).snapshots
    : await readSnapshotsOf(world, dataset);
  const wanted = all.filter(({ snapshot }) => name === undefined || snapshot === name);
  return failure(name === undefined ? dataset : `${dataset}@${name}`, await destroySnapshots(world, wanted));
};
