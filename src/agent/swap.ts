/**
 * The job "swap": what an operation has kept comes back, and the present files are kept in its place. Present files aside
 * in every volume → kept files back in every volume → all decided together. It ends as before until the first volume is
 * decided, and as wanted from then on; only renames lie between, so that no room is needed.
 */
import { lstat } from "node:fs/promises";
import { Failure } from "../model/failure.ts";
import type { AgentContext } from "./agent-context.ts";
import { moveIntoRoot, setAside } from "./aside.ts";
import { tellKept } from "./kept.ts";
import { prepareDecision } from "./decision.ts";
import { become, directoriesIn, rootOf, type State } from "./directories.ts";
import type { SwapJob } from "./job.ts";
import { decideAll, mend, openTargets, orPutBack, wasDecided } from "./mounted.ts";
import type { Target } from "./target.ts";

export const swap = async (job: SwapJob, context: AgentContext): Promise<void> => {
  const { operation } = job;
  const targets = await openTargets(job.targets, context);
  if (await wasDecided(targets, operation, context)) return;
  // "returning": an earlier run of an exchange stopped in its middle; mending shows which way it goes.
  for (const target of targets) await refuseWithoutKept(target, job.kept, ["kept", "returning"]);
  context.say({ type: "touching" });
  await orPutBack(targets, context, async () => {
    await mend(targets);
    for (const target of targets) await refuseWithoutKept(target, job.kept, ["kept"]);
    for (const { root, volume } of targets) {
      context.say({ type: "step", title: `setting the present files of ${volume} aside` });
      await setAside(root, operation);
      await tellKept({ root, volume }, operation, context);
      context.signal.throwIfAborted();
    }
    for (const { root, volume } of targets) {
      context.say({ type: "step", title: `bringing back what ${volume} had before ${job.kept}` });
      await bringBack(root, job);
      context.signal.throwIfAborted();
    }
  });
  await decideAll(targets, operation, context);
};

const refuseWithoutKept = async ({ root, volume }: Target, kept: string, states: readonly State[]): Promise<void> => {
  const ours = await directoriesIn(root);
  if (ours.some(({ state, operation }) => operation === kept && states.includes(state))) return;
  throw new Failure("OPERATION_NOT_UNDOABLE", {
    what: `${volume} holds nothing that operation ${kept} has kept.`,
    why: "it has expired, was undone already, or somebody has removed it",
  });
};

const bringBack = async (root: string, { operation, kept }: SwapJob): Promise<void> => {
  for (const directory of await directoriesIn(root)) {
    if (directory.state !== "kept" || directory.operation !== kept) continue;
    const returning = await become(directory, "returning");
    await moveIntoRoot(returning);
    await prepareDecision(root, operation, await lstat(rootOf(returning), { bigint: true }));
  }
};
