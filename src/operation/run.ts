/**
 * Carries an operation out, step by step, from wherever it stands (docs/design/operation-engine.md). Every step is
 * written down before it is begun and after it has ended, so that any process can go on. When a step fails, everything
 * that was done is gone back over, in the opposite order, unless the step that decides has ended.
 */
import { Failure, isFailure, messageOf } from "../model/failure.ts";
import type { Json, PlannedStep, SetAside } from "../model/plan.ts";
import type { Session } from "./session.ts";
import { hasNoWayBack, type OperationState, type StepState } from "./state.ts";
import type { StepContext, StepKind, StepKinds } from "./step-kind.ts";

/** What happens, as it happens. */
export type OperationEvent =
  | { readonly type: "step"; readonly title: string; readonly back: boolean }
  | { readonly type: "detail"; readonly text: string; readonly data?: object };

export interface RunOptions {
  readonly kinds: StepKinds;
  /** The user's wish to stop. It stops the way forward; going back is stopped by a lost lock only. */
  readonly signal: AbortSignal;
  readonly onEvent: (event: OperationEvent) => void;
  /** ms that what is set aside stays after the end. */
  readonly undoFor: number;
  readonly now: () => number;
}

/** Carries it to its end. Gives the state of a finished operation; throws the failure that ended it early, with where things stand. */
export const runOperation = async (session: Session, outside: RunOptions): Promise<OperationState> => {
  const options: Running = { ...outside, begun: new Set() };
  if (session.state.status === "back") return goBack(session, options);
  try {
    await goForward(session, options);
  } catch (error) {
    // Somebody else has it now, or may have: nothing more is done here.
    if (session.locks.signal.aborted || isFailure(error, "LOCK_LOST")) throw lostOr(session, error);
    await session.write(failedEntry(session.state, error));
    if (hasNoWayBack(session.state)) throw unfinished(session.state, error);
    if (hasDecided(session.state)) throw afterwards(session.state, error);
    await session.write({ type: "turned" });
    await goBackAfter(error, session, options);
    throw asItWas(error);
  }
  return finish(session, options, "done");
};

/** Up to the step that has decided everything stands: the app may run already, and nothing is done to it again. */
const goForward = async (session: Session, options: Running): Promise<void> => {
  const { steps } = session.state;
  const decided = steps.findLastIndex(isDecided);
  for (const { step, standing } of steps.slice(decided + 1)) {
    options.signal.throwIfAborted();
    const done = standing === "ended" && (await stillHolds(session, options, step));
    if (!done) await perform(session, options, step);
  }
};

/** After a pause somebody may have reversed what a step had done: an app that was stopped runs again. */
const stillHolds = async (session: Session, options: Running, step: PlannedStep): Promise<boolean> => {
  if (step.repeat === "once" || step.does === "settle") return true;
  const presence = await kindOf(options.kinds, step).check(step.input, contextOf(session, options, step));
  return presence === (step.does === "undo" ? "absent" : "present");
};

const perform = async (session: Session, options: Running, step: PlannedStep): Promise<void> => {
  const state = stateOfStep(session, step);
  if (state.standing === "begun" && step.repeat === "once") await demandUntouched(session, options, step);
  options.onEvent({ type: "step", title: step.title, back: false });
  if (state.standing !== "begun") {
    options.begun.add(step.id);
    await session.write({ type: "begun", step: step.id, back: false });
  }
  const memo = await act(step.does, { session, options, step, memo: step.memo ?? null });
  await session.write({ type: "ended", step: step.id, back: false, memo });
};

const demandUntouched = async (session: Session, options: Running, step: PlannedStep): Promise<void> => {
  const presence = await kindOf(options.kinds, step).check(step.input, contextOf(session, options, step));
  if (presence === (step.does === "undo" ? "present" : "absent")) return;
  throw new Failure("OPERATION_UNFINISHED", {
    what: `It is not known how far "${step.title}" came, and it must not be done twice.`,
    todo: "Begin it anew.",
  });
};

/** Steps that were begun, latest first. Throws what stops it; the operation stays unfinished then. */
const goBack = async (session: Session, options: Running): Promise<OperationState> => {
  for (const { step, standing, memo } of session.state.steps.toReversed()) {
    if (standing === "pending" || standing === "left") continue;
    options.onEvent({ type: "step", title: step.back, back: true });
    if (standing !== "leaving") await session.write({ type: "begun", step: step.id, back: true });
    const left = await act(opposite[step.does], {
      session,
      options: { ...options, signal: new AbortController().signal },
      step,
      memo: standing === "begun" ? null : memo,
    });
    await session.write({ type: "ended", step: step.id, back: true, memo: left });
  }
  return finish(session, options, "as-before");
};

/** Nothing leads back over what frees data: such an operation has no step that is gone back over. */
const opposite = { apply: "undo", undo: "redo", redo: "undo", settle: "settle" } as const;

/** Steps that this process itself has begun. */
interface Running extends RunOptions {
  readonly begun: Set<string>;
}

interface Act {
  readonly session: Session;
  readonly options: Running;
  readonly step: PlannedStep;
  readonly memo: Json;
}

const act = async (does: PlannedStep["does"], { session, options, step, memo }: Act): Promise<Json> => {
  const kind = kindOf(options.kinds, step);
  const context = contextOf(session, options, step);
  context.signal.throwIfAborted();
  if (does === "apply") return kind.apply(step.input, context);
  if (does === "undo") return kind.undo(step.input, memo, context);
  if (does === "redo") return kind.redo(step.input, memo, context);
  await kind.settle?.(step.input, memo, context);
  return null;
};

const contextOf = (session: Session, options: Running, step: PlannedStep): StepContext => ({
  operation: session.operation,
  signal: AbortSignal.any([options.signal, session.locks.signal]),
  used: step.does !== "apply",
  resumed: stateOfStep(session, step).standing !== "pending" && !options.begun.has(step.id),
  say: (text, data) => options.onEvent({ type: "detail", text, ...(data === undefined ? {} : { data }) }),
});

const kindOf = (kinds: StepKinds, step: PlannedStep): StepKind => {
  const kind = kinds.get(step.kind);
  if (kind === undefined)
    throw new Failure("OPERATION_UNFINISHED", {
      what: `This Holdfast does not know how to do "${step.kind}".`,
      why: "the operation was begun by another version",
      todo: "Go on with the version that began it.",
    });
  return kind;
};

const stateOfStep = (session: Session, step: PlannedStep): StepState => {
  const found = session.state.steps.find((state) => state.step.id === step.id);
  if (found === undefined) throw new Error(`the plan of ${session.operation} has no step ${step.id}`);
  return found;
};

const finish = async (session: Session, options: Running, outcome: "done" | "as-before"): Promise<OperationState> => {
  const setAside = outcome === "done" ? setAsideBy(session.state, options.kinds) : [];
  await session.write({
    type: "finished",
    outcome,
    setAside: setAside.map(({ volume, where, bytes }) => ({
      volume,
      where,
      ...(bytes === undefined ? {} : { bytes }),
    })),
    ...(setAside.length === 0 ? {} : { until: options.now() + options.undoFor }),
  });
  return session.state;
};

const setAsideBy = (state: OperationState, kinds: StepKinds): readonly SetAside[] =>
  (hasNoWayBack(state) ? [] : state.steps).flatMap(
    ({ step, memo }) => kinds.get(step.kind)?.setAside?.(step.input, memo) ?? [],
  );

const hasDecided = ({ steps }: OperationState): boolean => steps.some(isDecided);

const isDecided = ({ step, standing }: StepState): boolean => step.decides === true && standing === "ended";

const failedEntry = (state: OperationState, error: unknown) => {
  const step = state.steps.find(({ standing }) => standing === "begun")?.step.id;
  const known = isFailure(error) ? error : undefined;
  return {
    type: "failed",
    ...(step === undefined ? {} : { step }),
    code: known?.code ?? "DEFECT",
    what: known?.what ?? messageOf(error),
    ...(known?.why === undefined ? {} : { why: known.why }),
  } as const;
};

const lostOr = (session: Session, error: unknown): unknown =>
  session.locks.signal.aborted ? session.locks.signal.reason : error;

const goBackAfter = async (error: unknown, session: Session, options: Running): Promise<void> => {
  try {
    await goBack(session, options);
  } catch (second) {
    if (isFailure(second, "LOCK_LOST")) throw second;
    throw new Failure("OPERATION_UNFINISHED", {
      what: "The operation stopped in the middle, and could not go back to where it began.",
      why: `${messageOf(error)}; then ${messageOf(second)}`,
      todo: `\`holdfast resume ${session.operation}\` tries again to go back; \`holdfast operations show ${session.operation}\` shows where it stands.`,
      cause: error,
    });
  }
};

const standing = (error: unknown, text: string): unknown => {
  if (isFailure(error)) {
    const { code, what, why, todo } = error;
    return new Failure(code, {
      what,
      ...(why === undefined ? {} : { why }),
      todo: todo === undefined ? text : `${text} ${todo}`,
      cause: error,
    });
  }
  return error instanceof Error && error.name === "AbortError"
    ? new Failure("INTERRUPTED", { what: "Interrupted.", todo: text })
    : error;
};

const asItWas = (error: unknown): unknown => standing(error, "Everything is as it was before.");

const unfinished = (state: OperationState, error: unknown): unknown =>
  standing(error, `Nothing leads back from here: \`holdfast resume ${state.id}\` goes on.`);

const afterwards = (state: OperationState, error: unknown): unknown =>
  standing(error, `It does not go back by itself from here: \`holdfast resume ${state.id}\` does the rest.`);
