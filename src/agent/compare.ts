/** Compares a restored tree with the copy's. Pure. */
import type { TreeEntry } from "../model/tree.ts";

const octal = (mode: number): string => mode.toString(8).padStart(4, "0");

/** ns: Node sets times through a floating-point number, and directories' times are set by us. */
const directoryTolerance = 2000n;

/** kopia gives a restored directory the newest time of its content, so that the agent sets its own (directory-times.ts). */
const sameTime = (wanted: TreeEntry, found: TreeEntry, step: bigint): boolean => {
  const difference = wanted.mtime / step - found.mtime / step;
  if (wanted.type !== "directory" || step !== 1n) return difference === 0n;
  return difference < directoryTolerance && difference > -directoryTolerance;
};

/** What differs between the copy's entry and the restored one, in words. */
const differences = (wanted: TreeEntry, found: TreeEntry, step: bigint): readonly string[] => {
  if (wanted.type !== found.type) return [`is a ${found.type}, not a ${wanted.type}`];
  // A link has no mode of its own on Linux.
  const sameMode = wanted.type === "symlink" || wanted.mode === found.mode;
  return [
    ...(wanted.size === found.size ? [] : [`has ${found.size} bytes, not ${wanted.size}`]),
    ...(sameMode ? [] : [`has mode ${octal(found.mode)}, not ${octal(wanted.mode)}`]),
    ...(wanted.uid === found.uid && wanted.gid === found.gid
      ? []
      : [`belongs to ${found.uid}:${found.gid}, not ${wanted.uid}:${wanted.gid}`]),
    ...(sameTime(wanted, found, step) ? [] : [`has the time ${found.mtime}, not ${wanted.mtime}`]),
    ...(wanted.target === found.target ? [] : [`points to "${found.target ?? ""}", not "${wanted.target ?? ""}"`]),
  ];
};

/** Every difference, one line each; `timeStep` (ns) is what the file system can tell apart. Cost: one pass over both trees; memory for the copy's entries. */
export const compareTrees = (
  wanted: readonly TreeEntry[],
  found: readonly TreeEntry[],
  timeStep = 1n,
): readonly string[] => {
  const missing = new Map(wanted.map((entry) => [entry.path, entry]));
  const lines: string[] = [];
  for (const entry of found) {
    const expected = missing.get(entry.path);
    missing.delete(entry.path);
    if (expected === undefined) lines.push(`${entry.path} is not in the copy`);
    else lines.push(...differences(expected, entry, timeStep).map((text) => `${entry.path} ${text}`));
  }
  return [...lines, ...[...missing.keys()].map((path) => `${path} is missing`)];
};
