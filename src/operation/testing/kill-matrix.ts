/**
 * Kills an operation at every crossing of its ports, one life each, and lets the next process resume it or undo it. What
 * is wrong at the end is for the test to say; the matrix says that no step of the plan was left out.
 */
import { isFailure } from "../../model/failure.ts";
import type { Plan } from "../../model/plan.ts";
import type { Operations } from "../operations.ts";
import { hasNoWayBack, isUnfinished, type OperationState } from "../state.ts";
import { Life } from "./mortal.ts";

export type Wish = "resume" | "undo";

/** A fresh world with one way in. */
export interface Scene {
  readonly plan: Plan;
  open(life: Life): Operations;
  /** Throws when the world is neither wholly changed nor wholly as before, as the wish demands. */
  demand(changed: boolean, context: string): Promise<void>;
}

/** Where a process died. */
export interface Death {
  readonly step: string;
  /** "before" its first entry, "middle": between its two entries, "after" its last. */
  readonly phase: "before" | "middle" | "after";
}

const deathOf = (state: OperationState | undefined): Death | undefined => {
  if (state === undefined) return undefined;
  const within = state.steps.find(({ standing }) => standing === "begun" || standing === "leaving");
  if (within !== undefined) return { step: within.step.id, phase: "middle" };
  const next = state.steps.find(({ standing }) => standing === "pending");
  if (next !== undefined) return { step: next.step.id, phase: "before" };
  const last = state.steps.at(-1);
  return last === undefined ? undefined : { step: last.step.id, phase: "after" };
};

const read = async (operations: Operations, id: string): Promise<OperationState | undefined> => {
  try {
    return await operations.read(id);
  } catch (error) {
    if (isFailure(error, "OPERATION_UNKNOWN")) return undefined;
    throw error;
  }
};

/** While a dead process' pod works on, its volume is locked: the user tries again. */
const patiently = async (work: () => Promise<unknown>): Promise<void> => {
  for (let tries = 1; ; tries += 1) {
    try {
      await work();
      return;
    } catch (error) {
      if (!isFailure(error, "LOCKED") || tries > 200) throw error;
    }
  }
};

const isUndoable = (state: OperationState): boolean =>
  isUnfinished(state) ? !hasNoWayBack(state) : state.status === "done" && state.plan.undo.kind === "kept";

const settle = async (operations: Operations, id: string, wish: Wish): Promise<boolean> => {
  const state = await read(operations, id);
  if (state === undefined) return false;
  if (wish === "undo" && isUndoable(state)) {
    await patiently(() => operations.undo(id));
    return false;
  }
  if (isUnfinished(state)) await patiently(() => operations.resume(id));
  const end = (await operations.read(id)).status;
  return end === "done" || end === "settled";
};

/** All deaths, by "step phase"; how often each was tried. */
export type Matrix = ReadonlyMap<string, number>;

/** `kill` arranges the death number `at` in a fresh scene and gives the life to lead; undefined when there is none. */
export const killEverywhere = async (
  wish: Wish,
  open: () => Promise<Scene>,
  kill: (at: number) => Life = (at) => new Life(at),
): Promise<Matrix> => {
  const matrix = new Map<string, number>();
  for (let at = 1; ; at += 1) {
    const scene = await open();
    const life = kill(at);
    const first = scene.open(life).start("op-1", scene.plan);
    const isThrough = await Promise.race([first.then(() => true), life.ended.then(() => false)]);
    if (isThrough) return matrix;
    const after = scene.open(new Life());
    const death = deathOf(await read(after, "op-1"));
    const where = death === undefined ? "outside" : `${death.step} ${death.phase}`;
    matrix.set(where, (matrix.get(where) ?? 0) + 1);
    await scene.demand(await settle(after, "op-1", wish), `death ${at}, ${where}, then ${wish}`);
  }
};

/** Every step of a plan with a case before, in the middle of and after it. */
export const wantedDeaths = (plan: Plan): readonly string[] => [
  ...plan.steps.flatMap(({ id }) => [`${id} before`, `${id} middle`]),
  `${plan.steps.at(-1)?.id ?? ""} after`,
];
