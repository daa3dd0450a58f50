/** Looking at ZFS by `zfs.resource.query` and `zfs.resource.snapshot.query`. */
import { z } from "zod";
import { ValidationError } from "../call-error.ts";
import { tagsOf } from "../hold-tags.ts";
import { method } from "../method.ts";
import {
  type DatasetObject,
  readDataset,
  readObjects,
  readSnapshot,
  readSnapshotsOf,
  type SnapshotObject,
} from "../objects.ts";
import { from } from "../release.ts";
import { datasetResource, snapshotResource } from "../resource-shape.ts";
import type { World } from "../world.ts";

const wish = {
  paths: z.array(z.string()).default([]),
  properties: z.array(z.string()).nullable().default([]),
  get_user_properties: z.boolean().default(false),
  get_source: z.boolean().default(false),
} as const;

const resourceSchema = z
  .strictObject({
    ...wish,
    nest_results: z.boolean().default(false),
    get_children: z.boolean().default(false),
    max_depth: z.int().min(0).default(0),
    get_tier: z.boolean().default(false),
  })
  .prefault({});

const snapshotSchema = z
  .strictObject({
    ...wish,
    recursive: z.boolean().default(false),
    get_holds: z.boolean().default(false),
    min_txg: z.int().default(0),
    max_txg: z.int().default(0),
  })
  .prefault({});

const refuseOverlap = (schema: string, paths: readonly string[]): void => {
  const datasets = paths.filter((path) => !path.includes("@"));
  if (datasets.some((one) => datasets.some((other) => other.startsWith(`${one}/`))))
    throw new ValidationError(
      schema,
      "Paths must be non-overlapping - no path can be relative to another when recursive is set to True.",
    );
};

const requireDataset = async (world: World, schema: string, path: string): Promise<DatasetObject> => {
  const dataset = await readDataset(world, path);
  if (dataset === undefined) throw new ValidationError(schema, `'${path}' not found`, "ENOENT");
  return dataset;
};

type ResourceQuery = z.output<typeof resourceSchema>;

const depthOf = (name: string): number => name.split("/").length;

const datasetsFor = async (world: World, query: ResourceQuery): Promise<readonly DatasetObject[]> => {
  const { paths, get_children: children, max_depth: deepest } = query;
  if (paths.length === 0) {
    const { datasets } = await readObjects(world);
    return children ? datasets : datasets.filter(({ name }) => !name.includes("/"));
  }
  const found: DatasetObject[] = [];
  for (const path of paths) {
    const dataset = await requireDataset(world, "zfs.resource.query", path);
    const all = children ? (await readObjects(world, { under: path })).datasets : [dataset];
    found.push(...all.filter(({ name }) => deepest === 0 || depthOf(name) - depthOf(path) <= deepest));
  }
  return found;
};

type Nested = Readonly<Record<string, unknown>> & { children: Nested[] | null };

/** Hangs each below its parent. */
const nested = (resources: readonly Nested[]): readonly Nested[] => {
  const byName = new Map(resources.map((resource) => [resource.name as string, resource]));
  return resources.filter((resource) => {
    const parent = byName.get(/^(.+)\/[^/]+$/.exec(resource.name as string)?.[1] ?? "");
    resource.children ??= [];
    if (parent !== undefined) (parent.children ??= []).push(resource);
    return parent === undefined;
  });
};

type SnapshotQuery = z.output<typeof snapshotSchema>;

const snapshotsAt = async (world: World, path: string, recursive: boolean): Promise<readonly SnapshotObject[]> => {
  if (path.includes("@")) {
    const snapshot = await readSnapshot(world, path);
    if (snapshot === undefined)
      throw new ValidationError("zfs.resource.snapshot.query", `'${path}' not found`, "ENOENT");
    return [snapshot];
  }
  await requireDataset(world, "zfs.resource.snapshot.query", path);
  return recursive ? (await readObjects(world, { under: path })).snapshots : readSnapshotsOf(world, path);
};

const snapshotsFor = async (world: World, { paths, recursive }: SnapshotQuery): Promise<readonly SnapshotObject[]> => {
  if (paths.length > 0) return (await Promise.all(paths.map((path) => snapshotsAt(world, path, recursive)))).flat();
  const { snapshots } = await readObjects(world);
  return recursive ? snapshots : snapshots.filter(({ dataset }) => !dataset.includes("/"));
};

const querySnapshots = async (world: World, query: SnapshotQuery): Promise<readonly object[]> => {
  if (query.recursive) refuseOverlap("zfs.resource.snapshot.query", query.paths);
  const { min_txg: min, max_txg: max } = query;
  const found = (await snapshotsFor(world, query)).filter(
    ({ createtxg }) => (min === 0 || Number(createtxg) >= min) && (max === 0 || Number(createtxg) <= max),
  );
  return Promise.all(
    found.map(async (snapshot) =>
      snapshotResource(snapshot, query, query.get_holds ? await tagsOf(world, snapshot) : undefined),
    ),
  );
};

export const resourceQueryMethods = [
  method(
    "zfs.resource.query",
    { releases: from("25.10"), access: ["ZFS_RESOURCE_READ"] },
    { data: resourceSchema },
    async ({ world }, { data }) => {
      if (data.get_children) refuseOverlap("zfs.resource.query", data.paths);
      const resources = (await datasetsFor(world, data)).map((dataset) => datasetResource(dataset, data));
      return data.nest_results ? nested(resources as Nested[]) : resources;
    },
  ),
  method(
    "zfs.resource.snapshot.query",
    { releases: ["26.0"], access: ["SNAPSHOT_READ"] },
    { data: snapshotSchema },
    ({ world }, { data }) => querySnapshots(world, data),
  ),
  method(
    "zfs.resource.snapshot.holds",
    { releases: ["26.0"], access: ["SNAPSHOT_READ"] },
    { data: z.strictObject({ path: z.string().min(1) }) },
    async ({ world }, { data: { path } }) => {
      const snapshot = await readSnapshot(world, path);
      if (snapshot === undefined)
        throw new ValidationError("zfs.resource.snapshot.holds", `'${path}' not found`, "ENOENT");
      return tagsOf(world, snapshot);
    },
  ),
];
