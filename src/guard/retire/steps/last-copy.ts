/** The step that makes the last copy of volumes before they go, and looks at it in the bucket. */
import { z } from "zod";
import type { StepContext, StepKind } from "../../../operation/step-kind.ts";

const input = z.strictObject({ point: z.string(), volumes: z.array(z.string()) });
export type LastCopyInput = z.output<typeof input>;

/**
 * Who copies. May be called again after it was cut off anywhere: what was begun for the point is gone on with. Nothing of it
 * stays in the cluster but Velero's own records.
 */
export interface LastCopies {
  /** Throws BACKUP_PARTIAL, VERIFICATION_FAILED and what else keeps one of the volumes from being verified. */
  make(wanted: LastCopyInput, acting: Pick<StepContext, "signal" | "say">): Promise<void>;
  /** Whether the point has a verified copy of each. */
  areThere(wanted: LastCopyInput): Promise<boolean>;
  /** Takes away what a copy that was cut off has left. */
  tidy(): Promise<void>;
}

/** "last-copy". Going back leaves the copy: it is one more. */
export const lastCopy = (copies: LastCopies): StepKind<LastCopyInput, null> => {
  const make = async (wanted: LastCopyInput, context: StepContext): Promise<null> => {
    await copies.make(wanted, { signal: context.signal, say: (text, data) => context.say(text, data) });
    return null;
  };
  return {
    kind: "last-copy",
    input,
    check: async (wanted) => ((await copies.areThere(wanted)) ? "present" : "partial"),
    apply: make,
    undo: async () => {
      await copies.tidy();
      return null;
    },
    redo: async () => null,
  };
};
