/** Compares a volume with what its seed describes. Needs root, and no backup: the seed alone says what has to be there. */
import type { BigIntStats } from "node:fs";
import { constants } from "node:fs";
import { type FileHandle, open, readlink } from "node:fs/promises";
import { join } from "node:path";
import { contentOf, dataBytes, extentsOf, pieceBytes } from "./content.ts";
import { describeVolume, type Shape } from "./describe.ts";
import { rootPath, type SeedEntry } from "./entry.ts";
import { type PathMatcher, pathMatcher } from "./glob.ts";
import { walk } from "./walk.ts";

export type MismatchKind =
  | "missing"
  | "foreign"
  | "type"
  | "size"
  | "content"
  | "mode"
  | "owner"
  | "mtime"
  | "target"
  | "hardlink"
  | "sparse";

export interface Mismatch {
  readonly path: string;
  readonly kind: MismatchKind;
  /** In words, with what is there and what should be. */
  readonly problem: string;
}

export interface Checked {
  /** Regular files (each name of a hard-linked one) that were compared byte by byte. */
  readonly files: number;
  /** Bytes of them that were compared; holes count. */
  readonly bytes: number;
  /** Entries that are missing and may be, since `leftOut` covers them. */
  readonly leftOut: number;
  /** Sorted by path. Empty when the volume is as seeded. */
  readonly mismatches: readonly Mismatch[];
}

export interface CheckOptions {
  /** Patterns (glob.ts) of paths that others write: neither compared nor foreign. `lost+found` and what a restore keeps always are. */
  readonly ignore?: readonly string[];
  /** "separate" allows the names of a hard-linked file to have become files of their own, as kopia restores them. Default "kept". */
  readonly hardlinks?: "kept" | "separate";
  /** "any" takes no notice of folders' times: kopia restores a folder with the newest time of what lies below. Default "kept". */
  readonly directoryTimes?: "kept" | "any";
  /** "seconds" takes no notice of fractions: zfs-fuse has none. Default "exact". */
  readonly times?: "exact" | "seconds";
  /** "filled" allows holes to have become zeros that take up space. Default "filled"; "kept" demands holes. */
  readonly sparse?: "kept" | "filled";
  /** Entries that may be missing, such as those that kopia leaves out (`SeedEntry.leftOutBy`). What is there is compared all the same. */
  readonly leftOut?: (entry: SeedEntry) => boolean;
}

type Report = (kind: MismatchKind, problem: string) => void;

/** ext4 puts the first into the root of every volume, and a restore keeps the earlier files in the other. */
const alwaysIgnored = ["lost+found", ".holdfast-kept-*"];

const second = 1_000_000_000n;

const octal = (mode: number): string => mode.toString(8).padStart(4, "0");

const typeOf = (stats: BigIntStats): string => {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  return stats.isSymbolicLink() ? "symlink" : "something else";
};

const firstDifference = (one: Uint8Array, other: Uint8Array): number => {
  const at = one.findIndex((byte, index) => byte !== other[index]);
  return at < 0 ? one.length : at;
};

const zeros = new Uint8Array(pieceBytes);

/** The file as it should be, holes included, in ascending pieces. */
function* expectedContent(entry: SeedEntry): Generator<Uint8Array> {
  let at = 0;
  function* holeUpTo(end: number): Generator<Uint8Array> {
    for (; at < end; at += zeros.length) yield zeros.subarray(0, Math.min(zeros.length, end - at));
    at = end;
  }
  for (const { offset, bytes } of contentOf(entry)) {
    yield* holeUpTo(offset);
    yield bytes;
    at = offset + bytes.length;
  }
  yield* holeUpTo(entry.size);
}

/** Reads until the buffer is full or the file ends. */
const readFully = async (file: FileHandle, buffer: Uint8Array): Promise<Uint8Array> => {
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, null);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
};

const compareContent = async (path: string, entry: SeedEntry, report: Report): Promise<void> => {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const buffer = Buffer.allocUnsafe(Math.min(entry.size, pieceBytes));
    let offset = 0;
    for (const expected of expectedContent(entry)) {
      const actual = await readFully(file, buffer.subarray(0, expected.length));
      if (Buffer.compare(actual, expected) !== 0) {
        report("content", `differs from byte ${offset + firstDifference(expected, actual)} on`);
        return;
      }
      offset += expected.length;
    }
  } finally {
    await file.close();
  }
};

const compareAttributes = (stats: BigIntStats, entry: SeedEntry, report: Report): void => {
  const mode = Number(stats.mode) & 0o7777;
  if (mode !== entry.mode) report("mode", `mode ${octal(mode)}, should be ${octal(entry.mode)}`);
  if (Number(stats.uid) !== entry.uid || Number(stats.gid) !== entry.gid) {
    report("owner", `owner ${stats.uid}:${stats.gid}, should be ${entry.uid}:${entry.gid}`);
  }
};

/** What is allocated may exceed the data by this: file systems round up and keep indirect blocks. */
const sparseSlack = 1 << 20;

const compareFile = async (path: string, stats: BigIntStats, entry: SeedEntry, report: Report): Promise<void> => {
  if (Number(stats.size) !== entry.size) {
    report("size", `${stats.size} bytes, should be ${entry.size}`);
    return;
  }
  await compareContent(path, entry, report);
};

class Check {
  readonly mismatches: Mismatch[] = [];
  files = 0;
  bytes = 0;
  readonly #directory: string;
  readonly #options: CheckOptions;
  readonly #ignore: PathMatcher;
  readonly #wanted: Map<string, SeedEntry>;
  readonly #inodes = new Map<string, bigint>();

  constructor(directory: string, entries: readonly SeedEntry[], options: CheckOptions) {
    this.#directory = directory;
    this.#options = options;
    this.#ignore = pathMatcher([...alwaysIgnored, ...(options.ignore ?? [])]);
    this.#wanted = new Map(
      entries.filter(({ path }) => !this.#ignore.covers(path)).map((entry) => [entry.path, entry]),
    );
  }

  async run(): Promise<Checked> {
    const missing = new Map(this.#wanted);
    await walk(
      this.#directory,
      (path) => this.#ignore.covers(path),
      async (path, stats) => {
        missing.delete(path);
        await this.#compare(path, stats);
      },
    );
    this.#compareHardlinks();
    const leftOut = [...missing.values()].filter((entry) => this.#options.leftOut?.(entry) ?? false);
    for (const { path } of leftOut) missing.delete(path);
    for (const path of missing.keys()) this.#reportFor(path)("missing", "is missing");
    const mismatches = this.mismatches.sort((one, other) => (one.path < other.path ? -1 : 1));
    return { files: this.files, bytes: this.bytes, leftOut: leftOut.length, mismatches };
  }

  #reportFor(path: string): Report {
    return (kind, problem) => this.mismatches.push({ path, kind, problem });
  }

  async #compare(path: string, stats: BigIntStats): Promise<void> {
    const report = this.#reportFor(path);
    const entry = this.#wanted.get(path);
    if (entry === undefined) {
      report("foreign", `a ${typeOf(stats)} that the seed does not know`);
      return;
    }
    const type = entry.type === "hardlink" ? "file" : entry.type;
    if (typeOf(stats) !== type) {
      report("type", `a ${typeOf(stats)}, should be a ${type}`);
      return;
    }
    compareAttributes(stats, entry, report);
    this.#compareTime(stats, entry, report);
    const place = join(this.#directory, path);
    if (type === "symlink") await this.#compareTarget(place, entry, report);
    if (type === "file") {
      await compareFile(place, stats, entry, report);
      this.#compareHoles(stats, entry, report);
      this.#inodes.set(path, stats.ino);
      this.files += 1;
      this.bytes += entry.size;
    }
  }

  /** The time of a folder in which others make and remove files says nothing, and the root is such a folder in most volumes. */
  #compareTime(stats: BigIntStats, entry: SeedEntry, report: Report): void {
    if (this.#isSameTime(stats.mtimeNs, entry.mtime)) return;
    if (entry.type === "directory" && this.#mayDiffer(entry.path)) return;
    const [actual, wanted] = [stats.mtimeNs, entry.mtime].map((time) =>
      new Date(Number(time / 1_000_000n)).toISOString(),
    );
    report("mtime", `mtime ${actual} (${stats.mtimeNs} ns), should be ${wanted} (${entry.mtime} ns)`);
  }

  #isSameTime(actual: bigint, wanted: bigint): boolean {
    return this.#options.times === "seconds" ? actual / second === wanted / second : actual === wanted;
  }

  #mayDiffer(folder: string): boolean {
    return folder === rootPath || this.#options.directoryTimes === "any" || this.#ignore.mayChange(folder);
  }

  async #compareTarget(place: string, entry: SeedEntry, report: Report): Promise<void> {
    const target = await readlink(place);
    if (target !== entry.target) report("target", `points to ${target}, should point to ${entry.target}`);
  }

  #compareHoles(stats: BigIntStats, entry: SeedEntry, report: Report): void {
    if (this.#options.sparse !== "kept" || entry.extents === undefined) return;
    const allocated = Number(stats.blocks) * 512;
    const allowed = dataBytes(entry) + sparseSlack;
    if (allocated > allowed)
      report("sparse", `takes up ${allocated} bytes; its ${extentsOf(entry).length} extents need at most ${allowed}`);
  }

  #compareHardlinks(): void {
    if (this.#options.hardlinks === "separate") return;
    for (const { path, type, target } of this.#wanted.values()) {
      const inode = this.#inodes.get(path);
      if (type !== "hardlink" || inode === undefined || target === undefined) continue;
      if (this.#inodes.get(target) !== inode) this.#reportFor(path)("hardlink", `is not the same file as ${target}`);
    }
  }
}

/** What has to be allowed of a volume that kopia restored from a copy made with its default settings. */
export const asKopiaRestores = {
  hardlinks: "separate",
  directoryTimes: "any",
  leftOut: ({ leftOutBy }) => leftOutBy !== undefined,
} satisfies CheckOptions;

/** Compares every entry of the volume: type, content, mode, owner, time, link target; and lists what does not belong there. */
export const check = (directory: string, shape: Shape, seed: string, options: CheckOptions = {}): Promise<Checked> =>
  new Check(directory, describeVolume(shape, seed), options).run();
