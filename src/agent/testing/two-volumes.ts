/** Two volumes with earlier files, their copies, and the jobs that change them; and how they stand, as values to compare. */
import { lstatSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type CopiedEntry, MemoryRepository } from "../../systems/kopia/memory.ts";
import { isOurs } from "../directories.ts";
import { clear } from "../clear.ts";
import { discard } from "../discard.ts";
import type { ClearJob, DiscardJob, PutBackJob, ReplaceJob, SwapJob } from "../job.ts";
import { putBackAll } from "../mounted.ts";
import { replace } from "../replace.ts";
import { swap } from "../swap.ts";
import { agentBench, type Bench } from "./bench.ts";
import { type Planted, plant, timeOf, treeOf } from "./trees.ts";

const tag = "Signature: 8a477f597d28d172789f06886806bc55\n";
const keys = ["a", "b"] as const;

/** With a tag and a `files` of the app's own: names that ours must not meet. */
const earlier: readonly Planted[] = [
  { path: "config.xml", kind: "file", content: "old", mode: 0o640, uid: 1000, time: 1_600_000_000 },
  { path: "CACHEDIR.TAG", kind: "file", content: `${tag}# of the app`, time: 1_600_000_001 },
  { path: "files", kind: "directory", mode: 0o3755, gid: 1001, time: 1_500_000_000 },
  { path: "files/second-name", kind: "link", linkTo: "config.xml" },
  { path: "link", kind: "symlink", target: "/etc" },
  { path: "lost+found", kind: "directory", mode: 0o700, time: 1_500_000_001 },
];
const earlierRoot = { mode: 0o2770, uid: 1000, gid: 2000, time: 1_650_000_000.123456 };

const copied: readonly CopiedEntry[] = [
  { path: "config.xml", content: "restored", mode: 0o600, uid: 7, gid: 8 },
  { path: "files", type: "directory", mode: 0o1755, mtime: 1_400_000_000_000_000_000n },
  { path: "files/deep", content: "a", mtime: 1_300_000_000_000_000_000n },
  // What a backup brings along of a volume that keeps something.
  { path: ".holdfast-kept-before", type: "directory", mode: 0o700 },
];
const copiedRoot = { mode: 0o2755, uid: 9, gid: 10, mtime: 1_200_000_000_654_321_000n };

/** What `looks` gives for a restored volume; times in µs. */
export const restoredLooks: readonly string[] = [
  ". 42755 9:10 n0 ",
  "config.xml 100600 7:8 1700000000000000 n1 restored",
  "files 41755 0:0 1400000000000000 n0 ",
  "files/deep 100644 0:0 1300000000000000 n1 a",
];
/** µs; the root's own time after a restore. */
export const restoredTime = 1_200_000_000_654_321;

/** Lines of a tree without the inodes, which other files have, and with times in µs. */
export const looks = (lines: readonly string[]): readonly string[] =>
  lines.map((line) => line.replace(/ (\d{16})\d{3} i\d+ /, " $1 "));

/** How one volume stands: lines of trees (`treeOf`, the root's line first). */
export interface Standing {
  readonly app: readonly string[];
  /** Trees that are kept whole, tagged and closed to others, by operation. */
  readonly kept: Readonly<Record<string, readonly string[]>>;
  /** Names of everything else of ours. */
  readonly unfinished: readonly string[];
}

const keptName = /^\.holdfast-kept-(.+)$/;

const keptTree = (directory: string): readonly string[] => {
  const insides = readdirSync(directory).toSorted().join();
  const isTagged = readFileSync(join(directory, "CACHEDIR.TAG"), "utf8").startsWith(tag);
  const isClosed = (lstatSync(directory).mode & 0o077) === 0;
  if (insides !== "CACHEDIR.TAG,files,root" || !isTagged || !isClosed) throw new Error(`${directory}: ${insides}`);
  return [...treeOf(join(directory, "root")), ...treeOf(join(directory, "files")).slice(1)];
};

/** Lines of the app's own tree. */
export const appOf = (root: string): readonly string[] => treeOf(root).filter((line) => !line.startsWith(".holdfast-"));

/** Throws when what is kept is not as it should be. */
export const standingOf = (root: string): Standing => {
  const ours = readdirSync(root).filter(isOurs);
  const kept = ours.flatMap((name) => {
    const operation = keptName.exec(name)?.[1];
    return operation === undefined ? [] : [[operation, keptTree(join(root, name))] as const];
  });
  return {
    app: appOf(root),
    kept: Object.fromEntries(kept),
    unfinished: ours.filter((name) => !keptName.test(name)),
  };
};

/** µs. Before Node.js 24 a time that was set may read back a fraction less. */
export const microsOf = (path: string): number => Math.floor(timeOf(path) * 1000 + 0.25);

/** True when every entry of these lines is somewhere in the volume, in the app's tree or in a directory of ours. */
export const isReachable = (lines: readonly string[], root: string): boolean => {
  const all = new Set(treeOf(root).map((line) => line.replace(/^\.holdfast-[a-z]+-[a-z0-9]+\/files\//, "")));
  return lines.slice(1).every((line) => all.has(line));
};

export interface TwoVolumes {
  readonly bench: Bench;
  readonly roots: readonly string[];
  readonly targets: readonly { readonly key: string; readonly volume: string }[];
  /** Makes both volumes anew, with their earlier files, and forgets what was said. */
  renew(): void;
  said(type: string): boolean;
  /** True when one volume shows that the operation is decided. */
  isDecided(operation: string): boolean;
  run(job: VolumeJob): Promise<void>;
  replace(operation: string): Promise<void>;
  swap(operation: string, kept: string): Promise<void>;
  discard(...operations: readonly string[]): Promise<void>;
  putBack(operation: string): Promise<void>;
}

export type VolumeJob = ReplaceJob | SwapJob | DiscardJob | PutBackJob | ClearJob;

const targets = keys.map((key) => ({ key, volume: `media/${key}` }));

const store = { endpoint: "https://nas.lab", bucket: "velero", region: "home", prefix: "", privateCa: false };
const copies = keys.map((key) => ({ key, volume: `media/${key}`, repository: "media", snapshotId: `s-${key}` }));

/** The jobs on both volumes; their copies are called `s-a` and `s-b`. */
export const jobs = {
  replace: (operation: string): ReplaceJob => ({ kind: "replace", part: "whole", store, operation, targets: copies }),
  clear: (): ClearJob => ({ kind: "clear", part: "remove", store, targets: copies }),
  swap: (operation: string, kept: string): SwapJob => ({ kind: "swap", operation, kept, targets }),
  discard: (...operations: readonly string[]): DiscardJob => ({ kind: "discard", operations, targets }),
  putBack: (operation: string): PutBackJob => ({ kind: "put-back", operation, targets }),
};

/** The caller removes `bench.base`. */
export const twoVolumes = (): TwoVolumes => {
  const bench = agentBench();
  const { context } = bench;
  const repository = new MemoryRepository();
  const root = { ...repository.add("", []).root, ...copiedRoot };
  for (const key of keys) repository.add(`s-${key}`, copied, { root });
  const roots = keys.map((key) => join(context.places.volumes, key));
  const run = (job: VolumeJob): Promise<void> => {
    if (job.kind === "replace") return replace(job, async () => repository, context);
    if (job.kind === "clear") return clear(job, async () => repository, context);
    if (job.kind === "swap") return swap(job, context);
    return job.kind === "discard" ? discard(job, context) : putBackAll(job, context);
  };
  return {
    bench,
    roots,
    targets,
    renew: () => {
      for (const path of roots) rmSync(path, { recursive: true, force: true });
      for (const key of keys) plant(bench.volume(key), earlier, earlierRoot);
      bench.lines.length = 0;
    },
    said: (type) => bench.lines.some((line) => line.type === type),
    isDecided: (operation) => roots.some((path) => readdirSync(path).includes(`.holdfast-kept-${operation}`)),
    run,
    replace: (operation) => run(jobs.replace(operation)),
    swap: (operation, kept) => run(jobs.swap(operation, kept)),
    discard: (...operations) => run(jobs.discard(...operations)),
    putBack: (operation) => run(jobs.putBack(operation)),
  };
};
