/** A snapshot as `pool.snapshot.query` and `zfs.snapshot.query` give it. */
import type { PropertyValue } from "../../zfs/zfs.ts";
import type { SnapshotObject } from "./objects.ts";
import { parsedValue, shapeProperty } from "./property-shape.ts";
import type { Release } from "./release.ts";

/** What there is to ask of a snapshot: zfs' own, the lab's identity, and a volume's size. */
export const snapshotProperties = (snapshot: SnapshotObject): ReadonlyMap<string, PropertyValue> => {
  const lab: [string, string][] = [
    ["name", snapshot.name],
    ["guid", snapshot.guid],
    ["createtxg", snapshot.createtxg],
    ...(snapshot.volsize === undefined ? [] : [["volsize", String(snapshot.volsize)] as [string, string]]),
  ];
  return new Map([...snapshot.properties, ...lab.map(([name, value]) => [name, { value, source: "-" }] as const)]);
};

/**
 * `wanted` undefined is all of them, up to 25.10; 26 gives none unless they are named, never a user property, and a time
 * as a plain number.
 */
const propertiesOf = (snapshot: SnapshotObject, wanted: readonly string[] | undefined, release: Release): object => {
  const chosen = [...snapshotProperties(snapshot)].filter(([name]) =>
    wanted === undefined ? release !== "26.0" && name !== "name" : wanted.includes(name),
  );
  return Object.fromEntries(
    chosen.flatMap(([name, property]) => {
      if (release !== "26.0") return [[name, shapeProperty(name, property)]];
      if (name.includes(":")) return [];
      const parsed = name === "creation" ? Number(property.value) : parsedValue(name, property.value);
      return [[name, { value: String(parsed), rawvalue: property.value, source: "NONE", parsed }]];
    }),
  );
};

export interface SnapshotExtra {
  readonly properties: readonly string[] | undefined;
  /** Tags of its holds, when they were asked for. */
  readonly holds: readonly string[] | undefined;
}

export const snapshotEntry = (
  snapshot: SnapshotObject,
  { properties, holds }: SnapshotExtra,
  release: Release,
): Readonly<Record<string, unknown>> => ({
  id: snapshot.name,
  name: snapshot.name,
  pool: snapshot.pool,
  type: "SNAPSHOT",
  dataset: snapshot.dataset,
  snapshot_name: snapshot.snapshot,
  createtxg: snapshot.createtxg,
  properties: propertiesOf(snapshot, properties, release),
  // The API knows its own tag only.
  ...(holds === undefined ? {} : { holds: holds.includes("truenas") ? { truenas: 1 } : {} }),
});
