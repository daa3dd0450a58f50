/** kopia's own form of a directory: JSON with one entry a name. Source: snapshot/dir_entry.go, fs/entry.go. */
import { z } from "zod";
import type { CopyEntry } from "./port.ts";

/** What lies below a directory, summed up. */
export const summarySchema = z.looseObject({
  size: z.number().default(0),
  files: z.number().default(0),
  symlinks: z.number().default(0),
  dirs: z.number().default(0),
  incomplete: z.string().optional(),
  numFailed: z.number().default(0),
  numIgnoredErrors: z.number().default(0),
  errors: z.array(z.looseObject({ path: z.string(), error: z.string() })).default([]),
});

/** One entry, as directories and manifests hold it. */
export const entrySchema = z.looseObject({
  name: z.string().default(""),
  type: z.string().default(""),
  mode: z.string().default("0"),
  size: z.number().default(0),
  mtime: z.string().default("1970-01-01T00:00:00Z"),
  uid: z.number().default(0),
  gid: z.number().default(0),
  obj: z.string().default(""),
  summ: summarySchema.optional(),
});

export const directorySchema = z.looseObject({ entries: z.array(entrySchema).nullish() });

type StoredEntry = z.output<typeof entrySchema>;

/** Go's bits for setuid, setgid and sticky, which kopia stores, and the ones of Unix. */
const specialBits: readonly (readonly [number, number])[] = [
  [2 ** 23, 0o4000],
  [2 ** 22, 0o2000],
  [2 ** 20, 0o1000],
];

/** "020000755" → 0o2755, with Go's special bits where Unix has them. */
export const parseMode = (text: string): number => {
  const stored = Number.parseInt(text, 8);
  const special = specialBits.reduce((bits, [go, unix]) => bits | (Math.floor(stored / go) % 2 === 1 ? unix : 0), 0);
  return (stored % 0o1000) | special;
};

/** RFC 3339 with up to nine digits of a second, as nanoseconds since 1970. */
export const parseTime = (text: string): bigint => {
  const [, whole = text, fraction = "", zone = ""] = /^(.*?)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(text) ?? [];
  return BigInt(Date.parse(`${whole}${zone}`)) * 1_000_000n + BigInt(fraction.padEnd(9, "0"));
};

const entryTypes: Readonly<Record<string, CopyEntry["type"]>> = { f: "file", d: "directory", s: "symlink" };

/** The entry at `path` of the tree. */
export const copyEntryOf = (stored: StoredEntry, path: string): CopyEntry => {
  const type = entryTypes[stored.type] ?? "other";
  return {
    path,
    type,
    mode: parseMode(stored.mode),
    uid: stored.uid,
    gid: stored.gid,
    size: type === "file" ? stored.size : 0,
    mtime: parseTime(stored.mtime),
    objectId: stored.obj,
  };
};
