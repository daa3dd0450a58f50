/**
 * What kopia is to fetch ahead of a restore. By itself it asks the store for each file's content apart; fetched ahead,
 * small files come by the pack, many at a time. Pure.
 */
import type { CopyEntry } from "../systems/kopia/port.ts";

/** Bytes up to which a file's content shares its pack with many others; a larger one is asked for by itself just as well. */
const smallFile = 1 << 20;

/** Below this many files it is not worth a process. */
const fewFiles = 64;

/** The small files among these that have room in `budget` bytes, in their order; none when there are few. */
export const filesToFetch = (entries: readonly CopyEntry[], budget: number): readonly CopyEntry[] => {
  const files: CopyEntry[] = [];
  let left = budget;
  for (const entry of entries) {
    if (entry.type !== "file" || entry.size === 0 || entry.size > smallFile || entry.size > left) continue;
    files.push(entry);
    left -= entry.size;
  }
  return files.length < fewFiles ? [] : files;
};

const mostBytes = 2 ** 30;

/**
 * Bytes that may be fetched ahead into a file system with this much room, which other pods of the node need too. kopia
 * takes a whole pack of 20 MB when 5 MB of it are wanted, so it may be four times as much in the end.
 */
export const budgetFor = (freeBytes: number): number => Math.min(mostBytes, Math.floor(freeBytes / 16));

/**
 * Whether holes are to be looked for while these are written. kopia looks at every block of every file, which on a file
 * system with small blocks takes longer than the writing; small files have no hole that is worth it.
 */
export const mayHaveHoles = (entries: readonly CopyEntry[]): boolean => entries.some(({ size }) => size >= smallFile);
