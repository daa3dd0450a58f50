/** All volumes of a job together: opened, put back, or decided. */
import { Failure, messageOf } from "../model/failure.ts";
import type { AgentContext } from "./agent-context.ts";
import { putBack } from "./aside.ts";
import { decide, finishDecided, isDecided, settle } from "./decision.ts";
import type { MountedVolume, PutBackJob } from "./job.ts";
import { openTarget, type Target } from "./target.ts";

export const openTargets = async (
  volumes: readonly MountedVolume[],
  context: AgentContext,
): Promise<readonly Target[]> => {
  const targets: Target[] = [];
  for (const volume of volumes) targets.push(await openTarget(context, volume));
  return targets;
};

const rootsOf = (targets: readonly Target[]): readonly string[] => targets.map(({ root }) => root);

/** Every volume gets its try: one that resists must not keep the others from their files. */
export const putBackEach = async (targets: readonly Target[], reason?: unknown): Promise<void> => {
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
    todo: "Run it again: that puts them back first (.holdfast-aside-…).",
  });
};

/** Leaves nothing of an earlier operation half done: what was decided anywhere is finished everywhere, the rest is put back. */
export const mend = async (targets: readonly Target[]): Promise<void> => {
  await finishDecided(rootsOf(targets));
  for (const { root } of targets) await putBack(root);
};

/** The job "put-back". */
export const putBackAll = async (job: PutBackJob, context: AgentContext): Promise<void> => {
  const targets = await openTargets(job.targets, context);
  if (await isDecided(rootsOf(targets), job.operation)) context.say({ type: "decided" });
  await finishDecided(rootsOf(targets));
  await putBackEach(targets);
};

/** Runs what can be undone. Whatever ends it early, every volume is as before when the error is thrown on. */
export const orPutBack = async <T>(
  targets: readonly Target[],
  context: AgentContext,
  work: () => Promise<T>,
): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    context.say({ type: "step", title: "putting the earlier files back" });
    await putBackEach(targets, error);
    context.say({ type: "as-before" });
    throw error;
  }
};

/** True when an earlier run has decided this operation, which is then finished in all volumes: nothing is left to do. */
export const wasDecided = async (
  targets: readonly Target[],
  operation: string,
  context: AgentContext,
): Promise<boolean> => {
  if (!(await isDecided(rootsOf(targets), operation))) return false;
  context.say({ type: "decided" });
  await finishDecided(rootsOf(targets));
  return true;
};

/** From the first volume on nothing leads back. Gives what could not be tidied up, by volume, in words. */
export const decideAll = async (
  targets: readonly Target[],
  operation: string,
  context: AgentContext,
): Promise<readonly (readonly string[])[]> => {
  for (const [index, { root }] of targets.entries()) {
    await decide(root, operation);
    if (index === 0) context.say({ type: "decided" });
  }
  const leftovers: (readonly string[])[] = [];
  for (const { root } of targets) leftovers.push(await settle(root));
  return leftovers;
};
