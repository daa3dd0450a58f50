/**
 * The job "replace": present files aside → copy in → compare → done, or everything back as it was. All volumes of the
 * job succeed together: nothing that was set aside is given up before every volume is verified.
 */
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { mapTogether } from "../model/concurrency.ts";
import { Failure, messageOf } from "../model/failure.ts";
import type { TreeEntry } from "../model/tree.ts";
import type { CopyEntry, KopiaSnapshot, Repository } from "../systems/kopia/port.ts";
import type { AgentContext } from "./agent-context.ts";
import { setDirectoryTimes } from "./directory-times.ts";
import { discardAside, giveUpAside, isUnfinished, putBack, setAside, staysPut } from "./aside.ts";
import { compareTrees } from "./compare.ts";
import { checkDatabases, databaseCandidates } from "./databases.ts";
import type { PutBackJob, ReplaceJob, TargetVolume } from "./job.ts";
import { leftOutOf } from "./left-out.ts";
import { readEntry, readTree } from "./live-tree.ts";
import type { ReplacedVolume } from "./lines.ts";
import type { OpenRepository } from "./repositories.ts";
import { timeStep } from "./time-step.ts";
import { checkRoom, checkSameDevice, openTarget, type Target } from "./target.ts";

interface Replacement {
  readonly volume: TargetVolume;
  readonly target: Target;
  readonly repository: Repository;
  readonly snapshot: KopiaSnapshot;
  /** Every entry of the copy; read once, and early, since kopia writes the files meanwhile. */
  readonly copyTree: () => Promise<readonly CopyEntry[]>;
}

const once = <T>(make: () => Promise<T>): (() => Promise<T>) => {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
};

/** Files of a volume that are written at a time, and volumes. */
const parallel = 8;
const volumesAtATime = 3;

export const replace = async (job: ReplaceJob, open: OpenRepository, context: AgentContext): Promise<void> => {
  const replacements = await openAll(job, open, context);
  context.say({ type: "touching" });
  let results: readonly ReplacedVolume[];
  try {
    if (job.part !== "after") await makeRoom(job, replacements, context);
    if (job.part === "whole") await putIn(replacements, context);
    if (job.part === "before") return;
    results = await verifyAll(job, replacements, context);
  } catch (error) {
    context.say({ type: "step", title: "putting the earlier files back" });
    await putBackEach(
      replacements.map(({ target }) => target),
      error,
    );
    context.say({ type: "as-before" });
    throw error;
  }
  await finish(replacements, results, context);
};

/** Puts back what an interrupted replacement has left. */
export const putBackAll = async (job: PutBackJob, context: AgentContext): Promise<void> => {
  const targets: Target[] = [];
  for (const volume of job.targets) targets.push(await openTarget(context, volume));
  await putBackEach(targets);
};

/** Every volume gets its try: one that resists must not keep the others from their files. */
const putBackEach = async (targets: readonly Target[], reason?: unknown): Promise<void> => {
  const problems: string[] = [];
  for (const { root, volume } of targets) {
    try {
      await putBack(root);
    } catch (error) {
      problems.push(`${volume}: ${messageOf(error)}`);
    }
  }
  if (problems.length === 0) return;
  throw new Failure("AGENT_FAILED", {
    what: "The earlier files could not be put back.",
    why: [...(reason === undefined ? [] : [messageOf(reason)]), ...problems].join("; then "),
    todo: "Run the same restore again: it puts them back first (.holdfast-aside-…).",
  });
};

/** Everything that can be refused is refused here, before any volume is touched. */
const openAll = async (
  job: ReplaceJob,
  open: OpenRepository,
  context: AgentContext,
): Promise<readonly Replacement[]> => {
  const replacements: Replacement[] = [];
  // All at a time: opening one takes a second of deriving keys and reading indexes.
  await Promise.all([...new Set(job.targets.map((volume) => volume.repository))].map(open));
  for (const volume of job.targets) {
    const target = await openTarget(context, volume);
    const repository = await open(volume.repository);
    const snapshot = await repository.snapshot(volume.snapshotId);
    await refuseHalfTree(volume, repository, snapshot);
    replacements.push({
      volume,
      target,
      repository,
      snapshot,
      copyTree: once(() => collect(repository.entries(snapshot))),
    });
  }
  return replacements;
};

/** Such a copy is of no single moment, and its names of ours would be taken for what this restore sets aside. */
const refuseHalfTree = async (
  { volume }: TargetVolume,
  repository: Repository,
  snapshot: KopiaSnapshot,
): Promise<void> => {
  for await (const { path } of repository.entries(snapshot)) {
    if (path.includes("/")) return;
    if (isUnfinished(path))
      throw new Failure("COPY_CORRUPT", {
        what: `The copy of ${volume} was made in the middle of a restore.`,
        why: `it holds ${path}`,
        todo: "Take another point; `holdfast points` lists them.",
      });
  }
};

const makeRoom = async (
  job: ReplaceJob,
  replacements: readonly Replacement[],
  context: AgentContext,
): Promise<void> => {
  for (const { target, snapshot } of replacements) {
    await putBack(target.root);
    await checkRoom(target, { bytes: snapshot.bytes, entries: snapshot.files + snapshot.directories });
  }
  for (const { target, volume } of replacements) {
    context.say({ type: "step", title: `setting the present files of ${volume.volume} aside` });
    await setAside(target.root, job.operation);
    context.signal.throwIfAborted();
  }
};

/** When one fails the others are stopped, and all have ended before anything is put back. */
const putIn = (replacements: readonly Replacement[], context: AgentContext): Promise<void> =>
  mapTogether(
    replacements,
    volumesAtATime,
    async ({ volume, target, repository, snapshot, copyTree }, signal) => {
      context.say({ type: "step", title: `putting ${snapshot.files} files into ${volume.volume}` });
      const restoring = repository.restore(snapshot, target.root, {
        parallel,
        signal,
        onProgress: (progress) => context.say({ type: "progress", volume: volume.volume, ...progress }),
      });
      // What is wrong with the tree shows when it is compared; here it is only fetched.
      const [restored] = await Promise.allSettled([restoring, copyTree()]);
      if (restored.status === "rejected") throw restored.reason;
      await checkSameDevice(target);
    },
    context.signal,
  );

const verifyAll = async (
  job: ReplaceJob,
  replacements: readonly Replacement[],
  context: AgentContext,
): Promise<readonly ReplacedVolume[]> => {
  const results = new Map<Replacement, ReplacedVolume>();
  await mapTogether(
    replacements,
    volumesAtATime,
    async (replacement) => {
      context.say({ type: "step", title: `comparing ${replacement.volume.volume} with its copy` });
      results.set(replacement, await verify(replacement, job.operation, context));
    },
    context.signal,
  );
  return replacements.flatMap((replacement) => results.get(replacement) ?? []);
};

/** All volumes are verified, and from here on the new files stay: nothing may lead back to some of the earlier ones. */
const finish = async (
  replacements: readonly Replacement[],
  results: readonly ReplacedVolume[],
  context: AgentContext,
): Promise<void> => {
  for (const { target } of replacements) await giveUpAside(target.root);
  for (const [index, { target, snapshot }] of replacements.entries()) {
    const leftover = await leftoverOf(target.root);
    // Our own directory has gone from the root, which changed its time.
    await setDirectoryTimes(target.root, [snapshot.root]);
    const result = results[index];
    if (result !== undefined)
      context.say({ type: "replaced", result: { ...result, notKept: [...result.notKept, ...leftover] } });
  }
};

/** Earlier files that cannot be removed only take room: that is told, and no reason to fail a verified restore. */
const leftoverOf = async (root: string): Promise<readonly string[]> => {
  try {
    await discardAside(root);
    return [];
  } catch (error) {
    return [`the earlier files could not be removed whole and lie in .holdfast-discard-…: ${messageOf(error)}`];
  }
};

/** Differences that are shown; their number is always told. */
const shown = 5;

const verify = async (
  { volume, target, snapshot, copyTree }: Replacement,
  operation: string,
  context: AgentContext,
): Promise<ReplacedVolume> => {
  const wanted = await copyTree();
  await setDirectoryTimes(target.root, wanted);
  const found = await collect(readTree(target.root, staysPut));
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
  const of = (type: TreeEntry["type"]): number => found.filter((entry) => entry.type === type).length;
  return {
    volume: volume.volume,
    files: of("file"),
    directories: of("directory"),
    symlinks: of("symlink"),
    bytes: found.reduce((sum, entry) => sum + entry.size, 0),
    databases: databases.checked,
    notKept: [...leftOutOf(snapshot, wanted), ...(await lostLinks(target.root)), ...roundedTimes(wanted, step)],
  };
};

const roundedTimes = (wanted: readonly TreeEntry[], step: bigint): readonly string[] => {
  const rounded = wanted.filter((entry) => entry.mtime % step !== 0n).length;
  return rounded === 0
    ? []
    : [`${rounded} times are rounded: this file system keeps them in steps of ${Number(step) / 1e6} ms`];
};

const collect = async <T>(items: AsyncIterable<T>): Promise<readonly T[]> => {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
};

const isAppData = (entry: TreeEntry): boolean => !staysPut(entry.path.split("/")[0] ?? "");

/** The root's time is left out: it changes when our directory goes, and is set afterwards. */
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
