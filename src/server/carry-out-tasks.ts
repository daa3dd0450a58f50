/** Does what was decided: plans by the engine, as `guard on` and `guard allow-delete --withdraw` would. */
import { isFailure } from "../model/failure.ts";
import type { Plan } from "../model/plan.ts";
import { volumeName } from "../model/volume.ts";
import type { Mode } from "../guard/protect/mode.ts";
import { planOpening } from "../guard/protect/opening.ts";
import { guardLock, planGuard } from "../guard/protect/plan.ts";
import type { GuardView } from "../guard/protect/view.ts";
import { isUnfinished } from "../operation/state.ts";
import type { Task } from "./decide.ts";
import type { GuardianOptions } from "./guardian.ts";
import { letClaimGo } from "./let-claim-go.ts";
import { whatOf } from "./log.ts";
import { serveVerb } from "./names.ts";
import type { Patience } from "./patience.ts";
import { tellFailure, tellSuccess, type Term } from "./term.ts";

export interface Carrying {
  readonly term: Term;
  readonly options: GuardianOptions;
  readonly patience: Patience;
  /** The guard as the watches show it now. */
  readonly view: () => GuardView;
  /** The guard as the API server has it now, and what is to be done then. */
  readonly fresh: () => Promise<{ readonly view: GuardView; readonly tasks: readonly Task[] }>;
}

/** Volumes in one operation at the most: its journal must fit into a ConfigMap. */
const together = 20;
/** ms: a lock is somebody's who will be through soon. */
const lockPatience = 15_000;

type Guarding = Extract<Task, { kind: "guard" }>;

/** Nothing that fails keeps anything else from being tried. Throws LOCK_LOST, and what keeps the whole cluster from answering. */
export const carryOutTasks = async (tasks: readonly Task[], carrying: Carrying): Promise<void> => {
  const { options } = carrying;
  for (const task of tasks) {
    if (task.kind === "let-go")
      await attempt(carrying, [task], () => letClaimGo(carrying.term, task, options.namespace));
    if (task.kind === "close")
      await attempt(carrying, [task], () =>
        perform(carrying, [task], (view) => planOpening(view, { volume: task.volume })),
      );
  }
  for (const mode of new Set(tasks.flatMap((task) => (task.kind === "guard" ? [task.mode] : [])))) {
    const same = tasks.filter((task): task is Guarding => task.kind === "guard" && task.mode === mode);
    for (let from = 0; from < same.length; from += together)
      await guardTogether(carrying, mode, same.slice(from, from + together));
  }
};

/** All at once; one by one when that fails, so that the good ones are guarded. */
const guardTogether = async (carrying: Carrying, mode: Mode, tasks: readonly Guarding[]): Promise<void> => {
  if (await attempt(carrying, tasks, () => guard(carrying, mode, tasks))) return;
  if (tasks.length === 1) return;
  for (const task of tasks) await attempt(carrying, [task], () => guard(carrying, mode, [task]));
};

const guard = (carrying: Carrying, mode: Mode, tasks: readonly Guarding[]): Promise<void> =>
  perform(carrying, tasks, (view, volumes) => {
    const selected = view.volumes.filter((volume) => volumes.has(volumeName(volume)));
    return planGuard(view, { selected, mode }).plan;
  });

/**
 * Plans under the locks by a fresh look: what the watches have shown may be the middle of a user's own operation, whose
 * wish must not be undone when it is through.
 */
const perform = async (
  { term, options: { operations }, view, fresh }: Carrying,
  tasks: readonly Task[],
  planFor: (view: GuardView, volumes: ReadonlySet<string>) => Plan,
): Promise<void> => {
  const volumes = tasks.map(({ volume }) => volume);
  const expected = planFor(view(), new Set(volumes));
  if (expected.steps.length === 0) return;
  const wish = { locks: [...volumes, guardLock], title: titleOf(expected) };
  const keys = new Set(tasks.map(({ key }) => key));
  const state = await operations.startFresh(operations.newId(), wish, async () => {
    const now = await fresh();
    const still = now.tasks.filter(({ key }) => keys.has(key)).map(({ volume }) => volume);
    const plan = still.length === 0 ? { ...expected, steps: [] } : planFor(now.view, new Set(still));
    return { ...plan, verb: serveVerb, title: titleOf(plan) };
  });
  if (state !== undefined)
    term.log("info", "operation", state.plan.title, { operation: state.id, status: state.status });
};

const titleOf = ({ title }: Plan): string => `${title}, by holdfast serve`;

/** True when it succeeded. */
const attempt = async (carrying: Carrying, tasks: readonly Task[], work: () => Promise<void>): Promise<boolean> => {
  const { term, patience } = carrying;
  const abouts = tasks.map(({ kind, volume }) => `${kind} ${volume}`);
  const note = (atMost?: number): void => tasks.forEach(({ key }) => patience.trying(key, term.clock.now(), atMost));
  try {
    await work();
    note();
    for (const about of abouts) tellSuccess(term, about);
    return true;
  } catch (error) {
    if (isFailure(error, "LOCK_LOST", "KUBERNETES_UNREACHABLE") || term.signal.aborted) throw error;
    if (isFailure(error, "OPERATION_UNFINISHED")) await goOnWithOwn(carrying);
    const isLocked = isFailure(error, "LOCKED");
    // Several are tried one by one next, and their failures told then.
    if (tasks.length > 1) {
      term.log("warn", "one-by-one", `${tasks.length} volumes are tried one by one`, { why: whatOf(error) });
      return false;
    }
    note(isLocked ? lockPatience : undefined);
    for (const about of abouts)
      if (isLocked) term.log("info", "locked", `${about}: ${error.why ?? error.what}`);
      else tellFailure(term, about, error);
    return false;
  }
};

/** Operations of a server that was killed in the middle come to their end first: nothing else may begin beside them. */
export const goOnWithOwn = async ({
  term,
  options: { operations },
}: Pick<Carrying, "term" | "options">): Promise<void> => {
  const found = (await operations.list()).operations.filter(
    (state) => isUnfinished(state) && state.plan.verb === serveVerb,
  );
  for (const { id, plan } of found) {
    const about = `resume ${id}`;
    try {
      const { status } = await operations.resume(id);
      term.log("info", "resumed", plan.title, { operation: id, status });
      tellSuccess(term, about);
    } catch (error) {
      if (isFailure(error, "LOCK_LOST") || term.signal.aborted) throw error;
      tellFailure(term, about, error);
    }
  }
};
