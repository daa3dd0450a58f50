/** Changing datasets: `pool.dataset.update`, `promote`, `rename`. */
import { z } from "zod";
import { CallError, type Problem, refuse, ValidationError } from "../call-error.ts";
import { method } from "../method.ts";
import { type DatasetObject, readDataset } from "../objects.ts";
import { from, releases } from "../release.ts";
import { renameTree } from "../../../zfs/renaming.ts";
import { setVolsize } from "../volume-image.ts";
import type { World } from "../world.ts";
import { failedTo } from "../zfs-refusal.ts";
import { datasetName, inheritedSwitches, quota, switchProperties, switchValues } from "./dataset-properties.ts";
import { datasetInstance } from "./dataset-query.ts";

const userProperty = z.strictObject({
  key: z.string().regex(/.*:.*/),
  value: z.string().optional(),
  remove: z.boolean().optional(),
});

const updateSchema = z.strictObject({
  volsize: z.int().optional(),
  force_size: z.boolean().optional(),
  quota,
  refquota: quota,
  reservation: z.int().optional(),
  refreservation: z.int().optional(),
  comments: z.string().optional(),
  recordsize: z.string().optional(),
  ...switchProperties,
  user_properties: z.array(userProperty).optional(),
  user_properties_update: z.array(userProperty).default([]),
});

type Update = z.output<typeof updateSchema>;

const problemsOf = (id: string, dataset: DatasetObject | undefined, wanted: Update): readonly Problem[] => {
  if (dataset === undefined) return [{ attribute: "id", message: `${id} does not exist`, errname: "ENOENT" }];
  const at = (field: string, message: string): Problem => ({
    attribute: `pool_dataset_update.${field}`,
    message,
    errname: "EINVAL",
  });
  if (dataset.type === "FILESYSTEM")
    return wanted.volsize === undefined ? [] : [at("volsize", "This field is not valid for FILESYSTEM")];
  const wrong = (["quota", "refquota", "recordsize", "atime"] as const)
    .filter((field) => wanted[field] !== undefined)
    .map((field) => at(field, "This field is not valid for VOLUME"));
  if (wanted.volsize === undefined || dataset.volsize === undefined || wanted.volsize >= dataset.volsize) return wrong;
  return [...wrong, at("volsize", "You cannot shrink a zvol from GUI, this may lead to data loss.")];
};

const size = (bytes: number | null): string => (bytes === null || bytes === 0 ? "none" : String(bytes));

const update = async (world: World, id: string, wanted: Update): Promise<unknown> => {
  const { zfs } = world;
  refuse(problemsOf(id, await readDataset(world, id), wanted));
  const changes = [...(wanted.user_properties ?? []), ...wanted.user_properties_update];
  await failedTo("update dataset", async () => {
    for (const { key, value } of changes) {
      if (value === undefined) await zfs.inherit(id, key);
      else await zfs.set(id, { [key]: value });
    }
    for (const property of inheritedSwitches(wanted)) await zfs.inherit(id, property);
    await zfs.set(id, switchValues(wanted));
    if (wanted.quota !== undefined) await zfs.set(id, { quota: size(wanted.quota) });
    if (wanted.refquota !== undefined) await zfs.set(id, { refquota: size(wanted.refquota) });
  });
  if (wanted.volsize !== undefined) await setVolsize(world, id, wanted.volsize);
  return datasetInstance(world, id);
};

const promote = async (world: World, id: string): Promise<null> => {
  const dataset = await readDataset(world, id);
  const isClone = (dataset?.properties.get("origin")?.value ?? "-") !== "-";
  if (world.release === "26.0") {
    if (dataset === undefined) throw new ValidationError("zfs.resource.promote", `'${id}' not found`, "ENOENT");
    if (!isClone) throw new ValidationError("zfs.resource.promote", `'${id}' is ineligible for promotion.`);
  } else {
    if (dataset === undefined) throw new CallError(`Dataset "${id}" does not exist.`, "ENOENT");
    if (!isClone) throw new CallError("Only cloned datasets can be promoted.", "EBADMSG");
  }
  await failedTo("promote dataset", () => world.zfs.promote(id));
  return null;
};

export const renameRisk =
  "No safety checks are performed when renaming ZFS resources; this may break existing usages. If you understand the risks, please set force and proceed.";

const renameSchema = z.strictObject({
  new_name: datasetName,
  recursive: z.boolean().default(false),
  force: z.boolean().default(false),
});

/** 26 says what is wrong in validation errors, before in call errors. */
const renameProblem = async (world: World, id: string, newName: string): Promise<void> => {
  if (!(await world.zfs.exists(id))) {
    if (world.release === "26.0") throw new ValidationError("zfs.resource.rename", `'${id}' not found`, "ENOENT");
    throw new CallError(`Dataset '${id}' not found`, "ENOENT");
  }
  if (world.release === "26.0" && (await world.zfs.exists(newName)))
    throw new ValidationError("zfs.resource.rename", `'${newName}' already exists`, "EEXIST");
};

const rename = async (world: World, id: string, options: z.output<typeof renameSchema>): Promise<null> => {
  if (!options.force) throw new ValidationError("pool.dataset.rename.force", renameRisk);
  await renameProblem(world, id, options.new_name);
  await failedTo("rename dataset", () => renameTree(world.zfs, id, options.new_name));
  return null;
};

export const datasetChangeMethods = [
  method(
    "pool.dataset.update",
    { releases, access: ["DATASET_WRITE"] },
    { id: z.string(), data: updateSchema },
    ({ world }, { id, data }) => update(world, id, data),
  ),
  method("pool.dataset.promote", { releases, access: ["DATASET_WRITE"] }, { id: z.string() }, ({ world }, { id }) =>
    promote(world, id),
  ),
  method(
    "pool.dataset.rename",
    { releases: from("25.10"), access: ["DATASET_WRITE"] },
    { id: z.string(), options: renameSchema },
    ({ world }, { id, options }) => rename(world, id, options),
  ),
];
