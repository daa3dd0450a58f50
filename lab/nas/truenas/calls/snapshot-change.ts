/** Holding, releasing, renaming, changing and going back to snapshots. */
import { z } from "zod";
import { CallError, type Problem, refuse, ValidationError } from "../call-error.ts";
import { holdSnapshot, releaseSnapshot } from "../holding.ts";
import { ownTag } from "../hold-tags.ts";
import { flags, method } from "../method.ts";
import { readSnapshot } from "../objects.ts";
import { from } from "../release.ts";
import { rollBack, withSnapshot } from "../rollback.ts";
import type { World } from "../world.ts";
import { failedCommand, failedTo } from "../zfs-refusal.ts";
import { renameRisk } from "./dataset-change.ts";
import { rollBack26 } from "./resource-rollback.ts";
import { snapshotMethod } from "./snapshot-namespace.ts";
import { snapshotInstance } from "./snapshot-query.ts";

const missing = (world: World, what: string, id: string): Error =>
  world.release === "26.0"
    ? new Error(`'${id}' not found`)
    : new CallError(`Failed to ${what} snapshot: Snapshot ${id} not found`);

/** Throws, in the release's words, when it is not there. */
const requireSnapshot = async (world: World, what: string, id: string): Promise<void> => {
  if ((await readSnapshot(world, id)) === undefined) throw missing(world, what, id);
};

const hold = async (world: World, id: string, recursive: boolean): Promise<null> => {
  await requireSnapshot(world, "hold", id);
  await failedTo("hold snapshot", () => holdSnapshot(world, { path: id, tag: ownTag, recursive }));
  return null;
};

/** All tags, whoever set them. */
const release = async (world: World, id: string, recursive: boolean): Promise<null> => {
  await requireSnapshot(world, "release", id);
  await failedTo("release snapshot", () => releaseSnapshot(world, { path: id, tag: undefined, recursive }));
  return null;
};

const rollbackOptions = flags("recursive", "recursive_clones", "force", "recursive_rollback");
type RollbackWish = z.output<typeof rollbackOptions>;

const rollback = async (world: World, id: string, options: RollbackWish): Promise<null> => {
  const [dataset = "", name = ""] = id.split("@");
  // Children without the snapshot are left out without a word.
  const all = options.recursive_rollback ? await withSnapshot(world, dataset, name) : [id];
  const wish = { newerSnapshots: options.recursive, clones: options.recursive_clones, force: options.force };
  for (const one of all) await failedCommand("rollback snapshot", () => rollBack(world, one, wish));
  return null;
};

const propertyChange = z.strictObject({
  key: z.string().regex(/.*:.*/),
  value: z.string().optional(),
  remove: z.boolean().optional(),
});

const updateSchema = z.strictObject({
  user_properties_update: z.array(propertyChange).default([]),
  user_properties_remove: z.array(z.string().regex(/.*:.*/)).default([]),
});

type Update = z.output<typeof updateSchema>;

const update = async (world: World, id: string, data: Update): Promise<unknown> => {
  // 26 takes the call and does nothing: its body is commented out.
  if (world.release === "26.0") return null;
  const problems = data.user_properties_update.flatMap(({ value, remove }, index): readonly Problem[] =>
    value === undefined || remove === undefined
      ? []
      : [
          {
            attribute: `snapshot_update.user_properties_update.${index}.remove`,
            message: "Must not be set when value is specified",
            errname: "EINVAL",
          },
        ],
  );
  refuse(problems);
  if ((await readSnapshot(world, id)) === undefined) throw new CallError(`Snapshot ${id} not found`);
  for (const { key, value } of data.user_properties_update)
    await (value === undefined ? world.zfs.inherit(id, key) : world.zfs.set(id, { [key]: value }));
  for (const key of data.user_properties_remove) await world.zfs.inherit(id, key);
  return snapshotInstance(world, id);
};

const renameSchema = z.strictObject({
  new_name: z.string().min(1),
  recursive: z.boolean().default(false),
  force: z.boolean().default(false),
});

const rename = async (world: World, id: string, options: z.output<typeof renameSchema>): Promise<null> => {
  if (!options.force) throw new ValidationError("pool.snapshot.rename.force", renameRisk);
  if (options.new_name.split("@")[0] !== id.split("@")[0]) {
    const message = "Old and new snapshot must be part of the same ZFS dataset";
    throw new ValidationError("pool.snapshot.rename.new_name", message);
  }
  await requireSnapshot(world, "rename", id);
  await failedTo("rename snapshot", () => world.zfs.rename(id, options.new_name));
  return null;
};

export const snapshotChangeMethods = [
  ...snapshotMethod(
    "hold",
    ["SNAPSHOT_WRITE"],
    { id: z.string(), options: flags("recursive") },
    ({ world }, { id, options }) => hold(world, id, options.recursive),
  ),
  ...snapshotMethod(
    "release",
    ["SNAPSHOT_WRITE"],
    { id: z.string(), options: flags("recursive") },
    ({ world }, { id, options }) => release(world, id, options.recursive),
  ),
  ...snapshotMethod(
    "rollback",
    ["SNAPSHOT_WRITE", "POOL_WRITE"],
    { id: z.string(), options: rollbackOptions },
    ({ world }, { id, options }) =>
      world.release === "26.0" ? rollBack26(world, id, options) : rollback(world, id, options),
  ),
  ...snapshotMethod("update", ["SNAPSHOT_WRITE"], { id: z.string(), data: updateSchema }, ({ world }, { id, data }) =>
    update(world, id, data),
  ),
  method(
    "pool.snapshot.rename",
    { releases: from("25.10"), access: ["SNAPSHOT_WRITE"] },
    { id: z.string(), options: renameSchema },
    ({ world }, { id, options }) => rename(world, id, options),
  ),
];
