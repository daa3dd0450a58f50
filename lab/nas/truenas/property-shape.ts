/** How a property of ZFS looks in each of the API's answers. */
import type { PropertyValue } from "../../zfs/zfs.ts";
import { date } from "./wire.ts";

export interface ShapedProperty {
  readonly value: string | null;
  readonly rawvalue: string;
  readonly parsed: unknown;
  readonly source: string;
}

const sizes = new Set([
  "used",
  "usedbychildren",
  "usedbydataset",
  "usedbyrefreservation",
  "usedbysnapshots",
  "available",
  "referenced",
  "quota",
  "refquota",
  "reservation",
  "refreservation",
  "volsize",
]);
const nothingAtZero = new Set(["quota", "refquota", "reservation", "refreservation"]);
const integers = new Set([
  ...sizes,
  "recordsize",
  "volblocksize",
  "copies",
  "version",
  "userrefs",
  "guid",
  "createtxg",
]);
const booleans = new Set(["checksum", "atime", "devices", "exec", "setuid", "readonly", "xattr", "canmount"]);
/** Properties whose value is given in capitals. */
const words = new Set([
  ...booleans,
  "aclmode",
  "acltype",
  "casesensitivity",
  "sync",
  "compression",
  "deduplication",
  "snapdir",
  "snapdev",
]);

const units = ["KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** "1.5 GiB". */
export const formatSize = (bytes: number): string => {
  if (bytes < 1024) return bytes === 1 ? "1 byte" : `${bytes} bytes`;
  const power = Math.min(Math.floor(Math.log2(bytes) / 10), units.length);
  return `${Number((bytes / 1024 ** power).toFixed(2))} ${units[power - 1] ?? ""}`;
};

/** LOCAL, DEFAULT, INHERITED, NONE. */
export const sourceName = (source: string): string => {
  if (source === "-") return "NONE";
  return source.startsWith("inherited") ? "INHERITED" : source.toUpperCase();
};

/** What a source names beside its kind: the dataset that it is inherited from. */
export const sourceInfo = (source: string): string | null => /^inherited from (.+)$/.exec(source)?.[1] ?? null;

const integer = (raw: string): number | bigint | null => {
  if (!/^\d+$/.test(raw)) return null;
  const exact = BigInt(raw);
  return exact <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(exact) : exact;
};

/** The value as a program wants it. */
export const parsedValue = (name: string, raw: string): unknown => {
  if (name === "creation") return date(Number(raw) * 1000);
  if (nothingAtZero.has(name) && raw === "0") return null;
  if (integers.has(name)) return integer(raw);
  if (booleans.has(name)) return raw === "on" ? true : raw === "off" ? false : null;
  return raw;
};

const shownValue = (name: string, raw: string): string | null => {
  if (nothingAtZero.has(name) && raw === "0") return null;
  if (sizes.has(name)) return formatSize(Number(raw));
  if (name === "recordsize" || name === "volblocksize") return `${Number(raw) / 1024}K`;
  if (name === "creation") return new Date(Number(raw) * 1000).toUTCString();
  return words.has(name) ? raw.toUpperCase() : raw;
};

/** As zfs-fuse says "none" or "-" where OpenZFS says nothing. */
const rawOf = (name: string, value: string): string => (name === "origin" && value === "-" ? "" : value);

export const shapeProperty = (name: string, { value, source }: PropertyValue): ShapedProperty => {
  const raw = rawOf(name, value);
  return { parsed: parsedValue(name, raw), rawvalue: raw, value: shownValue(name, raw), source: sourceName(source) };
};
