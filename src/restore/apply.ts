/**
 * Carries a restore plan out: stop → put in → start. Whatever ends it early, the files are put back as they were, the
 * replicas are given back, and the failure says where things stand.
 */
import type { AgentLine } from "../agent/lines.ts";
import type { Clock, Context } from "../context.ts";
import { Failure, isFailure, messageOf } from "../model/failure.ts";
import type { Volume } from "../model/volume.ts";
import { volumeName } from "../model/volume.ts";
import type { Kubernetes } from "../systems/kubernetes/port.ts";
import type { Standing } from "./movers/replacing.ts";
import type { RestorePlan, Stop } from "./plan.ts";
import { podsUsing, startWorkload, stopWorkload, type Waiting, waitUntilReady, waitUntilUnused } from "./standstill.ts";

/** Replaces the files of the plan's volumes; see `kopia-mover.ts` and `node-agent-mover.ts`. */
export interface DataMover {
  /** Leaves every volume either restored and verified, or as it was; throws in the second case, and when it cannot say. */
  replace(plan: RestorePlan, onLine: (line: AgentLine) => void, signal: AbortSignal): Promise<void>;
  /**
   * Puts back what an unfinished `replace` has set aside, and tells how the files stand: "restored" when all were
   * verified before it ended. May be called when there is nothing to put back.
   */
  putBack(plan: RestorePlan, signal: AbortSignal): Promise<Standing>;
}

/** What happens, as it happens; for progress on the terminal. */
export type RestoreEvent =
  | { readonly type: "step"; readonly title: string }
  | { readonly type: "agent"; readonly line: AgentLine };

export interface ApplyOptions {
  readonly context: Context;
  readonly kubernetes: Kubernetes;
  readonly mover: DataMover;
  /** ms for each wait. */
  readonly timeout: number;
  readonly onEvent: (event: RestoreEvent) => void;
}

export const applyRestore = async (plan: RestorePlan, options: ApplyOptions): Promise<void> => {
  const running = plan.stops.filter((stop) => stop.replicas > 0);
  try {
    await stopAll(plan, running, options);
    await replaceGuarded(plan, options);
  } catch (error) {
    throw await backAsItWas(error, { plan, running, options });
  }
  await startAll(running, options);
};

const targets = (plan: RestorePlan): readonly Volume[] => plan.items.map((item) => item.target);

const waitingFor = (options: ApplyOptions, signal: AbortSignal): Waiting => ({ ...options, signal });

const stopAll = async (plan: RestorePlan, running: readonly Stop[], options: ApplyOptions): Promise<void> => {
  const { kubernetes, context } = options;
  for (const stop of running) {
    options.onEvent({ type: "step", title: `stopping ${stop.kind} ${stop.namespace}/${stop.name}` });
    context.signal.throwIfAborted();
    await stopWorkload(kubernetes, stop);
  }
  await waitUntilUnused(waitingFor(options, context.signal), targets(plan));
};

const startAll = async (running: readonly Stop[], options: ApplyOptions): Promise<void> => {
  if (running.length === 0) return;
  options.onEvent({
    type: "step",
    title: `starting ${running.map((stop) => `${stop.namespace}/${stop.name}`).join(", ")}`,
  });
  // From here the data is good: an interruption must not leave the app stopped.
  const failed = await settled(Promise.all(running.map((stop) => startWorkload(options.kubernetes, stop))));
  if (failed !== undefined)
    throw withStanding(failed, `The data is restored and verified, but the app is not started: ${commands(running)}`);
  const late = await settled(waitUntilReady(waitingFor(options, options.context.signal), running));
  if (late !== undefined)
    throw isFailure(late, "APP_NOT_READY")
      ? late
      : withStanding(late, "The data is restored and verified, and the app is starting.");
};

/** Replaces the data while it watches that nobody starts the app meanwhile. */
const replaceGuarded = async (plan: RestorePlan, options: ApplyOptions): Promise<void> => {
  options.onEvent({ type: "step", title: "replacing the files" });
  const watch = new AbortController();
  const stop = new AbortController();
  const guard = guardAgainstReturn(plan, options, watch.signal).catch((error: unknown) => stop.abort(error));
  try {
    await options.mover.replace(
      plan,
      (line) => options.onEvent({ type: "agent", line }),
      AbortSignal.any([options.context.signal, stop.signal]),
    );
  } catch (error) {
    // A mover that was told to stop says only that; why it was told is known here.
    throw stop.signal.aborted && !options.context.signal.aborted ? stop.signal.reason : error;
  } finally {
    watch.abort();
    await guard;
  }
};

const guardInterval = 500;

/** Throws APP_CAME_BACK as soon as a pod that is not ours uses one of the volumes. */
const guardAgainstReturn = async (plan: RestorePlan, options: ApplyOptions, signal: AbortSignal): Promise<void> => {
  while (!signal.aborted) {
    const pods = await podsUsing(options.kubernetes, targets(plan));
    const [pod] = pods;
    if (pod !== undefined) {
      throw new Failure("APP_CAME_BACK", {
        what: `The pod ${pod.metadata.namespace}/${pod.metadata.name} started during the restore.`,
        why: "something gave the workload its replicas back: GitOps self-healing, an operator, an autoscaler, or a person",
        todo: "Pause it (for Argo CD: switch automated sync off for the Application), then restore again.",
      });
    }
    await pause(options.context.clock, signal);
  }
};

/** Sleeps; an abort ends the sleep and is no error, since the loop looks at the signal itself. */
const pause = async (clock: Clock, signal: AbortSignal): Promise<void> => {
  try {
    await clock.sleep(guardInterval, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
};

interface Situation {
  readonly plan: RestorePlan;
  readonly running: readonly Stop[];
  readonly options: ApplyOptions;
}

/** Undoes what was begun and gives the failure to throw, with where things stand. */
const backAsItWas = async (error: unknown, situation: Situation): Promise<unknown> => {
  const { plan, running, options } = situation;
  options.onEvent({ type: "step", title: "putting everything back as it was" });
  // The user's abort must not stop the undoing, but a second limit must.
  const signal = AbortSignal.timeout(options.timeout * 2);
  let files: Standing | undefined;
  const data = await settled(
    (async () => {
      files = await options.mover.putBack(plan, signal);
    })(),
  );
  if (data !== undefined) return new Failure("AGENT_FAILED", unfinished(error, data, situation));
  const replicas = await settled(Promise.all(running.map((stop) => startWorkload(options.kubernetes, stop))));
  const stand = files === "restored" ? "are the restored ones, all verified" : "are as they were";
  const standing =
    replicas === undefined
      ? `The files ${stand}, and ${replicasText(running)}.`
      : `The files ${stand}, but the replicas could not be given back (${messageOf(replicas)}): ${commands(running)}`;
  return withStanding(error, standing);
};

const settled = async (work: Promise<unknown>): Promise<unknown> => {
  try {
    await work;
    return undefined;
  } catch (error) {
    return error;
  }
};

const replicasText = (running: readonly Stop[]): string =>
  running.length === 0
    ? "no workload was stopped"
    : `these have their replicas again: ${running.map((stop) => `${stop.kind} ${stop.namespace}/${stop.name} (${stop.replicas})`).join(", ")}`;

const commands = (running: readonly Stop[]): string =>
  running
    .map(
      (stop) =>
        `kubectl -n ${stop.namespace} scale ${stop.kind.toLowerCase()}/${stop.name} --replicas=${stop.replicas}`,
    )
    .join("; ");

const unfinished = (
  error: unknown,
  data: unknown,
  { plan, running }: Situation,
): { what: string; why: string; todo: string; cause: unknown } => ({
  what: `The restore stopped in the middle, and the earlier files could not be put back yet: ${targets(plan).map(volumeName).join(", ")}.`,
  why: `${messageOf(error)}; then ${messageOf(data)}`,
  todo: `Run the same restore again: it finds the files that were set aside (.holdfast-aside-…) and puts them back first. The app stays stopped until then; afterwards: ${commands(running) || "nothing to start"}`,
  cause: error,
});

/** The same failure, with where things stand in front of what to do. */
const withStanding = (error: unknown, standing: string): unknown => {
  if (isFailure(error)) {
    const { code, what, why, todo } = error;
    return new Failure(code, {
      what,
      ...(why === undefined ? {} : { why }),
      todo: todo === undefined ? standing : `${standing} ${todo}`,
      cause: error,
    });
  }
  if (error instanceof Error && error.name === "AbortError")
    return new Failure("INTERRUPTED", { what: "The restore was interrupted.", todo: standing });
  return error;
};
