/** Reads the tree of a mounted volume. Symbolic links are never followed. */
import { lstat, readdir, readlink } from "node:fs/promises";
import type { BigIntStats } from "node:fs";
import { join } from "node:path";
import { mapLimited } from "../model/concurrency.ts";
import type { TreeEntry } from "../model/tree.ts";

export interface LiveEntry extends TreeEntry {
  /** Names that the same file has. */
  readonly links: number;
}

const atATime = 16;

const typeOf = (stats: BigIntStats): TreeEntry["type"] => {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  return stats.isSymbolicLink() ? "symlink" : "other";
};

/** One entry of the tree at `root`; the root itself has the path "". */
export const readEntry = async (root: string, path: string): Promise<LiveEntry> => {
  const file = join(root, path);
  const stats = await lstat(file, { bigint: true });
  const type = typeOf(stats);
  return {
    path,
    type,
    mode: Number(stats.mode & 0o7777n),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    size: type === "file" ? Number(stats.size) : 0,
    mtime: stats.mtimeNs,
    links: Number(stats.nlink),
    ...(type === "symlink" ? { target: await readlink(file) } : {}),
  };
};

/** Every entry below `root` but those directly below it that are `ignored`; level by level, so that memory holds one level. */
export async function* readTree(root: string, ignored: (name: string) => boolean): AsyncIterable<LiveEntry> {
  let level: readonly string[] = [""];
  while (level.length > 0) {
    const next: string[] = [];
    for (const directory of level) {
      const names = (await readdir(join(root, directory))).filter((name) => directory !== "" || !ignored(name)).toSorted();
      const entries = await mapLimited(names, atATime, (name) => readEntry(root, directory === "" ? name : `${directory}/${name}`));
      yield* entries;
      next.push(...entries.filter((entry) => entry.type === "directory").map((entry) => entry.path));
    }
    level = next;
  }
}
