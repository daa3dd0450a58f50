/** `sharing.nfs.*`: the NFS shares. One for each path, as long as none names hosts or networks. */
import { z } from "zod";
import { ExportExists, ExportMissing, type NfsShare } from "../../../csi/nas-exports.ts";
import { instanceNotFound, type Problem, refuse, ValidationErrors } from "../call-error.ts";
import { filterList, filtersSchema, optionsSchema } from "../filters.ts";
import { method } from "../method.ts";
import { releases } from "../release.ts";
import type { World } from "../world.ts";

const fields = {
  path: z.string().min(1),
  aliases: z.array(z.string()),
  comment: z.string(),
  networks: z.array(z.string()),
  hosts: z.array(z.string()),
  ro: z.boolean(),
  maproot_user: z.string().nullable(),
  maproot_group: z.string().nullable(),
  mapall_user: z.string().nullable(),
  mapall_group: z.string().nullable(),
  security: z.array(z.enum(["SYS", "KRB5", "KRB5I", "KRB5P"])),
  enabled: z.boolean(),
  expose_snapshots: z.boolean(),
} as const;

const changeSchema = z.strictObject(fields).partial();
const createSchema = changeSchema.required({ path: true });

type Change = z.output<typeof changeSchema>;

/** A share with every field that the API has. */
const entry = (share: NfsShare): Readonly<Record<string, unknown>> => ({
  aliases: [],
  networks: [],
  hosts: [],
  ro: false,
  maproot_user: null,
  maproot_group: null,
  mapall_user: null,
  mapall_group: null,
  security: [],
  expose_snapshots: false,
  locked: false,
  ...share,
});

const problemsOf = async (world: World, schema: string, data: Change): Promise<readonly Problem[]> => {
  const at = (field: string, message: string, errname: Problem["errname"] = "EINVAL"): Problem => ({
    attribute: `${schema}.${field}`,
    message,
    errname,
  });
  const problems: Problem[] = [];
  const { path } = data;
  if (path !== undefined && !path.startsWith(`${world.mountRoot}/`))
    problems.push(at("path", "The path must reside within a pool mount point"));
  else if (path !== undefined && (await world.exec("test", ["-d", path])).code !== 0)
    problems.push(at("path", "This path does not exist.", "ENOENT"));
  if (data.expose_snapshots === true) {
    const text = "This is an enterprise feature and may not be enabled without a valid license.";
    problems.push(at("expose_snapshots", text));
  }
  if (data.maproot_user != null && data.mapall_user != null)
    problems.push(at("mapall_user", "maproot_user disqualifies mapall_user"));
  return problems;
};

const alreadyExported = (schema: string, path: string): ValidationErrors =>
  new ValidationErrors([
    {
      attribute: `${schema}.networks`,
      message: `ERROR - Another NFS share already exports ${path} for network 0.0.0.0/0`,
      errname: "EINVAL",
    },
  ]);

const create = async (world: World, data: Change & { readonly path: string }): Promise<object> => {
  const schema = "sharingnfs_create";
  refuse(await problemsOf(world, schema, data));
  const { aliases: _aliases, expose_snapshots: _snapshots, ...kept } = data;
  try {
    return entry(await world.exports.create("nfs", { comment: "", enabled: true, ...defined(kept), path: data.path }));
  } catch (error) {
    if (error instanceof ExportExists) throw alreadyExported(schema, data.path);
    throw error;
  }
};

/** Without the fields that are undefined, which would otherwise be stored over what is there. */
export const defined = <T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as never;

const update = async (world: World, id: number, data: Change): Promise<object> => {
  const schema = "sharingnfs_update";
  refuse(await problemsOf(world, schema, data));
  const { aliases: _aliases, expose_snapshots: _snapshots, ...kept } = data;
  try {
    return entry(await world.exports.update("nfs", id, defined(kept)));
  } catch (error) {
    if (error instanceof ExportMissing) throw instanceNotFound("SharingNFS", id);
    if (error instanceof ExportExists) throw alreadyExported(schema, data.path ?? "");
    throw error;
  }
};

const rows = async ({ exports }: World): Promise<readonly Readonly<Record<string, unknown>>[]> =>
  (await exports.query("nfs")).map(entry);

export const nfsMethods = [
  method(
    "sharing.nfs.query",
    { releases, access: ["SHARING_NFS_READ"] },
    { filters: filtersSchema, options: optionsSchema },
    async ({ world }, { filters, options }) => filterList(await rows(world), filters, options),
  ),
  method(
    "sharing.nfs.get_instance",
    { releases, access: ["SHARING_NFS_READ"] },
    { id: z.int(), options: optionsSchema },
    async ({ world }, { id }) => {
      const found = (await rows(world)).find((row) => row.id === id);
      if (found === undefined) throw instanceNotFound("SharingNFS", id);
      return found;
    },
  ),
  method(
    "sharing.nfs.create",
    { releases, access: ["SHARING_NFS_WRITE"] },
    { data: createSchema },
    ({ world }, { data }) => create(world, data),
  ),
  method(
    "sharing.nfs.update",
    { releases, access: ["SHARING_NFS_WRITE"] },
    { id: z.int(), data: changeSchema },
    ({ world }, { id, data }) => update(world, id, data),
  ),
  method(
    "sharing.nfs.delete",
    { releases, access: ["SHARING_NFS_WRITE"] },
    { id: z.int() },
    async ({ world }, { id }) => {
      if (!(await world.exports.query("nfs")).some((share) => share.id === id))
        throw instanceNotFound("SharingNFS", id);
      await world.exports.remove("nfs", id);
      return true;
    },
  ),
];
