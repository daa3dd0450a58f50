/** TrueNAS' answers as the port's objects. What is not of the expected shape is refused here, once. */
import { createHash } from "node:crypto";
import { Failure } from "../../../model/failure.ts";
import type {
  Dataset,
  IscsiExtent,
  IscsiTarget,
  IscsiTargetExtent,
  NfsShare,
  Pool,
  ReplicationTask,
  Snapshot,
  SnapshotTask,
} from "../port.ts";

export type Entry = Readonly<Record<string, unknown>>;

/** `pool.dataset.query`'s properties for a Dataset. */
export const datasetProperties: readonly string[] = [
  "guid",
  "createtxg",
  "creation",
  "mountpoint",
  "origin",
  "used",
  "available",
  "refquota",
  "volsize",
  "readonly",
];

/** Those of a Snapshot. `userrefs` counts holds, whose tags TrueNAS leaves out when it cannot read them. */
export const snapshotProperties: readonly string[] = ["guid", "creation", "used", "referenced", "userrefs"];

/** The same for `zfs.resource.snapshot.query`, which tells all tags. */
export const resourceProperties: readonly string[] = ["creation", "used", "referenced"];

const malformed = (what: string): Failure =>
  new Failure("NAS_REFUSED", {
    what: `TrueNAS answers otherwise than it should: ${what}.`,
    todo: "Is it a release that is not yet known? Please report it with its version.",
  });

const isEntry = (value: unknown): value is Entry =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A list of objects. */
export const entriesOf = (answer: unknown, what: string): readonly Entry[] => {
  if (!Array.isArray(answer) || !answer.every(isEntry)) throw malformed(`${what} is no list of objects`);
  return answer;
};

const text = (entry: Entry, field: string): string => {
  const value = entry[field];
  if (typeof value !== "string") throw malformed(`"${field}" is no text`);
  return value;
};

const textOr = (entry: Entry, field: string, otherwise: string): string => {
  const value = entry[field];
  return typeof value === "string" ? value : otherwise;
};

export const idOf = (entry: Entry): number => {
  const value = entry["id"];
  if (typeof value !== "number") throw malformed('"id" is no number');
  return value;
};

const numberOf = (entry: Entry, field: string): number => {
  const value = entry[field];
  if (typeof value !== "number") throw malformed(`"${field}" is no number`);
  return value;
};

/** ZFS' own text of a property; undefined when it was not told. `raw` is how `zfs.resource.*` calls it. */
const rawOf = (properties: Entry, name: string): string | undefined => {
  const property = properties[name];
  if (!isEntry(property)) return undefined;
  const raw = property["rawvalue"] ?? property["raw"];
  return typeof raw === "string" ? raw : undefined;
};

const bytesOf = (properties: Entry, name: string): number | undefined => {
  const raw = rawOf(properties, name);
  return raw !== undefined && /^\d+$/.test(raw) ? Number(raw) : undefined;
};

/** Numbers of 64 bits, as text or as what `decodeJson` makes of them. */
const digitsOf = (value: unknown): string | undefined =>
  typeof value === "bigint" || (typeof value === "number" && Number.isSafeInteger(value))
    ? String(value)
    : typeof value === "string" && /^\d+$/.test(value)
      ? value
      : undefined;

const need = <T>(value: T | undefined, name: string, of: string): T => {
  if (value === undefined) throw malformed(`"${of}" has no ${name}`);
  return value;
};

const wordOrNothing = (value: string | undefined, nothing: readonly string[]): string | undefined =>
  value === undefined || nothing.includes(value) ? undefined : value;

/** 64 bits that no other name, and no other second, gives. */
const standIn = (name: string, creation: string): string =>
  createHash("sha256").update(`${name} ${creation}`).digest().readBigUInt64BE().toString();

/**
 * Until 25.04 TrueNAS tells neither GUID nor createtxg of a dataset. What is made of its name and the second of its
 * creation stands in for the GUID there, and that second for the createtxg: they too differ when a name is used again.
 */
const datasetIdentity = (entry: Entry, name: string) => {
  const creation = need(rawOf(entry, "creation"), "creation", name);
  return {
    name,
    guid: digitsOf(rawOf(entry, "guid")) ?? standIn(name, creation),
    createtxg: digitsOf(rawOf(entry, "createtxg")) ?? creation,
    created: Number(creation) * 1000,
  };
};

/** Names and values of the user properties that TrueNAS calls the dataset's own. */
export const userPropertiesOf = (entry: Entry): Readonly<Record<string, string>> => {
  const all = isEntry(entry["user_properties"]) ? entry["user_properties"] : {};
  return Object.fromEntries(
    Object.keys(all).flatMap((name) => {
      const raw = rawOf(all, name);
      const source = (all[name] as Entry)["source"];
      return raw === undefined || (source !== "LOCAL" && source !== "RECEIVED") ? [] : [[name, raw]];
    }),
  );
};

/** One entry of `pool.dataset.query`; `properties` are the user properties that are its own. */
export const datasetOf = (entry: Entry, properties: Readonly<Record<string, string>>): Dataset => {
  const name = text(entry, "id");
  const isVolume = text(entry, "type") === "VOLUME";
  const refquota = bytesOf(entry, "refquota");
  return {
    ...datasetIdentity(entry, name),
    kind: isVolume ? "volume" : "filesystem",
    mountpoint: isVolume ? undefined : wordOrNothing(textOr(entry, "mountpoint", "none"), ["none", "legacy", "-"]),
    origin: wordOrNothing(rawOf(entry, "origin"), ["", "none", "-"]),
    used: need(bytesOf(entry, "used"), "used", name),
    available: need(bytesOf(entry, "available"), "available", name),
    refquota: isVolume || refquota === 0 ? undefined : refquota,
    volsize: isVolume ? bytesOf(entry, "volsize") : undefined,
    readOnly: rawOf(entry, "readonly")?.toLowerCase() === "on",
    properties,
  };
};

const isHeld = (tags: unknown): boolean => Array.isArray(tags) && tags.length > 0;

/** One entry of `zfs.snapshot.query`, `pool.snapshot.query` or `zfs.resource.snapshot.query`. */
export const snapshotOf = (entry: Entry): Snapshot => {
  const name = text(entry, "name");
  const properties = isEntry(entry["properties"]) ? entry["properties"] : {};
  return {
    name,
    dataset: text(entry, "dataset"),
    snapshot: text(entry, "snapshot_name"),
    guid: need(digitsOf(rawOf(properties, "guid")) ?? digitsOf(entry["guid"]), "guid", name),
    createtxg: need(digitsOf(entry["createtxg"]), "createtxg", name),
    created: need(bytesOf(properties, "creation"), "creation", name) * 1000,
    used: bytesOf(properties, "used") ?? 0,
    referenced: bytesOf(properties, "referenced") ?? 0,
    held: isHeld(entry["holds"]) || (bytesOf(properties, "userrefs") ?? 0) > 0,
  };
};

/** `readOnly` is that of the pool's own dataset: `pool.query` does not tell it. */
export const poolOf = (entry: Entry, readOnly: boolean): Pool => ({
  name: text(entry, "name"),
  health: text(entry, "status"),
  readOnly,
  // null for a pool that is offline
  size: Number(entry["size"] ?? 0),
  free: Number(entry["free"] ?? 0),
});

const rest = (entry: Entry, fields: readonly string[]): Entry =>
  Object.fromEntries(Object.entries(entry).filter(([name]) => !fields.includes(name)));

export const shareOf = (entry: Entry): NfsShare => ({
  id: idOf(entry),
  path: text(entry, "path"),
  enabled: entry["enabled"] !== false,
  comment: textOr(entry, "comment", ""),
  settings: rest(entry, ["id", "path", "enabled", "comment"]),
});

export const targetOf = (entry: Entry): IscsiTarget => ({
  id: idOf(entry),
  name: text(entry, "name"),
  alias: textOr(entry, "alias", "") || undefined,
  groups: entriesOf(entry["groups"], "the groups of a target"),
});

export const extentOf = (entry: Entry): IscsiExtent => ({
  id: idOf(entry),
  name: text(entry, "name"),
  // Extents that are files have none.
  disk: textOr(entry, "disk", ""),
  enabled: entry["enabled"] !== false,
  settings: rest(entry, ["id", "name", "disk", "enabled"]),
});

export const targetExtentOf = (entry: Entry): IscsiTargetExtent => ({
  id: idOf(entry),
  target: numberOf(entry, "target"),
  extent: numberOf(entry, "extent"),
  lun: numberOf(entry, "lunid"),
});

const texts = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];

export const snapshotTaskOf = (entry: Entry): SnapshotTask => ({
  id: idOf(entry),
  dataset: text(entry, "dataset"),
  recursive: entry["recursive"] === true,
  exclude: texts(entry["exclude"]),
  namingSchema: text(entry, "naming_schema"),
  enabled: entry["enabled"] !== false,
});

export const replicationTaskOf = (entry: Entry): ReplicationTask => ({
  id: idOf(entry),
  name: text(entry, "name"),
  sources: texts(entry["source_datasets"]),
  target: text(entry, "target_dataset"),
  recursive: entry["recursive"] === true,
  enabled: entry["enabled"] !== false,
});

/** The "iqn…" in front of every target's name. */
export const iqnBaseOf = (answer: unknown): string | undefined =>
  isEntry(answer) ? textOr(answer, "basename", "") || undefined : undefined;
