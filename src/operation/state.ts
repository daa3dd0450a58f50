/** Where an operation stands: from its entries alone, and from operations about it. Pure. */
import type { Json, Plan, PlannedStep, SetAside } from "../model/plan.ts";
import type { Entry } from "./entry.ts";

/**
 * "pending": not begun. "begun": begun, and it is not known how far it came. "ended": done. "leaving": going back over it
 * was begun. "left": gone back over.
 */
export type StepStanding = "pending" | "begun" | "ended" | "leaving" | "left";

export interface StepState {
  readonly step: PlannedStep;
  readonly standing: StepStanding;
  /** What it left when it ended. */
  readonly memo: Json;
  /** ms since 1970, of the latest time: forward or back. */
  readonly began?: number;
  readonly ended?: number;
}

/**
 * "forward", "back": unfinished, going the one way or the other. "done"; "as-before": it went back by itself; "undone":
 * a later operation has; "settled": done, and what it had set aside is freed; "given-up": ended in the middle.
 */
export type OperationStatus = "forward" | "back" | "done" | "as-before" | "undone" | "settled" | "given-up";

export interface OperationFailure {
  readonly step: string | undefined;
  readonly code: string;
  readonly what: string;
  readonly why: string | undefined;
}

export interface OperationState {
  readonly id: string;
  readonly plan: Plan;
  /** The operation that this one undoes or settles. */
  readonly of: string | undefined;
  readonly status: OperationStatus;
  readonly steps: readonly StepState[];
  /** Higher than that of all that had begun on its volumes before; 0 where its journal does not tell. */
  readonly order: number;
  /** ms since 1970, by the clock of whoever began it. */
  readonly began: number;
  readonly lastEntry: number;
  readonly entries: number;
  /** The latest trouble; kept also when it was overcome. */
  readonly failure: OperationFailure | undefined;
  readonly setAside: readonly SetAside[];
  /** ms since 1970: how long that stays. */
  readonly until: number | undefined;
  /** The operation that undid or settled it. */
  readonly by: string | undefined;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const standings = { false: { begun: "begun", ended: "ended" }, true: { begun: "leaving", ended: "left" } } as const;

const first = (id: string, entry: Extract<Entry, { type: "planned" }>): Mutable<OperationState> => ({
  id,
  plan: entry.plan,
  of: entry.of,
  status: "forward",
  steps: entry.plan.steps.map((step) => ({ step, standing: "pending", memo: step.memo ?? null })),
  order: entry.order ?? 0,
  began: entry.time,
  lastEntry: entry.time,
  entries: 1,
  failure: undefined,
  setAside: [],
  until: undefined,
  by: undefined,
});

const withStep = (state: OperationState, entry: Extract<Entry, { type: "begun" | "ended" }>): readonly StepState[] =>
  state.steps.map((known) => {
    if (known.step.id !== entry.step) return known;
    const standing = standings[`${entry.back}`][entry.type];
    if (entry.type === "ended") return { ...known, standing, memo: entry.memo, ended: entry.time };
    const { ended: _, ...rest } = known;
    return { ...rest, standing, began: entry.time };
  });

const follow = (state: Mutable<OperationState>, entry: Entry): void => {
  switch (entry.type) {
    case "planned":
    case "taken-over":
      return;
    case "begun":
    case "ended":
      state.steps = withStep(state, entry);
      return;
    case "failed":
      state.failure = { step: entry.step, code: entry.code, what: entry.what, why: entry.why };
      return;
    case "turned":
      state.status = "back";
      return;
    case "finished":
      state.status = entry.outcome;
      state.setAside = entry.setAside.map(({ volume, where, bytes }) => ({ volume, where, bytes }));
      state.until = entry.until;
  }
};

/** `entries` of one operation, in order; the first is "planned". Cost: entries × steps. */
export const stateOf = (id: string, entries: readonly Entry[]): OperationState => {
  const [planned, ...rest] = entries;
  if (planned?.type !== "planned") throw new Error(`the journal of ${id} does not begin with a plan`);
  const state = first(id, planned);
  for (const entry of rest) {
    follow(state, entry);
    state.lastEntry = entry.time;
    state.entries += 1;
  }
  return state;
};

/**
 * The same operations, each with what a later one has done about it. It is not written into the earlier one's journal:
 * two journals cannot change in one moment, and a process may die between them. Cost: one pass.
 */
export const withFollowers = (states: readonly OperationState[]): readonly OperationState[] => {
  const followers = new Map(
    states.flatMap((state) => (state.of !== undefined && state.status === "done" ? [[state.of, state] as const] : [])),
  );
  return states.map((state) => {
    const follower = followers.get(state.id);
    if (follower === undefined || state.status !== "done") return state;
    return { ...state, status: follower.plan.verb === "settle" ? "settled" : "undone", by: follower.id };
  });
};

/**
 * Gives, of any of these operations, itself, what it undid or settled, what that had undone, and so on to the one that it
 * all began with. Cost: one pass, and then the length of the answer.
 */
export const chainsOf = (
  all: readonly OperationState[],
): ((state: OperationState) => readonly [OperationState, ...OperationState[]]) => {
  const byId = new Map(all.map((state) => [state.id, state]));
  return (state) => {
    const chain: [OperationState, ...OperationState[]] = [state];
    let about = byId.get(state.of ?? "");
    while (about !== undefined) {
      chain.push(about);
      about = byId.get(about.of ?? "");
    }
    return chain;
  };
};

/** Compares two: what began first comes first, whatever the clocks said. */
export const byOrder = (a: OperationState, b: OperationState): number =>
  a.order - b.order || a.began - b.began || (a.id < b.id ? -1 : 1);

/** Steps that have changed something, or may have, and were not gone back over. */
export const standingSteps = ({ steps }: OperationState): readonly StepState[] =>
  steps.filter(({ standing }) => standing !== "pending" && standing !== "left");

/** Whether it has begun to free what nobody can bring back. */
export const hasNoWayBack = ({ steps }: OperationState): boolean =>
  steps.some(({ step, standing }) => step.does === "settle" && standing !== "pending");

/** Whether somebody must still go on with it, or back. */
export const isUnfinished = ({ status }: OperationState): boolean => status === "forward" || status === "back";
