/**
 * The steps that stop workloads and start them again. Each is the other's way back: what stops is started again, what
 * was started is stopped before the files are exchanged once more.
 */
import { z } from "zod";
import type { Clock } from "../../context.ts";
import type { Presence, StepContext, StepKind } from "../../operation/step-kind.ts";
import type { Kubernetes } from "../../systems/kubernetes/port.ts";
import {
  isStopped,
  othersUsing,
  startWorkload,
  stopWorkload,
  type Waiting,
  waitUntilReady,
  waitUntilUnused,
} from "../standstill.ts";

const input = z.strictObject({
  workloads: z.array(
    z.strictObject({
      kind: z.enum(["Deployment", "StatefulSet", "ReplicaSet"]),
      namespace: z.string(),
      name: z.string(),
      replicas: z.number(),
    }),
  ),
  claims: z.array(z.strictObject({ namespace: z.string(), claim: z.string() })),
});

/** Who stands still, and for which claims. */
export type WorkloadsInput = z.output<typeof input>;

export interface WorkloadsOptions {
  readonly kubernetes: Kubernetes;
  readonly clock: Clock;
  /** ms for each wait. */
  readonly timeout: number;
}

const waitingFor = ({ kubernetes, clock, timeout }: WorkloadsOptions, { signal }: StepContext): Waiting => ({
  kubernetes,
  clock,
  timeout,
  signal,
});

const stop = async (options: WorkloadsOptions, { workloads, claims }: WorkloadsInput, context: StepContext) => {
  for (const workload of workloads) {
    context.signal.throwIfAborted();
    await stopWorkload(options.kubernetes, workload);
  }
  await waitUntilUnused(waitingFor(options, context), claims);
  return null;
};

const start = async (options: WorkloadsOptions, { workloads }: WorkloadsInput): Promise<null> => {
  await Promise.all(workloads.map((workload) => startWorkload(options.kubernetes, workload)));
  return null;
};

const startAndWait = async (options: WorkloadsOptions, wanted: WorkloadsInput, context: StepContext): Promise<null> => {
  await start(options, wanted);
  await waitUntilReady(waitingFor(options, context), wanted.workloads);
  return null;
};

const stopped = async ({ kubernetes }: WorkloadsOptions, { workloads, claims }: WorkloadsInput): Promise<Presence> => {
  const all = await Promise.all(workloads.map((workload) => isStopped(kubernetes, workload)));
  if (all.every(Boolean) && (await othersUsing(kubernetes, claims)).length === 0) return "present";
  return all.some(Boolean) ? "partial" : "absent";
};

const reversed: Readonly<Record<Presence, Presence>> = { present: "absent", partial: "partial", absent: "present" };

/** "stop-workloads": replicas are recorded and set to zero, and no pod uses the claims any more. */
export const stopWorkloads = (options: WorkloadsOptions): StepKind<WorkloadsInput, null> => ({
  kind: "stop-workloads",
  input,
  check: (wanted) => stopped(options, wanted),
  apply: (wanted, context) => stop(options, wanted, context),
  // What ran well before is waited for; after a failure the way back is not made longer.
  undo: (wanted, _, context) => (context.used ? startAndWait(options, wanted, context) : start(options, wanted)),
  redo: (wanted, _, context) => stop(options, wanted, context),
});

/** "start-workloads": replicas are given back, and everything is Ready. */
export const startWorkloads = (options: WorkloadsOptions): StepKind<WorkloadsInput, null> => ({
  kind: "start-workloads",
  input,
  check: async (wanted) => reversed[await stopped(options, wanted)],
  apply: (wanted, context) => startAndWait(options, wanted, context),
  undo: (wanted, _, context) => stop(options, wanted, context),
  redo: (wanted, _, context) => startAndWait(options, wanted, context),
});
