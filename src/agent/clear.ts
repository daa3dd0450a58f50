/**
 * The job "clear", in two parts: before the first file of a volume goes for good, every copy is read through to its last
 * byte, since from then on it is all that there is.
 */
import { rm } from "node:fs/promises";
import { Failure } from "../model/failure.ts";
import { formatBytes } from "../model/units.ts";
import type { AgentContext } from "./agent-context.ts";
import { entriesIn, inside } from "./aside.ts";
import { type CopyForVolume, openCopies } from "./copies.ts";
import type { ClearJob } from "./job.ts";
import { mend, openTargets } from "./mounted.ts";
import type { OpenRepository } from "./repositories.ts";
import { freeBytes, neededBytes, type Target } from "./target.ts";
import { treeSize } from "./tree-size.ts";

export const clear = async (job: ClearJob, open: OpenRepository, context: AgentContext): Promise<void> => {
  const targets = await openTargets(job.targets, context);
  const copies = await openCopies(job.targets, targets, open);
  if (job.part === "remove") await mend(targets);
  const work = job.part === "prove" ? prove : remove;
  for (const copy of copies) await work(copy, context);
};

const prove = async (copy: CopyForVolume, context: AgentContext): Promise<void> => {
  const { target, snapshot, repository } = copy;
  context.say({ type: "step", title: `reading the copy of ${target.volume} through` });
  await repository.verify([snapshot.id], 100);
  context.signal.throwIfAborted();
  await demandEnough(copy);
};

const remove = async ({ target, snapshot }: CopyForVolume, context: AgentContext): Promise<void> => {
  context.say({ type: "step", title: `removing the present files of ${target.volume}` });
  context.say({ type: "touching" });
  for (const name of await entriesIn(target.root)) {
    context.signal.throwIfAborted();
    await rm(inside(target.root, name), { recursive: true });
  }
  await untilFree(target, neededBytes(snapshot), context);
};

/** Throws TARGET_TOO_SMALL when the copy would not fit into what the volume has without its present files. */
const demandEnough = async ({ target, snapshot }: CopyForVolume): Promise<void> => {
  const [free, present] = [await freeBytes(target.root), await treeSize(target.root)];
  const needed = neededBytes(snapshot);
  if (needed <= free + present.bytes) return;
  throw new Failure("TARGET_TOO_SMALL", {
    what: `The copy needs ${formatBytes(needed)} in ${target.volume}, which has no more than ${formatBytes(free + present.bytes)} without its present files.`,
    todo: "Grow the claim, free what earlier restores have kept in it (`holdfast settle`), or restore into a larger one with --to NAMESPACE/PVC.",
  });
};

/** ms: ZFS gives room back some seconds after files have gone. */
const longestWait = 60_000;
const lookEvery = 500;

const untilFree = async (target: Target, needed: number, { clock, signal }: AgentContext): Promise<void> => {
  const deadline = clock.now() + longestWait;
  for (;;) {
    const free = await freeBytes(target.root);
    if (needed <= free) return;
    if (clock.now() > deadline)
      throw new Failure("TARGET_TOO_SMALL", {
        what: `The copy needs ${formatBytes(needed)} in ${target.volume}, which has ${formatBytes(free)} free now that its files are gone.`,
        why: "something else still holds the room: snapshots that count against its quota, or a pool that is full",
        todo: "Make room on the NAS, then `holdfast resume`: the copy is whole.",
      });
    await clock.sleep(lookEvery, signal);
  }
};
