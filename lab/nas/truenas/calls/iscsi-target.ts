/** `iscsi.target.*` and `iscsi.targetextent.*`: what initiators log in to, and which extent is which LUN of it. */
import { z } from "zod";
import type { IscsiTarget, IscsiTargetExtent } from "../../../csi/nas-exports.ts";
import { CallError, instanceNotFound, type Problem, refuse } from "../call-error.ts";
import { filterList, filtersSchema, optionsSchema } from "../filters.ts";
import { method } from "../method.ts";
import { releases } from "../release.ts";
import type { World } from "../world.ts";
import { removeExtent } from "./iscsi-extent.ts";
import { targetsInUse } from "./iscsi-global.ts";
import { defined } from "./nfs.ts";

const group = z.strictObject({
  portal: z.int(),
  initiator: z.int().nullable().default(null),
  authmethod: z.enum(["NONE", "CHAP", "CHAP_MUTUAL"]).default("NONE"),
  auth: z.int().nullable().default(null),
});

const longestName = 120;

const changeSchema = z
  .strictObject({
    name: z.string().min(1).max(longestName),
    alias: z.string().nullable(),
    mode: z.enum(["ISCSI", "FC", "BOTH"]),
    groups: z.array(group),
    auth_networks: z.array(z.string()),
    iscsi_parameters: z.null(),
  })
  .partial();
const createSchema = changeSchema.required({ name: true });

type Change = z.output<typeof changeSchema>;

const entry = (target: IscsiTarget): Readonly<Record<string, unknown>> => ({
  mode: "ISCSI",
  groups: [],
  auth_networks: [],
  rel_tgt_id: target.id,
  iscsi_parameters: null,
  ...target,
});

const service = "iSCSITarget";

const targetOf = async ({ exports }: World, id: number): Promise<IscsiTarget> => {
  const target = (await exports.query("target")).find((one) => one.id === id);
  if (target === undefined) throw instanceNotFound(service, id);
  return target;
};

const groupProblems = async (world: World, schema: string, data: Change): Promise<readonly Problem[]> => {
  const { portals, initiators } = await world.state.read();
  return (data.groups ?? []).flatMap(({ portal, initiator }, index): readonly Problem[] => {
    const at = (field: string, message: string): Problem => ({
      attribute: `${schema}.groups.${index}.${field}`,
      message,
      errname: "ENOENT",
    });
    if (!portals.some(({ id }) => id === portal)) return [at("portal", `${portal} Portal not found in database`)];
    if (initiator === null || initiators.some(({ id }) => id === initiator)) return [];
    return [at("initiator", `${initiator} Initiator not found in database`)];
  });
};

const problemsOf = async (world: World, schema: string, data: Change, own?: number): Promise<readonly Problem[]> => {
  const at = (field: string, message: string): Problem => ({
    attribute: `${schema}.${field}`,
    message,
    errname: "EINVAL",
  });
  const others = (await world.exports.query("target")).filter(({ id }) => id !== own);
  const problems = [...(await groupProblems(world, schema, data))];
  const { name, alias } = data;
  if (name !== undefined && !/^[-a-z0-9.:]+$/.test(name))
    problems.push(
      at("name", "Only lowercase alphanumeric characters plus dot (.), dash (-), and colon (:) are allowed."),
    );
  else if (others.some((one) => one.name === name)) {
    // The words changed; drivers that look for the old ones fall over the new.
    const fresh = world.release === "25.10" || world.release === "26.0";
    problems.push(at("name", fresh ? "Target with this name already exists" : "Target name already exists"));
  }
  if (alias != null && others.some((one) => one.alias === alias)) problems.push(at("alias", "Alias already exists"));
  return problems;
};

const remove = async (world: World, id: number, force: boolean, withExtents: boolean): Promise<true> => {
  const target = await targetOf(world, id);
  if (!force && (await targetsInUse(world, [target.name])).length > 0)
    throw new CallError(`Target ${target.name} is in use.`);
  const mappings = (await world.exports.query("targetextent")).filter((mapping) => mapping.target === id);
  await world.exports.remove("target", id);
  if (withExtents) for (const { extent } of mappings) await removeExtent(world, extent, force);
  return true;
};

const mappingSchema = z.strictObject({ target: z.int(), extent: z.int(), lunid: z.int().nullable() }).partial();

type Mapping = z.output<typeof mappingSchema>;

const mappingService = "iSCSITargetToExtent";

const mappingEntry = ({ id, target, extent, lunid }: IscsiTargetExtent): Readonly<Record<string, unknown>> => ({
  id,
  target,
  extent,
  lunid,
});

const mappingOf = async ({ exports }: World, id: number): Promise<IscsiTargetExtent> => {
  const mapping = (await exports.query("targetextent")).find((one) => one.id === id);
  if (mapping === undefined) throw instanceNotFound(mappingService, id);
  return mapping;
};

const largestLun = 16_382;

const mappingProblems = async (
  { exports }: World,
  schema: string,
  wanted: Omit<IscsiTargetExtent, "id">,
  own?: number,
): Promise<readonly Problem[]> => {
  const at = (field: string, message: string): Problem => ({
    attribute: `${schema}.${field}`,
    message,
    errname: "EINVAL",
  });
  const others = (await exports.query("targetextent")).filter(({ id }) => id !== own);
  const problems: Problem[] = [];
  if (wanted.lunid < 0 || wanted.lunid > largestLun)
    problems.push(at("lunid", `LUN ID must be a positive integer and lower than ${largestLun}`));
  if (others.some(({ lunid, target }) => lunid === wanted.lunid && target === wanted.target))
    problems.push(at("lunid", "LUN ID is already being used for this target."));
  if (others.some(({ extent }) => extent === wanted.extent)) problems.push(at("extent", "Extent is already in use."));
  return problems;
};

/** The lowest LUN of a target that is free. */
const freeLun = async ({ exports }: World, target: number): Promise<number> => {
  const used = new Set(
    (await exports.query("targetextent")).filter((one) => one.target === target).map(({ lunid }) => lunid),
  );
  for (let lun = 0; ; lun += 1) if (!used.has(lun)) return lun;
};

const createMapping = async (world: World, data: Mapping & { readonly target: number; readonly extent: number }) => {
  const { target, extent } = data;
  const wanted = { target, extent, lunid: data.lunid ?? (await freeLun(world, target)) };
  refuse(await mappingProblems(world, "iscsi_targetextent_create", wanted));
  return world.exports.create("targetextent", wanted);
};

const updateMapping = async (world: World, id: number, data: Mapping) => {
  const present = await mappingOf(world, id);
  const { target = present.target, extent = present.extent } = data;
  const wanted = { target, extent, lunid: data.lunid ?? present.lunid };
  refuse(await mappingProblems(world, "iscsi_targetextent_update", wanted, id));
  return world.exports.update("targetextent", id, wanted);
};

const removeMapping = async (world: World, id: number, force: boolean): Promise<true> => {
  const { target } = await mappingOf(world, id);
  const { name } = await targetOf(world, target);
  if (!force && (await targetsInUse(world, [name])).length > 0)
    throw new CallError(`Associated target ${name} is in use.`);
  await world.exports.remove("targetextent", id);
  return true;
};

const reading = { releases, access: ["SHARING_ISCSI_TARGET_READ"] } as const;
const writing = { releases, access: ["SHARING_ISCSI_TARGET_WRITE"] } as const;
const readingMappings = { releases, access: ["SHARING_ISCSI_TARGETEXTENT_READ"] } as const;
const writingMappings = { releases, access: ["SHARING_ISCSI_TARGETEXTENT_WRITE"] } as const;
const query = { filters: filtersSchema, options: optionsSchema } as const;
const byId = { id: z.int(), options: optionsSchema } as const;

export const iscsiTargetMethods = [
  method("iscsi.target.query", reading, query, async ({ world }, { filters, options }) =>
    filterList((await world.exports.query("target")).map(entry), filters, options),
  ),
  method("iscsi.target.get_instance", reading, byId, async ({ world }, { id }) => entry(await targetOf(world, id))),
  method("iscsi.target.create", writing, { iscsi_target_create: createSchema }, async ({ world }, args) => {
    const { iscsi_parameters: _parameters, ...data } = args.iscsi_target_create;
    refuse(await problemsOf(world, "iscsi_target_create", data));
    return entry(await world.exports.create("target", { alias: null, ...defined(data), name: data.name }));
  }),
  method(
    "iscsi.target.update",
    writing,
    { id: z.int(), iscsi_target_update: changeSchema },
    async ({ world }, args) => {
      const { iscsi_parameters: _parameters, ...data } = args.iscsi_target_update;
      await targetOf(world, args.id);
      refuse(await problemsOf(world, "iscsi_target_update", data, args.id));
      return entry(await world.exports.update("target", args.id, defined(data)));
    },
  ),
  method(
    "iscsi.target.delete",
    writing,
    { id: z.int(), force: z.boolean().default(false), delete_extents: z.boolean().default(false) },
    ({ world }, { id, force, delete_extents: extents }) => remove(world, id, force, extents),
  ),
];

export const iscsiTargetExtentMethods = [
  method("iscsi.targetextent.query", readingMappings, query, async ({ world }, { filters, options }) =>
    filterList((await world.exports.query("targetextent")).map(mappingEntry), filters, options),
  ),
  method("iscsi.targetextent.get_instance", readingMappings, byId, ({ world }, { id }) => mappingOf(world, id)),
  method(
    "iscsi.targetextent.create",
    writingMappings,
    { iscsi_target_to_extent_create: mappingSchema.required({ target: true, extent: true }) },
    ({ world }, args) => createMapping(world, args.iscsi_target_to_extent_create),
  ),
  method(
    "iscsi.targetextent.update",
    writingMappings,
    { id: z.int(), iscsi_target_to_extent_update: mappingSchema },
    ({ world }, args) => updateMapping(world, args.id, args.iscsi_target_to_extent_update),
  ),
  method(
    "iscsi.targetextent.delete",
    writingMappings,
    { id: z.int(), force: z.boolean().default(false) },
    ({ world }, { id, force }) => removeMapping(world, id, force),
  ),
];
