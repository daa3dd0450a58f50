/** `iscsi.extent.*`: disks that can be a target's LUN. */
import { createHash } from "node:crypto";
import { z } from "zod";
import type { IscsiExtent } from "../../../csi/nas-exports.ts";
import { CallError, instanceNotFound, type Problem, refuse } from "../call-error.ts";
import { filterList, filtersSchema, optionsSchema } from "../filters.ts";
import { method } from "../method.ts";
import { readDataset, readSnapshot } from "../objects.ts";
import { releases } from "../release.ts";
import type { World } from "../world.ts";
import { targetsInUse } from "./iscsi-global.ts";
import { defined } from "./nfs.ts";

const longestName = 64;

const changeSchema = z
  .strictObject({
    name: z.string().min(1).max(longestName),
    type: z.literal("DISK"),
    disk: z.string().nullable(),
    serial: z.string().nullable(),
    path: z.string().nullable(),
    filesize: z.union([z.string(), z.int()]),
    blocksize: z.union([z.literal(512), z.literal(1024), z.literal(2048), z.literal(4096)]),
    pblocksize: z.boolean(),
    avail_threshold: z.int().min(1).max(99).nullable(),
    comment: z.string(),
    insecure_tpc: z.boolean(),
    xen: z.boolean(),
    rpm: z.enum(["UNKNOWN", "SSD", "5400", "7200", "10000", "15000"]),
    ro: z.boolean(),
    enabled: z.boolean(),
    product_id: z.string().nullable(),
  })
  .partial();
const createSchema = changeSchema.required({ name: true });

type Change = z.output<typeof changeSchema>;

const entry = (extent: IscsiExtent): Readonly<Record<string, unknown>> => ({
  type: "DISK",
  path: extent.disk,
  filesize: "0",
  blocksize: 512,
  pblocksize: false,
  avail_threshold: null,
  insecure_tpc: true,
  xen: false,
  rpm: "SSD",
  ro: false,
  vendor: "TrueNAS",
  product_id: "iSCSI Disk",
  locked: false,
  serial: "",
  naa: "",
  ...extent,
});

const extentOf = async ({ exports }: World, id: number): Promise<IscsiExtent> => {
  const extent = (await exports.query("extent")).find((one) => one.id === id);
  if (extent === undefined) throw instanceNotFound("iSCSITargetExtent", id);
  return extent;
};

const isVolume = async (world: World, name: string): Promise<boolean> =>
  ((await (name.includes("@") ? readSnapshot(world, name) : readDataset(world, name)))?.volsize ?? 0) > 0;

const diskProblem = async (
  world: World,
  { disk, ro }: Change,
  others: readonly IscsiExtent[],
): Promise<readonly [string, string] | undefined> => {
  if (disk == null || disk === "") return ["disk", "This field is required"];
  if (!disk.startsWith("zvol/")) return ["disk", 'Disk name must start with "zvol/"'];
  const name = disk.slice("zvol/".length);
  if (!(await isVolume(world, name))) return ["disk", `Device '/dev/${disk}' for volume '${name}' does not exist`];
  if (name.includes("@") && ro !== true) return ["ro", "Must be set when disk is a ZFS Snapshot"];
  const used = others.find((one) => one.disk === disk);
  return used === undefined ? undefined : ["disk", `Disk currently in use by extent ${used.name}`];
};

const problemsOf = async (world: World, schema: string, data: Change, own?: number): Promise<readonly Problem[]> => {
  const at = (field: string, message: string): Problem => ({
    attribute: `${schema}.${field}`,
    message,
    errname: "EINVAL",
  });
  const others = (await world.exports.query("extent")).filter(({ id }) => id !== own);
  const problems: Problem[] = [];
  if (others.some(({ name }) => name === data.name)) problems.push(at("name", "Extent name must be unique"));
  // A change that does not name the disk leaves it as it is.
  if (own === undefined || data.disk !== undefined) {
    const problem = await diskProblem(world, data, others);
    if (problem !== undefined) problems.push(at(...problem));
  }
  return problems;
};

/** Two extents never have the same: multipath would take them for one disk. */
const serialOf = (name: string, disk: string): { readonly serial: string; readonly naa: string } => {
  const hash = createHash("sha256").update(`${name}\n${disk}\n${Date.now()}`).digest("hex");
  return { serial: hash.slice(0, 15), naa: `0x6589cfc000000${hash.slice(15, 34)}` };
};

/** What of a wish is kept: everything but what only extents on files have. */
const kept = ({ type: _type, path: _path, filesize: _size, product_id: _product, disk, serial, ...rest }: Change) =>
  defined({ ...rest, disk: disk ?? undefined, serial: serial ?? undefined });

const create = async (world: World, data: Change & { readonly name: string }): Promise<object> => {
  refuse(await problemsOf(world, "iscsi_extent_create", data));
  const disk = data.disk ?? "";
  const fields = { comment: "", enabled: true, ...serialOf(data.name, disk), ...kept(data), name: data.name, disk };
  return entry(await world.exports.create("extent", fields));
};

const update = async (world: World, id: number, data: Change): Promise<object> => {
  await extentOf(world, id);
  refuse(await problemsOf(world, "iscsi_extent_update", data, id));
  return entry(await world.exports.update("extent", id, kept(data)));
};

/** Removes an extent with its associations. Throws while an initiator uses one of its targets, unless forced. */
export const removeExtent = async (world: World, id: number, force: boolean): Promise<true> => {
  await extentOf(world, id);
  const mappings = (await world.exports.query("targetextent")).filter(({ extent }) => extent === id);
  const targets = (await world.exports.query("target")).filter((one) =>
    mappings.some(({ target }) => target === one.id),
  );
  const used = await targetsInUse(
    world,
    targets.map(({ name }) => name),
  );
  if (used.length > 0 && !force)
    throw new CallError(`Associated target(s) ${used.join(",")} ${used.length === 1 ? "is" : "are"} in use.`);
  await world.exports.remove("extent", id);
  return true;
};

const reading = { releases, access: ["SHARING_ISCSI_EXTENT_READ"] } as const;
const writing = { releases, access: ["SHARING_ISCSI_EXTENT_WRITE"] } as const;

export const iscsiExtentMethods = [
  method(
    "iscsi.extent.query",
    reading,
    { filters: filtersSchema, options: optionsSchema },
    async ({ world }, { filters, options }) =>
      filterList((await world.exports.query("extent")).map(entry), filters, options),
  ),
  method("iscsi.extent.get_instance", reading, { id: z.int(), options: optionsSchema }, async ({ world }, { id }) =>
    entry(await extentOf(world, id)),
  ),
  method("iscsi.extent.create", writing, { iscsi_extent_create: createSchema }, ({ world }, args) =>
    create(world, args.iscsi_extent_create),
  ),
  method("iscsi.extent.update", writing, { id: z.int(), iscsi_extent_update: changeSchema }, ({ world }, args) =>
    update(world, args.id, args.iscsi_extent_update),
  ),
  method(
    "iscsi.extent.delete",
    writing,
    { id: z.int(), remove: z.boolean().default(false), force: z.boolean().default(false) },
    ({ world }, { id, force }) => removeExtent(world, id, force),
  ),
];
