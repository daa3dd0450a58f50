/** Reads the tree of a mounted volume. Symbolic links are never followed. */
import { lstat, readdir, readlink } from "node:fs/promises";
import type { BigIntStats } from "node:fs";
import { join } from "node:path";
import { mapLimited } from "../model/concurrency.ts";
import type { TreeEntry } from "../model/tree.ts";

export interface LiveEntry extends TreeEntry {
  /** Names that the same file has. */
  readonly links: number;
  /** The same for all names of a file, as long as it is of one file system. */
  readonly inode: bigint;
  /** Bytes that it takes on the disk: blocks, not the length of the content. */
  readonly allocated: number;
}

const atATime = 16;
/** The unit of `st_blocks`, whatever the file system's own block is. */
const blockBytes = 512;

const typeOf = (stats: BigIntStats): TreeEntry["type"] => {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  return stats.isSymbolicLink() ? "symlink" : "other";
};

/** Names are bytes: one that is not UTF-8 could not be found again by its text. */
const inside = (directory: Buffer, name: Buffer): Buffer => Buffer.concat([directory, Buffer.from("/"), name]);

/** One entry of the tree at `root`; the root itself has the path "". */
export const readEntry = (root: string, path: string): Promise<LiveEntry> =>
  entryAt(Buffer.from(join(root, path)), path);

const entryAt = async (file: Buffer, path: string): Promise<LiveEntry> => {
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
    inode: stats.ino,
    allocated: Number(stats.blocks) * blockBytes,
    ...(type === "symlink" ? { target: await readlink(file) } : {}),
  };
};

interface Found {
  readonly file: Buffer;
  readonly entry: LiveEntry;
}

/** Every entry below `root` but those directly below it that are `ignored`; level by level, so that memory holds one level. */
export async function* readTree(root: string, ignored: (name: string) => boolean): AsyncIterable<LiveEntry> {
  let level: readonly { readonly file: Buffer; readonly path: string }[] = [{ file: Buffer.from(root), path: "" }];
  while (level.length > 0) {
    const next: { readonly file: Buffer; readonly path: string }[] = [];
    for (const { file, path } of level) {
      const names = (await readdir(file, { encoding: "buffer" }))
        .filter((name) => path !== "" || !ignored(name.toString()))
        .toSorted((one, other) => Buffer.compare(one, other));
      const found = await mapLimited(names, atATime, async (name): Promise<Found> => {
        const inner = inside(file, name);
        return {
          file: inner,
          entry: await entryAt(inner, path === "" ? name.toString() : `${path}/${name.toString()}`),
        };
      });
      yield* found.map(({ entry }) => entry);
      next.push(
        ...found
          .filter(({ entry }) => entry.type === "directory")
          .map(({ file, entry }) => ({ file, path: entry.path })),
      );
    }
    level = next;
  }
}
