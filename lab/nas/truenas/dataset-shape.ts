/** A dataset as `pool.dataset.query` gives it. */
import type { PropertyValue } from "../../zfs/zfs.ts";
import type { DatasetObject, SnapshotObject } from "./objects.ts";
import { shapeProperty, sourceInfo } from "./property-shape.ts";
import type { Release } from "./release.ts";

export interface DatasetEntry {
  readonly id: string;
  readonly type: DatasetObject["type"];
  readonly name: string;
  readonly pool: string;
  readonly mountpoint: string | null;
  readonly children: DatasetEntry[];
  readonly [property: string]: unknown;
}

/** `query-options.extra`. */
export interface DatasetExtra {
  /** Undefined is the default set, an empty list none. */
  readonly properties: readonly string[] | undefined;
  readonly userProperties: boolean;
  /** Whether its snapshots are listed. */
  readonly snapshots: boolean;
}

const common = [
  "available",
  "checksum",
  "compression",
  "compressratio",
  "copies",
  "creation",
  "dedup",
  "encryption",
  "keyformat",
  "origin",
  "pbkdf2iters",
  "readonly",
  "refreservation",
  "reservation",
  "snapdev",
  "sync",
  "used",
  "usedbychildren",
  "usedbydataset",
  "usedbyrefreservation",
  "usedbysnapshots",
];
const defaults = {
  FILESYSTEM: [
    ...common,
    "aclmode",
    "acltype",
    "atime",
    "casesensitivity",
    "exec",
    "quota",
    "recordsize",
    "refquota",
    "snapdir",
    "special_small_blocks",
    "xattr",
  ],
  VOLUME: [...common, "volblocksize", "volsize"],
} as const;

/** Of OpenZFS and not of zfs-fuse: the value that they have on a dataset on which nobody set them. */
const missing: Readonly<Record<string, string>> = {
  encryption: "off",
  keyformat: "none",
  pbkdf2iters: "0",
  snapdev: "hidden",
  sync: "standard",
  acltype: "posix",
  special_small_blocks: "0",
};

const renamed: Readonly<Record<string, string>> = {
  dedup: "deduplication",
  encryption: "encryption_algorithm",
  keyformat: "key_format",
  special_small_blocks: "special_small_block_size",
};

/** Names of the property that TrueNAS keeps for itself and never lists among the user's. */
const isInternal = (name: string): boolean => /^org\.(truenas|freenas):/.test(name);

const propertyOf = (dataset: DatasetObject, name: string): PropertyValue | undefined => {
  const lab: Readonly<Record<string, string | undefined>> = {
    guid: dataset.guid,
    createtxg: dataset.createtxg,
    ...(dataset.type === "VOLUME" ? { volsize: String(dataset.volsize), volblocksize: "16384" } : {}),
  };
  const own = lab[name];
  if (own !== undefined) return { value: own, source: name === "volsize" ? "local" : "-" };
  const absent = missing[name];
  return dataset.properties.get(name) ?? (absent === undefined ? undefined : { value: absent, source: "default" });
};

/** Up to 25.04 only a fixed set of properties passes, and neither GUID nor createtxg is in it. */
const passes = (name: string, type: DatasetObject["type"], release: Release): boolean => {
  if (name === "mountpoint" || name.includes(":")) return false;
  return release === "25.10" || release === "26.0" || defaults[type].some((known) => known === name);
};

const isUserProperty = (name: string): boolean => name.includes(":") && !isInternal(name);

/**
 * From 25.10 on every user property is called LOCAL, also an inherited one: the real code says so of itself. Before, the
 * source is right.
 */
const userPropertiesOf = (dataset: DatasetObject, release: Release): object => {
  const tellsSource = release === "24.10" || release === "25.04";
  return Object.fromEntries(
    [...dataset.properties].flatMap(([name, property]) => {
      if (!isUserProperty(name)) return [];
      const source = tellsSource ? property.source : "local";
      return [[name, { ...shapeProperty(name, { ...property, source }), source_info: sourceInfo(source) }]];
    }),
  );
};

const snapshotsOf = (dataset: DatasetObject, snapshots: readonly SnapshotObject[]): readonly object[] =>
  snapshots
    .filter((snapshot) => snapshot.dataset === dataset.name)
    .map(({ name, pool, snapshot, createtxg }) => ({
      pool,
      name,
      type: "SNAPSHOT",
      snapshot_name: snapshot,
      dataset: dataset.name,
      id: name,
      createtxg,
    }));

/** One dataset without its children. */
export const datasetEntry = (
  dataset: DatasetObject,
  extra: DatasetExtra,
  release: Release,
  snapshots: readonly SnapshotObject[],
): DatasetEntry => {
  const { name, type, pool } = dataset;
  const properties = (extra.properties ?? defaults[type])
    .filter((property) => passes(property, type, release))
    .flatMap((property) => {
      const value = propertyOf(dataset, property);
      if (value === undefined) return [];
      const shaped = { ...shapeProperty(renamed[property] ?? property, value), source_info: sourceInfo(value.source) };
      return [[renamed[property] ?? property, shaped] as const];
    });
  return {
    id: name,
    type,
    name,
    pool,
    encrypted: false,
    encryption_root: null,
    key_loaded: false,
    locked: false,
    ...Object.fromEntries(properties),
    mountpoint: type === "VOLUME" ? null : (dataset.properties.get("mountpoint")?.value ?? null),
    ...(extra.userProperties ? { user_properties: userPropertiesOf(dataset, release) } : {}),
    ...(extra.snapshots ? { snapshots: snapshotsOf(dataset, snapshots) } : {}),
    children: [],
  };
};

/** Hangs every entry below its parent and gives the roots: what has no parent in the list. */
export const nest = (entries: readonly DatasetEntry[]): readonly DatasetEntry[] => {
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  return entries.filter((entry) => {
    const parent = byName.get(/^(.+)\/[^/]+$/.exec(entry.name)?.[1] ?? "");
    parent?.children.push(entry);
    return parent === undefined;
  });
};
