/**
 * What a step of a plan does. The plan names the kind and gives the input; the kind knows the outside. All kinds of a
 * Holdfast are in one registry, so that any process can go on with any operation.
 */
import type { z } from "zod";
import type { Json, SetAside } from "../model/plan.ts";

/** How much of a step's effect is there. */
export type Presence = "absent" | "partial" | "present";

/** Of a step that changes several things: how each of them is found. */
export interface PartSeen {
  /** As the step makes it, or nothing that the step could still make. */
  readonly isDone: boolean;
  /** As it was before the step, or nothing that the step could have changed. */
  readonly isUntouched: boolean;
}

export const presenceOfParts = (seen: readonly PartSeen[]): Presence => {
  if (seen.every(({ isDone }) => isDone)) return "present";
  return seen.every(({ isUntouched }) => isUntouched) ? "absent" : "partial";
};

export interface StepContext {
  readonly operation: string;
  /** Aborted when the operation must stop: the user wants it, or a lock is lost. */
  readonly signal: AbortSignal;
  /**
   * True when the step belongs to an operation that had ended well: what it made may have been used since, and must be
   * set aside, not removed, when one goes back over it.
   */
  readonly used: boolean;
  /** True when an earlier process has begun the step: nothing is known of how far it came. */
  readonly resumed: boolean;
  /** Something worth showing while it happens. */
  say(text: string, data?: object): void;
}

/**
 * Contract: `apply`, `undo` and `redo` may find their effect there already, absent, or half done by a process that was
 * killed, and bring it to its end all the same (unless the step is `repeat: "once"`: then they are called only when
 * `check` finds nothing of it). What they give must survive JSON. They hold no secrets in input and memo, and change
 * nothing that is not named in the step's `touches`.
 */
export interface StepKind<Input extends Json = Json, Memo extends Json = Json> {
  readonly kind: string;
  readonly input: z.ZodType<Input>;
  /** Looks, changes nothing. */
  check(input: Input, context: StepContext): Promise<Presence>;
  /** Gives what `undo` needs to know. */
  apply(input: Input, context: StepContext): Promise<Memo>;
  /** `memo` is what `apply` or `redo` gave; null when the step never ended. Gives what `redo` needs to know. */
  undo(input: Input, memo: Memo | null, context: StepContext): Promise<Json>;
  /** After an undo: there again. `memo` is what `undo` gave. */
  redo(input: Input, memo: Json, context: StepContext): Promise<Memo>;
  /** What is set aside from when the step has been done until the operation is settled. */
  setAside?(input: Input, memo: Json): readonly SetAside[];
  /** Frees that, for good. There is no way back over it. */
  settle?(input: Input, memo: Json, context: StepContext): Promise<void>;
}

/** All kinds by name. */
export type StepKinds = ReadonlyMap<string, StepKind>;

/** Makes the registry. */
export const stepKinds = (kinds: readonly StepKind[]): StepKinds => new Map(kinds.map((kind) => [kind.kind, kind]));
