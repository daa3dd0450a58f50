/** The plans that follow from an operation that has ended: going back over it, and freeing what it has set aside. Pure. */
import { Failure } from "../model/failure.ts";
import type { Plan, PlannedStep } from "../model/plan.ts";
import { byOrder, chainsOf, type OperationState, standingSteps, type StepState } from "./state.ts";
import type { StepKinds } from "./step-kind.ts";

const opposite = { apply: "undo", undo: "redo", redo: "undo" } as const;

const inverse = ({ step, memo }: StepState): PlannedStep => ({
  id: step.id,
  kind: step.kind,
  title: step.back,
  why: `it takes back: ${step.title}`,
  back: step.title,
  touches: step.touches,
  repeat: step.repeat,
  ...(step.decides === undefined ? {} : { decides: step.decides }),
  input: step.input,
  // Operations that settle cannot be undone: `demandUndoable`.
  does: step.does === "settle" ? "settle" : opposite[step.does],
  memo,
});

const refusal = (state: OperationState, why: string, todo?: string): Failure =>
  new Failure("OPERATION_NOT_UNDOABLE", {
    what: `The operation ${state.id} (${state.plan.title}) cannot be undone.`,
    why,
    ...(todo === undefined ? {} : { todo }),
  });

const reasons: Partial<Readonly<Record<OperationState["status"], string>>> = {
  "as-before": "it has gone back by itself: everything is as it was before it",
  "given-up": "it was given up in the middle: what it had changed was left to you",
  undone: "it is undone already",
  settled: "what it had set aside is freed",
};

/**
 * The plan that goes back over an operation that is done. `all`: operations that there are; one that changed the same
 * volume afterwards, and still counts, must be undone first. Throws OPERATION_NOT_UNDOABLE.
 */
export const planUndo = (state: OperationState, all: readonly OperationState[]): Plan => {
  const reason = reasons[state.status];
  if (reason !== undefined) throw refusal(state, reason);
  if (state.plan.undo.kind !== "kept") throw refusal(state, state.plan.undo.text);
  const chainOf = chainsOf(all);
  const chain = chainOf(state);
  const newer = all.find(
    (other) =>
      hasChanged(other) && other.id !== state.of && isAfter(other, state) && standsInTheWay(chainOf(other), chain),
  );
  if (newer !== undefined)
    throw refusal(
      state,
      `${newer.id} (${newer.plan.title}) has changed the same volume since`,
      newer.status === "done" && newer.plan.undo.kind === "kept"
        ? `\`holdfast undo ${newer.id}\` first.`
        : `It stays; \`holdfast operations show ${state.id}\` says where the earlier state lies.`,
    );
  return {
    version: 1,
    verb: "undo",
    title: `undo ${state.id}: ${state.plan.title}`,
    locks: state.plan.locks,
    steps: state.steps.toReversed().map(inverse),
    undo: { kind: "kept", text: "what there is now is set aside in its turn, and can be brought back" },
    warnings: [],
  };
};

/**
 * The guard leaves files and bindings alone: turned on after a restore, it does not keep the restore from being undone.
 * Nor does what was taken back since, or taken back and done again as often: all is as it was.
 */
const standsInTheWay = (others: Chain, chain: Chain): boolean => {
  if (isAboutGuard(others) && !isAboutGuard(chain)) return false;
  const turns = others.filter((one) => one.plan.verb !== "settle" && isAfter(one, chain[0])).length;
  return others[0].status !== "done" || turns % 2 === 1;
};

type Chain = ReturnType<ReturnType<typeof chainsOf>>;

const isAboutGuard = (chain: Chain): boolean => chain.at(-1)?.plan.verb === "guard";

const hasChanged = (state: OperationState): boolean =>
  state.status === "done" || (state.status === "given-up" && standingSteps(state).length > 0);

const isAfter = (other: OperationState, state: OperationState): boolean =>
  other.id !== state.id &&
  byOrder(other, state) > 0 &&
  other.plan.locks.some((lock) => state.plan.locks.includes(lock));

/** What was made last is taken away first; the steps of an undo stand in that order already. */
const latestFirst = ({ steps }: OperationState): readonly StepState[] =>
  steps.some(({ step }) => step.does === "undo") ? steps : steps.toReversed();

/** The plan that frees what an operation has set aside; undefined when there is nothing of the kind. */
export const planSettle = (state: OperationState, kinds: StepKinds): Plan | undefined => {
  if (state.status !== "done" || state.setAside.length === 0) return undefined;
  const steps = latestFirst(state).flatMap(({ step, memo }): readonly PlannedStep[] => {
    const kind = kinds.get(step.kind);
    if (kind?.settle === undefined) return [];
    const aside = kind.setAside?.(step.input, memo) ?? [];
    const what =
      aside.length === 0
        ? `take away what led to it: ${step.touches.join(", ")}`
        : `free ${aside.map(({ volume, where }) => `what was ${volume}: ${where}`).join("; ")}`;
    return [
      {
        ...step,
        title: what,
        why: "nobody goes back to it any more",
        back: "NO UNDO",
        repeat: "safe",
        does: "settle",
        memo,
      },
    ];
  });
  return {
    version: 1,
    verb: "settle",
    title: `settle ${state.id}: ${state.plan.title}`,
    locks: state.plan.locks,
    steps,
    undo: { kind: "none", text: "what is freed is gone" },
    warnings: [],
  };
};
