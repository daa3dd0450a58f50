/** Looking at snapshots. */
import { z } from "zod";
import { CallError, instanceNotFound } from "../call-error.ts";
import { type Filters, filterList, filtersSchema, namesFixedBy, type QueryOptions, optionsSchema } from "../filters.ts";
import { tagsOf } from "../hold-tags.ts";
import { readObjects, readSnapshot, readSnapshotsOf, type SnapshotObject } from "../objects.ts";
import { retentionOf } from "../retention.ts";
import { snapshotEntry } from "../snapshot-shape.ts";
import type { World } from "../world.ts";
import { snapshotMethod, snapshotService } from "./snapshot-namespace.ts";

const extraSchema = z.looseObject({
  holds: z.boolean().default(false),
  retention: z.boolean().default(false),
  min_txg: z.int().default(0),
  max_txg: z.int().default(0),
  // A dictionary's keys are its names.
  properties: z.union([z.array(z.string()), z.record(z.string(), z.unknown()).transform(Object.keys)]).nullish(),
});

type Extra = z.output<typeof extraSchema>;

const readExtra = (extra: unknown): Extra => {
  const read = extraSchema.safeParse(extra);
  if (!read.success) throw new CallError(read.error.message, "EINVAL");
  return read.data;
};

const isSnapshot = (snapshot: SnapshotObject | undefined): snapshot is SnapshotObject => snapshot !== undefined;

const snapshotsFor = async (world: World, filters: Filters): Promise<readonly SnapshotObject[]> => {
  const names = namesFixedBy(filters, ["id", "name"]);
  if (names !== undefined)
    return (await Promise.all(names.map((name) => readSnapshot(world, name)))).filter(isSnapshot);
  const datasets = namesFixedBy(filters, ["dataset"]);
  if (datasets !== undefined) return (await Promise.all(datasets.map((name) => readSnapshotsOf(world, name)))).flat();
  return (await readObjects(world)).snapshots;
};

const inRange = ({ createtxg }: SnapshotObject, { min_txg: min, max_txg: max }: Extra): boolean =>
  (min === 0 || Number(createtxg) >= min) && (max === 0 || Number(createtxg) <= max);

const needsBound = (world: World, filters: Filters, options: QueryOptions): boolean =>
  world.release !== "26.0" && namesFixedBy(filters, ["id"]) === undefined && options.limit === 0;

export const querySnapshots = async (world: World, filters: Filters, options: QueryOptions): Promise<unknown> => {
  const extra = readExtra(options.extra);
  if (extra.retention && needsBound(world, filters, options))
    throw new CallError("`id` or `limit` is required if `retention` is requested", "EINVAL");
  const { snapshotTasks } = await world.state.read();
  const snapshots = (await snapshotsFor(world, filters)).filter((snapshot) => inRange(snapshot, extra));
  const rows = await Promise.all(
    snapshots.map(async (snapshot) => {
      const holds = extra.holds ? await tagsOf(world, snapshot) : undefined;
      const entry = snapshotEntry(snapshot, { properties: extra.properties ?? undefined, holds }, world.release);
      return extra.retention ? Object.assign(entry, { retention: retentionOf(snapshot, snapshotTasks) }) : entry;
    }),
  );
  return filterList(rows, filters, options);
};

/** One snapshot as `get_instance` gives it. Throws "does not exist". */
export const snapshotInstance = async (world: World, id: string, extra: object = {}): Promise<object> => {
  const [found] = (await querySnapshots(world, [["id", "=", id]], optionsSchema.parse({ extra }))) as readonly object[];
  if (found === undefined) throw instanceNotFound(snapshotService(world.release), id);
  return found;
};

export const snapshotQueryMethods = [
  ...snapshotMethod(
    "query",
    ["SNAPSHOT_READ"],
    { filters: filtersSchema, options: optionsSchema },
    ({ world }, { filters, options }) => querySnapshots(world, filters, options),
  ),
  ...snapshotMethod(
    "get_instance",
    ["SNAPSHOT_READ"],
    { id: z.string(), options: optionsSchema },
    ({ world }, { id, options }) => snapshotInstance(world, id, options.extra),
  ),
];
