/** Looking at datasets: `pool.dataset.query`, `get_instance`, `details`. */
import { z } from "zod";
import { CallError, instanceNotFound } from "../call-error.ts";
import { type DatasetEntry, datasetEntry, type DatasetExtra, nest } from "../dataset-shape.ts";
import { type Filters, filterList, filtersSchema, namesFixedBy, type QueryOptions, optionsSchema } from "../filters.ts";
import { method } from "../method.ts";
import { type Objects, readObjects } from "../objects.ts";
import { from, releases } from "../release.ts";
import type { World } from "../world.ts";

const extraSchema = z.looseObject({
  flat: z.boolean().default(true),
  retrieve_children: z.boolean().default(true),
  properties: z.array(z.string()).nullish(),
  retrieve_user_props: z.boolean().default(true),
  snapshots: z.unknown().optional(),
});

type Extra = z.output<typeof extraSchema>;

const readExtra = (extra: unknown): Extra => {
  const read = extraSchema.safeParse(extra);
  if (!read.success) throw new CallError(read.error.message, "EINVAL");
  return read.data;
};

const wantedOf = (extra: Extra): DatasetExtra => ({
  properties: extra.properties ?? undefined,
  userProperties: extra.retrieve_user_props,
  // REST gives it as text or number.
  snapshots: Boolean(extra.snapshots),
});

/** All the pool knows, or only what the filters can be about. */
const objectsFor = async (world: World, filters: Filters, { retrieve_children }: Extra): Promise<Objects> => {
  const names = namesFixedBy(filters, ["id", "name"]);
  if (names === undefined) return readObjects(world);
  const parts = await Promise.all(
    // Snapshots are one level below a dataset, and so are its children.
    [...new Set(names)].map((under) => readObjects(world, retrieve_children ? { under } : { under, depth: 1 })),
  );
  const datasets = parts.flatMap((part) => part.datasets);
  return {
    datasets: retrieve_children ? datasets : datasets.filter(({ name }) => names.includes(name)),
    snapshots: parts.flatMap((part) => part.snapshots),
  };
};

const entriesOf = (world: World, { datasets, snapshots }: Objects, extra: Extra): readonly DatasetEntry[] => {
  const unique = new Map(datasets.map((dataset) => [dataset.name, dataset]));
  return [...unique.values()].map((dataset) => datasetEntry(dataset, wantedOf(extra), world.release, snapshots));
};

export const queryDatasets = async (world: World, filters: Filters, options: QueryOptions): Promise<unknown> => {
  const extra = readExtra(options.extra);
  const entries = entriesOf(world, await objectsFor(world, filters, extra), extra);
  const rows = extra.retrieve_children
    ? entries
    : entries.filter(({ name }) => filters.length > 0 || !name.includes("/"));
  const roots = extra.retrieve_children ? nest(entries) : rows;
  return filterList(extra.flat || filters.length > 0 ? rows : roots, filters, options);
};

/** One dataset as `get_instance` gives it. Throws "does not exist". */
export const datasetInstance = async (world: World, id: string, extra: object = {}): Promise<DatasetEntry> => {
  const options = optionsSchema.parse({ extra });
  const [found] = (await queryDatasets(world, [["id", "=", id]], options)) as readonly DatasetEntry[];
  if (found === undefined) throw instanceNotFound("PoolDataset", id);
  return found;
};

const belowOrAt = (path: string, mountpoint: string): boolean =>
  path === mountpoint || path.startsWith(`${mountpoint}/`);

const withUsers = async (world: World, entry: DatasetEntry): Promise<object> => {
  const [shares, extents, { snapshotTasks }] = await Promise.all([
    world.exports.query("nfs"),
    world.exports.query("extent"),
    world.state.read(),
  ]);
  const { mountpoint } = entry;
  return {
    ...entry,
    children: await Promise.all(entry.children.map((child) => withUsers(world, child))),
    nfs_shares:
      mountpoint === null
        ? []
        : shares.filter(({ path }) => belowOrAt(path, mountpoint)).map(({ enabled, path }) => ({ enabled, path })),
    smb_shares: [],
    iscsi_shares: extents
      .filter(({ disk }) => disk === `zvol/${entry.name}`)
      .map(({ enabled, disk }) => ({ enabled, type: "DISK", path: `/dev/${disk}` })),
    vms: [],
    apps: [],
    replication_tasks_count: 0,
    snapshot_tasks_count: snapshotTasks.filter(({ dataset }) => dataset === entry.name).length,
    cloudsync_tasks_count: 0,
    rsync_tasks_count: 0,
    snapshot_count: (entry.snapshots as readonly unknown[] | undefined)?.length ?? 0,
    thick_provisioned: false,
  };
};

export const datasetQueryMethods = [
  method(
    "pool.dataset.query",
    { releases, access: ["DATASET_READ"] },
    { filters: filtersSchema, options: optionsSchema },
    ({ world }, { filters, options }) => queryDatasets(world, filters, options),
  ),
  method(
    "pool.dataset.get_instance",
    { releases, access: ["DATASET_READ"] },
    { id: z.string(), options: optionsSchema },
    ({ world }, { id, options }) => datasetInstance(world, id, options.extra),
  ),
  method("pool.dataset.details", { releases: from("24.10"), access: ["DATASET_READ"] }, {}, async ({ world }) => {
    const roots = (await queryDatasets(
      world,
      [],
      optionsSchema.parse({ extra: { flat: false, snapshots: true } }),
    )) as readonly DatasetEntry[];
    return Promise.all(roots.map((root) => withUsers(world, root)));
  }),
];
