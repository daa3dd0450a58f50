/** `snapshot.delete`, whose manners changed with 26. */
import { z } from "zod";
import { ZfsError } from "../../../zfs/zfs-error.ts";
import { CallError, ValidationError } from "../call-error.ts";
import { destroySnapshotTree } from "../destruction.ts";
import { tagsOf } from "../hold-tags.ts";
import { flags } from "../method.ts";
import { clonesOf, readObjects, readSnapshot } from "../objects.ts";
import type { World } from "../world.ts";
import { snapshotMethod } from "./snapshot-namespace.ts";

interface Deletion {
  readonly recursive: boolean;
  readonly defer: boolean;
}

/** All or none with `recursive`. */
const remove = async (world: World, id: string, { recursive, defer }: Deletion): Promise<true> => {
  if ((await readSnapshot(world, id)) === undefined)
    throw new ValidationError(null, `Snapshot ${id} not found`, "ENOENT");
  const clones = clonesOf((await readObjects(world)).datasets, id);
  if (clones.length > 0 && !defer) {
    const message = `Please set this attribute as '${id}' snapshot has dependent clones: ${clones.join(", ")}`;
    throw new ValidationError("options.defer", message);
  }
  try {
    await world.zfs.destroy(id, { recursive, defer });
  } catch (error) {
    if (!(error instanceof ZfsError)) throw error;
    throw new CallError(error.kind === "busy" ? "dataset is busy" : error.said);
  }
  return true;
};

const schema = "zfs.resource.snapshot.destroy";

/** Without `recursive` a hold keeps it, also from a deferred destroy; with it, one hold and all clones go too. */
export const destroy26 = async (world: World, path: string, { recursive, defer }: Deletion): Promise<void> => {
  const snapshot = await readSnapshot(world, path);
  if (snapshot === undefined) throw new ValidationError(schema, `'${path}' not found`, "ENOENT");
  if (recursive) {
    const failure = await destroySnapshotTree(world, { dataset: snapshot.dataset, name: snapshot.snapshot, recursive });
    if (failure !== undefined) throw new ValidationError(schema, failure.message, failure.errname);
    return;
  }
  const holds = await tagsOf(world, snapshot);
  if (holds.length > 0)
    throw new ValidationError(schema, `'${path}' has the following holds: ${holds.join(",")}`, "EBUSY");
  const clones = clonesOf((await readObjects(world)).datasets, path);
  if (clones.length > 0 && !defer)
    throw new ValidationError(schema, `'${path}' has the following clones: ${clones.join(",")}`, "EBUSY");
  await world.zfs.destroy(path, { defer });
};

const remove26 = async (world: World, id: string, options: Deletion): Promise<true> => {
  if (!id.includes("@")) throw new ValidationError("pool.snapshot.delete", `Invalid snapshot name: '${id}'`);
  try {
    await destroy26(world, id, options);
  } catch (error) {
    const [problem] = error instanceof ValidationError ? error.problems : [];
    if (problem?.errname === "ENOENT") throw new ValidationError(null, problem.message, "ENOENT");
    throw error;
  }
  return true;
};

export const snapshotDeleteMethods = [
  ...snapshotMethod(
    "delete",
    ["SNAPSHOT_DELETE"],
    { id: z.string(), options: flags("defer", "recursive") },
    ({ world }, { id, options }) =>
      world.release === "26.0" ? remove26(world, id, options) : remove(world, id, options),
  ),
];
