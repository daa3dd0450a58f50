/**
 * Directories' times: kopia gives a restored directory the newest time of what is below it, although its copy holds the
 * directory's own (kopia 0.22: snapshot/snapshotfs/repofs.go reads MaxModTime of the summary).
 */
import { lutimes, utimes } from "node:fs/promises";
import { join } from "node:path";
import { mapLimited } from "../model/concurrency.ts";
import type { TreeEntry } from "../model/tree.ts";

const atATime = 16;

/** Sets the time of each directory among the entries, exact to the microsecond; a directory that is absent is skipped here and found by the comparison. */
export const setDirectoryTimes = async (root: string, entries: readonly TreeEntry[]): Promise<void> => {
  const directories = entries.filter((entry) => entry.type === "directory");
  await mapLimited(directories, atATime, ({ path, mtime }) => setTime(join(root, path), secondsOf(mtime)));
};

/** The middle of the microsecond: what Node cuts off afterwards does not reach the one before. */
const secondsOf = (mtime: bigint): number => (Number(mtime / 1000n) + 0.5) / 1e6;

const setTime = async (directory: string, seconds: number): Promise<void> => {
  try {
    // Never through a link that lies where a directory should.
    await lutimes(directory, seconds, seconds);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
};

/** Sets a directory's own times. Repeating it with what was read back changes nothing more. */
export const setTimes = (
  directory: string,
  { atimeNs, mtimeNs }: { readonly atimeNs: bigint; readonly mtimeNs: bigint },
): Promise<void> => utimes(directory, secondsOf(atimeNs), secondsOf(mtimeNs));
