/** Work on volumes by an agent that has them for itself: no leftover of a dead process works on them, and no app. */
import type { AgentJob } from "../../agent/job.ts";
import type { AgentLine } from "../../agent/lines.ts";
import type { Clock } from "../../context.ts";
import { isFailure } from "../../model/failure.ts";
import { formatBytes } from "../../model/units.ts";
import type { StepContext } from "../../operation/step-kind.ts";
import { clearLeftovers } from "../../systems/agent/leftovers.ts";
import type { Agents } from "../../systems/agent/port.ts";
import type { Kubernetes } from "../../systems/kubernetes/port.ts";
import { type DataMover, mountsOf, type Mover } from "../movers/replacement.ts";
import { whileUnused } from "../undisturbed.ts";
import type { FilesInput } from "./files-input.ts";

export interface OnVolumes {
  readonly agents: () => Promise<Agents>;
  readonly mover: (mover: Mover) => Promise<DataMover>;
  readonly kubernetes: Kubernetes;
  readonly clock: Clock;
  /** Where agents run. */
  readonly namespace: string;
  /** ms to wait for an agent that an earlier process has started. */
  readonly timeout: number;
}

interface Run {
  readonly job: AgentJob;
  readonly onLine?: (line: AgentLine) => unknown;
}

/** Runs a job of the agent alone on the volumes, while nobody else uses them. */
export const runAlone = async (options: OnVolumes, wanted: FilesInput, context: StepContext, { job, onLine }: Run) => {
  const { items } = wanted;
  const agents = await options.agents();
  const task = { operation: context.operation, job, mounts: mountsOf(items) };
  await undisturbed(options, wanted, context, (signal) =>
    agents.run(
      task,
      (line) => {
        tell(context, line);
        onLine?.(line);
      },
      signal,
    ),
  );
};

export const undisturbed = async (
  options: OnVolumes,
  wanted: FilesInput,
  context: StepContext,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> => {
  const { kubernetes, clock } = options;
  await untilFree(options, wanted, context);
  await whileUnused({ kubernetes, clock, signal: context.signal }, wanted.items, work);
};

const lookEvery = 1000;

/**
 * Tidies away what dead processes have left. The lock is ours; but an agent of a process that died holding it may still
 * be working: it ends by itself, and until then nobody else may write.
 */
export const untilFree = async (
  { kubernetes, clock, namespace, timeout, mover: open }: OnVolumes,
  { items, mover }: FilesInput,
  context: StepContext,
): Promise<void> => {
  const deadline = clock.now() + timeout;
  for (let isTold = false; ; isTold = true) {
    try {
      await (await open(mover)).clear(context.operation);
      await clearLeftovers(kubernetes, items, namespace, clock.now());
      return;
    } catch (error) {
      if (!isFailure(error, "LOCKED") || clock.now() > deadline) throw error;
      if (!isTold) context.say(`waiting until what an earlier process has started has ended: ${error.why ?? ""}`);
    }
    await clock.sleep(lookEvery, context.signal);
  }
};

export const tell = (context: StepContext, line: AgentLine): void => {
  if (line.type === "step") context.say(line.title);
  if (line.type === "progress") context.say(`${line.files} files, ${formatBytes(line.bytes)}`, line);
};
