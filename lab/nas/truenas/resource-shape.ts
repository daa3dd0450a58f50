/** Datasets and snapshots as `zfs.resource.*` gives them: whole numbers are numbers, of any size. */
import type { PropertyValue } from "../../zfs/zfs.ts";
import { type DatasetObject, type SnapshotObject } from "./objects.ts";
import { parsedValue, sourceInfo, sourceName } from "./property-shape.ts";
import { snapshotProperties } from "./snapshot-shape.ts";

/** How much of a resource is wanted. */
export interface ResourceWish {
  /** Null is none; an empty list those about space, and none for a snapshot. */
  readonly properties: readonly string[] | null;
  readonly get_user_properties: boolean;
  readonly get_source: boolean;
}

const aboutSpace = [
  "available",
  "used",
  "usedbychildren",
  "usedbydataset",
  "usedbyrefreservation",
  "usedbysnapshots",
] as const;

const shape = (name: string, { value, source }: PropertyValue, withSource: boolean): object => {
  const raw = name === "origin" && value === "-" ? "" : value;
  const parsed = name === "creation" ? Number(raw) : parsedValue(name, raw);
  return {
    raw,
    source: withSource ? { type: sourceName(source), value: sourceInfo(source) } : null,
    value: name === "origin" && raw === "" ? null : parsed,
  };
};

const chosen = (all: ReadonlyMap<string, PropertyValue>, wanted: readonly string[], withSource: boolean): object =>
  Object.fromEntries(
    wanted.flatMap((name) => {
      const property = name.includes(":") ? undefined : all.get(name);
      return property === undefined ? [] : [[name, shape(name, property, withSource)]];
    }),
  );

const userProperties = (all: ReadonlyMap<string, PropertyValue>): Readonly<Record<string, string>> =>
  Object.fromEntries([...all].filter(([name]) => name.includes(":")).map(([name, { value }]) => [name, value]));

const datasetProperties = (dataset: DatasetObject): ReadonlyMap<string, PropertyValue> =>
  new Map([
    ...dataset.properties,
    ["guid", { value: dataset.guid, source: "-" }],
    ["createtxg", { value: dataset.createtxg, source: "-" }],
    ...(dataset.volsize === undefined
      ? []
      : ([["volsize", { value: String(dataset.volsize), source: "local" }]] as [string, PropertyValue][])),
  ]);

export const datasetResource = (dataset: DatasetObject, wish: ResourceWish): Readonly<Record<string, unknown>> => {
  const all = datasetProperties(dataset);
  const wanted = wish.properties?.length === 0 ? aboutSpace : wish.properties;
  return {
    createtxg: Number(dataset.createtxg),
    guid: BigInt(dataset.guid),
    name: dataset.name,
    pool: dataset.pool,
    type: dataset.type,
    properties: wanted === null || wanted === undefined ? null : chosen(all, wanted, wish.get_source),
    user_properties: wish.get_user_properties ? userProperties(all) : null,
    children: null,
  };
};

export const snapshotResource = (
  snapshot: SnapshotObject,
  wish: ResourceWish,
  holds: readonly string[] | undefined,
): Readonly<Record<string, unknown>> => {
  const all = snapshotProperties(snapshot);
  return {
    createtxg: Number(snapshot.createtxg),
    guid: BigInt(snapshot.guid),
    name: snapshot.name,
    pool: snapshot.pool,
    dataset: snapshot.dataset,
    snapshot_name: snapshot.snapshot,
    type: "SNAPSHOT",
    properties:
      wish.properties === null || wish.properties.length === 0 ? null : chosen(all, wish.properties, wish.get_source),
    user_properties: wish.get_user_properties ? userProperties(all) : null,
    holds: holds === undefined || holds.length === 0 ? null : holds,
  };
};
