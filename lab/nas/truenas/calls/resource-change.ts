/** What 26 does to snapshots by `zfs.resource.snapshot.*`, and to datasets by `zfs.resource.destroy`. */
import { z } from "zod";
import { isZfsError, ZfsError } from "../../../zfs/zfs-error.ts";
import { type ErrorName, ValidationError } from "../call-error.ts";
import { destroySnapshotTree, destroyTree } from "../destruction.ts";
import { ownTag } from "../hold-tags.ts";
import { holdSnapshot, releaseSnapshot } from "../holding.ts";
import { type MethodTraits, method } from "../method.ts";
import { readObjects, readSnapshot, readSnapshotsOf } from "../objects.ts";
import { patiently } from "../../../zfs/patience.ts";
import { snapshotResource } from "../resource-shape.ts";
import { takeSnapshot } from "../snapshotting.ts";
import type { World } from "../world.ts";
import { rollBack26 } from "./resource-rollback.ts";
import { makeClone } from "./snapshot-create.ts";
import { destroy26 } from "./snapshot-delete.ts";

const name = "zfs.resource.snapshot";
const writing: MethodTraits = { releases: ["26.0"], access: ["SNAPSHOT_WRITE"] };

const refusal = (schema: string, message: string, errname: ErrorName = "EINVAL"): ValidationError =>
  new ValidationError(schema, message, errname);

const requireSnapshotPath = (schema: string, path: string, field = "path"): void => {
  if (!path.includes("@")) throw refusal(schema, `${field} must be a snapshot path (containing '@').`);
};

const requireSnapshot = async (world: World, schema: string, path: string): Promise<void> => {
  requireSnapshotPath(schema, path);
  if ((await readSnapshot(world, path)) === undefined) throw refusal(schema, `'${path}' not found`, "ENOENT");
};

const createSchema = z.strictObject({
  dataset: z.string().min(1),
  name: z.string().min(1),
  recursive: z.boolean().default(false),
  exclude: z.array(z.string()).default([]),
  user_properties: z.record(z.string(), z.string()).default({}),
});

const create = async (world: World, data: z.output<typeof createSchema>): Promise<object> => {
  const schema = `${name}.create`;
  if (data.dataset.includes("@")) throw refusal(schema, "dataset must be a dataset path (not containing '@').");
  if (data.name.includes("@")) throw refusal(schema, "name must be a snapshot name (not containing '@').");
  const full = `${data.dataset}@${data.name}`;
  try {
    await takeSnapshot(world, { ...data, properties: data.user_properties });
  } catch (error) {
    if (isZfsError(error, "missing")) throw refusal(schema, `'${data.dataset}' not found`, "ENOENT");
    if (isZfsError(error, "exists")) throw refusal(schema, `'${full}' already exists`, "EEXIST");
    if (error instanceof ZfsError) throw refusal(schema, error.said);
    throw error;
  }
  const made = await readSnapshot(world, full);
  if (made === undefined) throw refusal(schema, `'${full}' not found`, "ENOENT");
  const wish = { properties: ["creation", "createtxg"], get_user_properties: false, get_source: false };
  return snapshotResource(made, wish, undefined);
};

const destroySchema = z.strictObject({
  path: z.string().min(1),
  recursive: z.boolean().default(false),
  all_snapshots: z.boolean().default(false),
  defer: z.boolean().default(false),
});

const destroy = async (world: World, data: z.output<typeof destroySchema>): Promise<null> => {
  const schema = `${name}.destroy`;
  if (data.all_snapshots) {
    if (data.path.includes("@"))
      throw refusal(schema, "When all_snapshots is True, path must be a dataset path (no '@').");
    const wanted = { dataset: data.path, name: undefined, recursive: data.recursive };
    const failure = await destroySnapshotTree(world, wanted);
    if (failure !== undefined) throw refusal(schema, failure.message, failure.errname);
    return null;
  }
  if (!data.path.includes("@")) {
    const text =
      "Path must be a snapshot path (containing '@'). Use all_snapshots=True to destroy all snapshots for a dataset.";
    throw refusal(schema, text);
  }
  await destroy26(world, data.path, data);
  return null;
};

const cloneSchema = z.strictObject({
  snapshot: z.string().min(1),
  dataset: z.string().min(1),
  properties: z.record(z.string(), z.union([z.string(), z.number()]).transform(String)).default({}),
});

/** The clone is there and not mounted, and nothing public mounts it: `pool.snapshot.clone` is the one that does. */
const clone = async (world: World, data: z.output<typeof cloneSchema>): Promise<null> => {
  const schema = `${name}.clone`;
  requireSnapshotPath(schema, data.snapshot, "snapshot");
  if (data.dataset.includes("@")) throw refusal(schema, "dataset must be a dataset path (not containing '@').");
  await requireSnapshot(world, schema, data.snapshot);
  if (await world.zfs.exists(data.dataset)) throw refusal(schema, `'${data.dataset}' already exists`, "EEXIST");
  await makeClone(world, data);
  await patiently(() => world.zfs.unmount(data.dataset));
  return null;
};

const holdSchema = z.strictObject({
  path: z.string().min(1),
  tag: z.string().default(ownTag),
  recursive: z.boolean().default(false),
});

const hold = async (world: World, data: z.output<typeof holdSchema>): Promise<null> => {
  await requireSnapshot(world, `${name}.hold`, data.path);
  try {
    await holdSnapshot(world, data);
  } catch (error) {
    if (error instanceof ZfsError) throw refusal(`${name}.hold`, error.said);
    throw error;
  }
  return null;
};

const releaseSchema = z.strictObject({
  path: z.string().min(1),
  tag: z.string().nullable().default(null),
  recursive: z.boolean().default(false),
});

const rollbackSchema = z.strictObject({
  path: z.string().min(1),
  recursive: z.boolean().default(false),
  recursive_clones: z.boolean().default(false),
  force: z.boolean().default(false),
  recursive_rollback: z.boolean().default(false),
});

const rollback = async (world: World, data: z.output<typeof rollbackSchema>): Promise<null> => {
  await requireSnapshot(world, `${name}.rollback`, data.path);
  try {
    return await rollBack26(world, data.path, data);
  } catch (error) {
    throw refusal(`${name}.rollback`, error instanceof Error ? error.message : String(error));
  }
};

const renameSchema = z.strictObject({
  current_name: z.string().min(1),
  new_name: z.string().min(1),
  recursive: z.boolean().default(false),
});

const rename = async (world: World, data: z.output<typeof renameSchema>): Promise<null> => {
  const schema = `${name}.rename`;
  const { current_name: current, new_name: next, recursive } = data;
  requireSnapshotPath(schema, current, "current_name");
  requireSnapshotPath(schema, next, "new_name");
  const [dataset = ""] = current.split("@");
  if (next.split("@")[0] !== dataset)
    throw refusal(schema, `Cannot rename snapshot to a different dataset. Dataset must remain '${dataset}'.`);
  await requireSnapshot(world, schema, current);
  if (await world.zfs.exists(next)) throw refusal(schema, `'${next}' already exists`, "EEXIST");
  await world.zfs.rename(current, next, { recursive });
  return null;
};

const destroyResource = async (world: World, path: string, recursive: boolean): Promise<null> => {
  const schema = "zfs.resource.destroy";
  if (path.includes("@")) throw refusal(schema, "Use `zfs.resource.snapshot.destroy` to destroy snapshots.");
  if (!path.includes("/")) throw refusal(schema, "Destroying the root filesystem is not allowed.");
  const { datasets } = await readObjects(world, { under: path });
  if (datasets.length === 0) throw refusal(schema, `'${path}' not found`, "ENOENT");
  const extra = "Set recursive=True to remove them.";
  if (!recursive && datasets.length > 1) throw refusal(schema, `'${path}' has children. ${extra}`, "ENOTEMPTY");
  if (!recursive && (await readSnapshotsOf(world, path)).length > 0)
    throw refusal(schema, `'${path}' has snapshots. ${extra}`, "ENOTEMPTY");
  const failure = await destroyTree(world, path);
  if (failure !== undefined) throw refusal(schema, failure.message, failure.errname);
  return null;
};

export const resourceChangeMethods = [
  method(`${name}.create`, writing, { data: createSchema }, ({ world }, { data }) => create(world, data)),
  method(
    `${name}.destroy`,
    { releases: ["26.0"], access: ["SNAPSHOT_DELETE"] },
    { data: destroySchema },
    ({ world }, { data }) => destroy(world, data),
  ),
  method(`${name}.clone`, writing, { data: cloneSchema }, ({ world }, { data }) => clone(world, data)),
  method(`${name}.hold`, writing, { data: holdSchema }, ({ world }, { data }) => hold(world, data)),
  method(`${name}.release`, writing, { data: releaseSchema }, async ({ world }, { data }) => {
    await requireSnapshot(world, `${name}.release`, data.path);
    await releaseSnapshot(world, { ...data, tag: data.tag ?? undefined });
    return null;
  }),
  method(`${name}.rollback`, writing, { data: rollbackSchema }, ({ world }, { data }) => rollback(world, data)),
  method(`${name}.rename`, writing, { data: renameSchema }, ({ world }, { data }) => rename(world, data)),
  method(
    "zfs.resource.destroy",
    { releases: ["26.0"], access: ["ZFS_RESOURCE_DELETE"] },
    { data: z.strictObject({ path: z.string().min(1), recursive: z.boolean().default(false) }) },
    ({ world }, { data }) => destroyResource(world, data.path, data.recursive),
  ),
];
