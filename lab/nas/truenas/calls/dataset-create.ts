/** Making datasets: `pool.dataset.create`. */
import { z } from "zod";
import { type Problem, ValidationErrors, refuse } from "../call-error.ts";
import { method } from "../method.ts";
import { readDataset } from "../objects.ts";
import { releases } from "../release.ts";
import { setVolsize } from "../volume-image.ts";
import type { World } from "../world.ts";
import { failedTo } from "../zfs-refusal.ts";
import { datasetInstance } from "./dataset-query.ts";
import { datasetName, quota, switchProperties, switchValues } from "./dataset-properties.ts";

const longestName = 200;

const userProperty = z.strictObject({ key: z.string().regex(/.*:.*/), value: z.string() });

const createSchema = z.strictObject({
  name: datasetName,
  type: z.enum(["FILESYSTEM", "VOLUME"]).default("FILESYSTEM"),
  volsize: z.int().optional(),
  volblocksize: z.string().optional(),
  sparse: z.boolean().optional(),
  force_size: z.boolean().optional(),
  quota,
  refquota: quota,
  reservation: z.int().optional(),
  refreservation: z.int().optional(),
  recordsize: z.string().optional(),
  comments: z.string().optional(),
  ...switchProperties,
  share_type: z.enum(["GENERIC", "MULTIPROTOCOL", "NFS", "SMB", "APPS"]).default("GENERIC"),
  user_properties: z.array(userProperty).default([]),
  create_ancestors: z.boolean().default(false),
  encryption: z.literal(false).default(false),
  inherit_encryption: z.boolean().default(true),
});

type Creation = z.output<typeof createSchema>;

const parentOf = (name: string): string => name.slice(0, name.lastIndexOf("/"));

const problemsOf = async (world: World, wanted: Creation): Promise<readonly Problem[]> => {
  const at = (field: string, message: string): Problem => ({
    attribute: `pool_dataset_create.${field}`,
    message,
    errname: "EINVAL",
  });
  const parentName = parentOf(wanted.name);
  const parent = await readDataset(world, parentName);
  if (parent === undefined) {
    if (wanted.create_ancestors && (await readDataset(world, wanted.name.split("/")[0] ?? "")) !== undefined) return [];
    if (wanted.create_ancestors)
      return [at("name", "Please specify a pool which exists for the dataset/volume to be created")];
    const what = parentName.includes("/") ? "Parent dataset" : "zpool";
    return [at("name", `${what} (${parentName}) does not exist.`)];
  }
  if (parent.properties.get("readonly")?.value === "on")
    return [at("readonly", `Turn off readonly mode on ${parentName} to create ${wanted.name.split("/")[0]}`)];
  if (wanted.type === "FILESYSTEM")
    return (["force_size", "sparse", "volsize", "volblocksize"] as const)
      .filter((field) => wanted[field] !== undefined)
      .map((field) => at(field, "This field is not valid for FILESYSTEM"));
  const available = Number(parent.properties.get("available")?.value ?? 0);
  if (wanted.volsize !== undefined && wanted.volsize > available * 0.8 && wanted.force_size !== true)
    return [at("volsize", "It is not recommended to use more than 80% of your available space for VOLUME")];
  return [];
};

const zfsProperties = (wanted: Creation): Readonly<Record<string, string>> => ({
  ...Object.fromEntries(wanted.user_properties.map(({ key, value }) => [key, value])),
  ...switchValues(wanted),
  ...(wanted.recordsize === undefined || wanted.recordsize === "INHERIT" ? {} : { recordsize: wanted.recordsize }),
  ...(wanted.quota == null ? {} : { quota: String(wanted.quota) }),
  ...(wanted.refquota == null ? {} : { refquota: String(wanted.refquota) }),
});

const makeAncestors = async (world: World, name: string): Promise<void> => {
  const parent = parentOf(name);
  if (await world.zfs.exists(parent)) return;
  await makeAncestors(world, parent);
  await world.zfs.create(parent);
};

const create = async (world: World, wanted: Creation): Promise<unknown> => {
  if (wanted.name.length > longestName) {
    const message = `Dataset name length should be less than or equal to ${longestName}`;
    throw new ValidationErrors([{ attribute: "pool_dataset_create.name", message, errname: "EINVAL" }]);
  }
  if (wanted.type === "VOLUME" && wanted.volsize === undefined)
    throw new ValidationErrors([{ attribute: "data.volsize", message: "Field required", errname: "EINVAL" }]);
  refuse(await problemsOf(world, wanted));
  await failedTo("create dataset", async () => {
    if (wanted.create_ancestors) await makeAncestors(world, wanted.name);
    await world.zfs.create(wanted.name, zfsProperties(wanted));
  });
  if (wanted.volsize !== undefined) await setVolsize(world, wanted.name, wanted.volsize);
  return datasetInstance(world, wanted.name);
};

export const datasetCreateMethods = [
  method(
    "pool.dataset.create",
    { releases, access: ["DATASET_WRITE"] },
    { data: createSchema },
    ({ world }, { data }) => create(world, data),
  ),
];
