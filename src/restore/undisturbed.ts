/** Work on volumes' files while it is watched that nobody starts their app. */
import type { Clock } from "../context.ts";
import { Failure } from "../model/failure.ts";
import type { Kubernetes } from "../systems/kubernetes/port.ts";
import { type ClaimName, othersUsing } from "./standstill.ts";

export interface Watching {
  readonly kubernetes: Kubernetes;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const interval = 500;

/** Throws APP_CAME_BACK, after `work` has ended, when a pod that is not ours uses one of the claims meanwhile. */
export const whileUnused = async (
  watching: Watching,
  claims: readonly ClaimName[],
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> => {
  const over = new AbortController();
  const stop = new AbortController();
  const guard = guardAgainstReturn(watching, claims, over.signal).catch((error: unknown) => stop.abort(error));
  try {
    await work(AbortSignal.any([watching.signal, stop.signal]));
  } catch (error) {
    // Work that was told to stop says only that; why it was told is known here.
    throw stop.signal.aborted && !watching.signal.aborted ? stop.signal.reason : error;
  } finally {
    over.abort();
    await guard;
  }
};

const guardAgainstReturn = async (
  { kubernetes, clock }: Watching,
  claims: readonly ClaimName[],
  over: AbortSignal,
): Promise<void> => {
  while (!over.aborted) {
    const [pod] = await othersUsing(kubernetes, claims);
    if (pod !== undefined) {
      throw new Failure("APP_CAME_BACK", {
        what: `The pod ${pod.metadata.namespace}/${pod.metadata.name} started during the restore.`,
        why: "something gave the workload its replicas back: GitOps self-healing, an operator, an autoscaler, or a person",
        todo: "Pause it (for Argo CD: switch automated sync off for the Application), then restore again.",
      });
    }
    await pause(clock, over);
  }
};

/** Sleeps; an abort ends the sleep and is no error, since the loop looks at the signal itself. */
const pause = async (clock: Clock, over: AbortSignal): Promise<void> => {
  try {
    await clock.sleep(interval, over);
  } catch (error) {
    if (!over.aborted) throw error;
  }
};
