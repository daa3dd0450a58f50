/** Making snapshots, and datasets out of them. */
import { z } from "zod";
import { CallError, type Problem, refuse, ValidationError } from "../call-error.ts";
import { readSnapshot } from "../objects.ts";
import { takeSnapshot } from "../snapshotting.ts";
import { snapshotEntry } from "../snapshot-shape.ts";
import { adoptImage } from "../volume-image.ts";
import type { World } from "../world.ts";
import { failedTo } from "../zfs-refusal.ts";
import { isZfsError } from "../../../zfs/zfs-error.ts";
import { snapshotMethod } from "./snapshot-namespace.ts";
import { snapshotInstance } from "./snapshot-query.ts";

const createSchema = z.strictObject({
  dataset: z.string().min(1),
  name: z.string().min(1).optional(),
  naming_schema: z.string().min(1).optional(),
  recursive: z.boolean().default(false),
  exclude: z.array(z.string()).default([]),
  vmware_sync: z.boolean().default(false),
  suspend_vms: z.boolean().default(false),
  properties: z.record(z.string(), z.string()).default({}),
});

type Creation = z.output<typeof createSchema>;

const two = (value: number): string => String(value).padStart(2, "0");

/** A name out of a schema, in the NAS' local time. */
const nameFrom = (schema: string, now: Date): string =>
  schema
    .replaceAll("%Y", String(now.getFullYear()))
    .replaceAll("%m", two(now.getMonth() + 1))
    .replaceAll("%d", two(now.getDate()))
    .replaceAll("%H", two(now.getHours()))
    .replaceAll("%M", two(now.getMinutes()))
    .replaceAll("%S", two(now.getSeconds()))
    .replaceAll("%s", String(Math.floor(now.getTime() / 1000)));

const validName = /^[A-Za-z0-9 _.:-]+$/;
const longestName = 255;

const problemsOf = (wanted: Creation): readonly Problem[] => {
  const problems: Problem[] = [];
  const at = (field: string, message: string): void =>
    void problems.push({ attribute: `snapshot_create.${field}`, message, errname: "EINVAL" });
  if (wanted.name !== undefined && wanted.naming_schema !== undefined)
    at("naming_schema", "You can't specify name and naming schema at the same time");
  if (wanted.name === undefined && wanted.naming_schema === undefined)
    at("naming_schema", "You must specify either name or naming schema");
  if (wanted.exclude.length > 0 && !wanted.recursive)
    at("exclude", "This option has no sense for non-recursive snapshots");
  if (wanted.exclude.length > 0 && wanted.vmware_sync)
    at("vmware_sync", "This option is not supported when excluding datasets");
  if (wanted.exclude.length > 0 && Object.keys(wanted.properties).length > 0)
    at("properties", "This option is not supported when excluding datasets");
  if (
    wanted.name !== undefined &&
    !(validName.test(wanted.name) && `${wanted.dataset}@${wanted.name}`.length <= longestName)
  )
    at("name", "Invalid snapshot name");
  return problems;
};

/** Up to 25.10. */
const create = async (world: World, wanted: Creation, name: string): Promise<object> => {
  const full = `${wanted.dataset}@${name}`;
  await failedTo(`snapshot ${full}`, () => takeSnapshot(world, { ...wanted, name }), { exists: "EEXIST" });
  return snapshotInstance(world, full);
};

/** 26 says that a name is taken in a validation error, and of a dataset that is not there only that it is not found. */
const create26 = async (world: World, wanted: Creation, name: string): Promise<object> => {
  try {
    await takeSnapshot(world, { ...wanted, name });
  } catch (error) {
    if (isZfsError(error, "exists"))
      throw new ValidationError("pool.snapshot.create", `${name} already exists.`, "EEXIST");
    if (isZfsError(error, "missing")) throw new Error(`'${wanted.dataset}' not found`, { cause: error });
    throw error;
  }
  const made = await readSnapshot(world, `${wanted.dataset}@${name}`);
  if (made === undefined) throw new Error(`'${wanted.dataset}@${name}' not found`);
  return snapshotEntry(made, { properties: ["creation", "createtxg"], holds: undefined }, world.release);
};

const cloneSchema = z.strictObject({
  snapshot: z.string().min(1),
  dataset_dst: z.string().min(1),
  dataset_properties: z.record(z.string(), z.union([z.string(), z.number()]).transform(String)).default({}),
});

/** Makes the clone and mounts it; a volume's clone is a volume. Throws `ZfsError`s. */
export const makeClone = async (
  world: World,
  {
    snapshot,
    dataset,
    properties,
  }: { readonly snapshot: string; readonly dataset: string; readonly properties: Readonly<Record<string, string>> },
): Promise<void> => {
  const origin = await readSnapshot(world, snapshot);
  await world.zfs.clone(snapshot, dataset, properties);
  if (origin?.volsize !== undefined) await adoptImage(world, dataset);
};

const clone = async (world: World, wanted: z.output<typeof cloneSchema>): Promise<true> => {
  const { snapshot, dataset_dst: dataset, dataset_properties: properties } = wanted;
  if ((await readSnapshot(world, snapshot)) === undefined) {
    if (world.release === "26.0") throw new Error(`'${snapshot}' not found`);
    throw new CallError(`Failed to clone snapshot: Snapshot ${snapshot} not found`);
  }
  if (world.release === "26.0" && (await world.zfs.exists(dataset))) throw new Error(`'${dataset}' already exists`);
  await failedTo("clone snapshot", () => makeClone(world, { snapshot, dataset, properties }));
  return true;
};

export const snapshotCreateMethods = [
  ...snapshotMethod("create", ["SNAPSHOT_WRITE"], { data: createSchema }, async ({ world }, { data }) => {
    refuse(problemsOf(data));
    const name = data.name ?? nameFrom(data.naming_schema ?? "", new Date());
    return world.release === "26.0" ? create26(world, data, name) : create(world, data, name);
  }),
  ...snapshotMethod("clone", ["SNAPSHOT_WRITE", "DATASET_WRITE"], { data: cloneSchema }, ({ world }, { data }) =>
    clone(world, data),
  ),
];
