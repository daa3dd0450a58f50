/**
 * The job "replace": present files aside → copy in → compare → decide, or everything back as it was. All volumes of the
 * job succeed together: what was set aside is put back until every volume is verified, and kept from then on.
 */
import { mapLimited, mapTogether } from "../model/concurrency.ts";
import { Failure } from "../model/failure.ts";
import type { CopyEntry } from "../systems/kopia/port.ts";
import type { AgentContext } from "./agent-context.ts";
import { budgetFor, filesToFetch, mayHaveHoles } from "./ahead.ts";
import { setAside } from "./aside.ts";
import { type CopyForVolume, openCopies } from "./copies.ts";
import { prepareDecision } from "./decision.ts";
import { isUnfinished } from "./directories.ts";
import type { ReplaceJob, TargetVolume } from "./job.ts";
import type { ReplacedVolume } from "./lines.ts";
import { tellKept } from "./kept.ts";
import { decideAll, mend, openTargets, orPutBack, wasDecided } from "./mounted.ts";
import type { OpenRepository } from "./repositories.ts";
import { checkRoom, checkSameDevice, freeBytes, type Target } from "./target.ts";
import { collect, countVolume, verify } from "./verify.ts";

export interface Replacement extends CopyForVolume {
  /** Every entry of the copy. */
  readonly copyTree: readonly CopyEntry[];
}

/** Files of a volume that are written at a time, and volumes. */
const parallel = 8;
const volumesAtATime = 3;

export const replace = async (job: ReplaceJob, open: OpenRepository, context: AgentContext): Promise<void> => {
  const targets = await openTargets(job.targets, context);
  if (await wasDecided(targets, job.operation, context)) return sayWhatStands(targets, job.operation, context);
  const replacements = await openAll(job, targets, open);
  if (job.part === "whole") await fetchAhead(replacements, context);
  context.say({ type: "touching" });
  const results = await orPutBack(targets, context, () => putInAndVerify(job, replacements, context));
  if (results === undefined) return;
  const leftovers = await decideAll(targets, job.operation, context);
  for (const [index, result] of results.entries()) {
    const notKept = [...result.notKept, ...(leftovers[index] ?? [])];
    context.say({ type: "replaced", result: { ...result, notKept } });
  }
};

/**
 * What an earlier run has decided is not compared again: every volume of it was, before the first was decided, and the
 * app may have written since. It is counted, which costs one `lstat` for each entry and needs no repository.
 */
const sayWhatStands = async (targets: readonly Target[], operation: string, context: AgentContext): Promise<void> => {
  for (const target of targets) {
    context.say({ type: "replaced", result: await countVolume(target) });
    await tellKept(target, operation, context);
  }
};

/** Gives undefined when the files are somebody else's to write. */
const putInAndVerify = async (
  job: ReplaceJob,
  replacements: readonly Replacement[],
  context: AgentContext,
): Promise<readonly ReplacedVolume[] | undefined> => {
  if (job.part !== "after") await makeRoom(job, replacements, context);
  if (job.part === "whole") await putIn(job, replacements, context);
  if (job.part === "before") {
    for (const { target } of replacements) await tellKept(target, job.operation, context);
    return undefined;
  }
  const results = await verifyAll(job, replacements, context);
  for (const { target, snapshot } of replacements) {
    const { mtime } = snapshot.root;
    await prepareDecision(target.root, job.operation, { atimeNs: mtime, mtimeNs: mtime });
  }
  return results;
};

/** Everything that can be refused is refused here, before any volume is touched. */
const openAll = async (
  job: ReplaceJob,
  targets: readonly Target[],
  open: OpenRepository,
): Promise<readonly Replacement[]> => {
  const copies = await openCopies(job.targets, targets, open);
  return mapLimited(copies, volumesAtATime, async (copy) => {
    const copyTree = await collect(copy.repository.entries(copy.snapshot));
    refuseHalfTree(copy.volume, copyTree);
    return { ...copy, copyTree };
  });
};

/** Such a copy is of no single moment, and its names of ours would be taken for what this restore sets aside. */
const refuseHalfTree = ({ volume }: TargetVolume, copyTree: readonly CopyEntry[]): void => {
  const half = copyTree.find(({ path }) => !path.includes("/") && isUnfinished(path));
  if (half === undefined) return;
  throw new Failure("COPY_CORRUPT", {
    what: `The copy of ${volume} was made in the middle of a restore.`,
    why: `it holds ${half.path}`,
    todo: "Take another point; `holdfast points` lists them.",
  });
};

/** One volume after the other would ask a repository that they share several times for the same packs. */
const fetchAhead = async (replacements: readonly Replacement[], context: AgentContext): Promise<void> => {
  const budget = budgetFor(await freeBytes(context.places.scratch));
  const repositories = new Set(replacements.map(({ repository }) => repository));
  for (const repository of repositories) {
    const entries = replacements.filter((one) => one.repository === repository).flatMap(({ copyTree }) => copyTree);
    const files = filesToFetch(entries, Math.floor(budget / repositories.size));
    if (files.length === 0) continue;
    context.say({ type: "step", title: `fetching ${files.length} small files` });
    await repository.prefetch(files, context.signal);
  }
};

const makeRoom = async (
  job: ReplaceJob,
  replacements: readonly Replacement[],
  context: AgentContext,
): Promise<void> => {
  await mend(replacements.map(({ target }) => target));
  for (const { target, snapshot } of replacements) await checkRoom(target, snapshot);
  for (const { target, volume } of replacements) {
    context.say({ type: "step", title: `setting the present files of ${volume.volume} aside` });
    await setAside(target.root, job.operation);
    context.signal.throwIfAborted();
  }
};

/** When one fails the others are stopped, and all have ended before anything is put back. */
const putIn = (job: ReplaceJob, replacements: readonly Replacement[], context: AgentContext): Promise<void> =>
  mapTogether(
    replacements,
    volumesAtATime,
    async ({ volume, target, repository, snapshot, copyTree }, signal) => {
      context.say({ type: "step", title: `putting ${snapshot.files} files into ${volume.volume}` });
      const restoring = repository.restore(snapshot, target.root, {
        parallel,
        sparse: mayHaveHoles(copyTree),
        signal,
        onProgress: (progress) => context.say({ type: "progress", volume: volume.volume, ...progress }),
      });
      const [restored, told] = await Promise.allSettled([restoring, tellKept(target, job.operation, context)]);
      for (const result of [restored, told]) if (result.status === "rejected") throw result.reason;
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
