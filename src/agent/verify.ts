/** Is what lies in a volume what its copy holds? And how much is it? */
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { Failure } from "../model/failure.ts";
import type { TreeEntry } from "../model/tree.ts";
import type { CopyEntry } from "../systems/kopia/port.ts";
import type { AgentContext } from "./agent-context.ts";
import { compareTrees } from "./compare.ts";
import { checkDatabases, databaseCandidates } from "./databases.ts";
import { isOurs } from "./directories.ts";
import { setDirectoryTimes } from "./directory-times.ts";
import { leftOutOf } from "./left-out.ts";
import type { ReplacedVolume } from "./lines.ts";
import { readEntry, readTree } from "./live-tree.ts";
import type { Replacement } from "./replace.ts";
import type { Target } from "./target.ts";
import { timeStep } from "./time-step.ts";

/** Differences that are shown; their number is always told. */
const shown = 5;

/** Throws VERIFICATION_FAILED with the first differences. Sets the directories' times before it compares, since kopia does not. */
export const verify = async (
  { volume, target, snapshot, copyTree: wanted }: Replacement,
  operation: string,
  context: AgentContext,
): Promise<ReplacedVolume> => {
  await setDirectoryTimes(target.root, wanted);
  const found = await collect(readTree(target.root, isOurs));
  const step = await timeStep(target.root, `.holdfast-probe-${operation}`);
  const problems = [
    ...compareTrees(wanted.filter(isAppData), found, step),
    ...(await rootProblems(target, snapshot.root)),
  ];
  const paths = new Set(found.map((entry) => entry.path));
  const read = (path: string): AsyncIterable<Uint8Array> | undefined =>
    paths.has(path) ? createReadStream(join(target.root, path)) : undefined;
  const scratch = join(context.places.scratch, "databases", volume.key);
  const databases = await checkDatabases(databaseCandidates(found), read, scratch);
  const all = [...problems, ...databases.problems];
  if (all.length > 0) {
    throw new Failure("VERIFICATION_FAILED", {
      what: `What was restored into ${volume.volume} differs from its copy in ${all.length} places.`,
      why: all.slice(0, shown).join("; "),
    });
  }
  return {
    volume: volume.volume,
    ...countsOf(found),
    databases: databases.checked,
    notKept: [...leftOutOf(snapshot, wanted), ...(await lostLinks(target.root)), ...roundedTimes(wanted, step)],
  };
};

/** What stands in a volume that an earlier run has verified; what that run found about it is not known any more. */
export const countVolume = async ({ root, volume }: Target): Promise<ReplacedVolume> => ({
  volume,
  ...countsOf(await collect(readTree(root, isOurs))),
  databases: 0,
  notKept: ["verified by an earlier run of this operation, which knew what the copy could not bring back"],
});

const countsOf = (
  entries: readonly TreeEntry[],
): Pick<ReplacedVolume, "files" | "directories" | "symlinks" | "bytes"> => {
  const of = (type: TreeEntry["type"]): number => entries.filter((entry) => entry.type === type).length;
  return {
    files: of("file"),
    directories: of("directory"),
    symlinks: of("symlink"),
    bytes: entries.reduce((sum, entry) => sum + entry.size, 0),
  };
};

const roundedTimes = (wanted: readonly TreeEntry[], step: bigint): readonly string[] => {
  const rounded = wanted.filter((entry) => entry.mtime % step !== 0n).length;
  return rounded === 0
    ? []
    : [`${rounded} times are rounded: this file system keeps them in steps of ${Number(step) / 1e6} ms`];
};

/** All items, in their order. */
export const collect = async <T>(items: AsyncIterable<T>): Promise<readonly T[]> => {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
};

const isAppData = (entry: TreeEntry): boolean => !isOurs(entry.path.split("/")[0] ?? "");

/** The root's time is left out: it changes with each rename of ours, and is set after the last. */
const rootProblems = async (target: Target, wanted: CopyEntry): Promise<readonly string[]> => {
  const root = await readEntry(target.root, "");
  return compareTrees(
    [{ ...wanted, path: "the volume's root", mtime: 0n }],
    [{ ...root, path: "the volume's root", mtime: 0n }],
  );
};

/** kopia copies each name of a file for itself: what was one file with several names becomes several files. */
const lostLinks = async (root: string): Promise<readonly string[]> => {
  let names = 0;
  for await (const entry of readTree(root, (name) => !name.startsWith(".holdfast-aside-"))) {
    if (entry.type === "file" && entry.links > 1) names += 1;
  }
  return names === 0
    ? []
    : [`${names} names of the earlier files were hard links; kopia brings each back as a file of its own`];
};
