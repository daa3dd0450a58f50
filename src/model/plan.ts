/**
 * A plan is data: what will be done, in which order and why. The same value is printed, drawn, journalled, run, resumed
 * and undone, by this process or by another one; so it holds no functions and no secrets.
 */

/** What survives `JSON.stringify` unchanged. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** One checked and undoable action. */
export interface PlannedStep {
  /** Unique within the plan: "stop-deployment-media-sonarr". */
  readonly id: string;
  /** Names the code that does it: see `operation/step-kind.ts`. */
  readonly kind: string;
  /** What will be done, as a person reads it. */
  readonly title: string;
  readonly why: string;
  /** What going back over it means: "start Deployment media/sonarr again". */
  readonly back: string;
  /** Everything that it changes: "Deployment media/sonarr", "files of media/sonarr", "dataset tank/k8s/a". */
  readonly touches: readonly string[];
  /**
   * Whether it may be applied again when it is not known how far it came: "safe" mends what is half done; "once" may not
   * be begun a second time unless a look shows that nothing of it happened.
   */
  readonly repeat: "safe" | "once";
  /**
   * Set on the step that decides: once it has ended, what was wanted is there, or half a way back would be worse than
   * none, and the failure of a later step no longer leads back.
   */
  readonly decides?: boolean;
  /** What its code needs to know. */
  readonly input: Json;
  /**
   * "undo" and "redo" go back over a step of an earlier operation and forth again, "settle" frees what it has set aside;
   * `memo` is what it left then.
   */
  readonly does: "apply" | "undo" | "redo" | "settle";
  readonly memo?: Json;
}

/** What remains of the state before, and how one gets back to it. */
export interface UndoPromise {
  /** "kept": what was there is set aside until it expires. "none": NO UNDO. "nothing": there is nothing to go back to. */
  readonly kind: "kept" | "none" | "nothing";
  /** In words, for the plan. */
  readonly text: string;
}

export interface Plan {
  readonly version: 1;
  /** The command that wants it: "restore", "settle", "undo". */
  readonly verb: string;
  /** One line: "restore media/sonarr from 20261125t0300-x7k2". */
  readonly title: string;
  /** Names of volumes ("namespace/pvc") that nobody else may work on meanwhile. */
  readonly locks: readonly string[];
  readonly steps: readonly PlannedStep[];
  readonly undo: UndoPromise;
  /** What to know before agreeing. */
  readonly warnings: readonly string[];
}

/** What an operation has set aside for its undo. */
export interface SetAside {
  readonly volume: string;
  /** Where it lies: "in the volume, .holdfast-kept-ab12cd", "dataset tank/k8s/pvc-1". */
  readonly where: string;
  /** Bytes that it takes; undefined when that is not known. */
  readonly bytes: number | undefined;
}
