/** Every kind of step that retiring a volume, and its trash, have of their own. */
import type { StepKind } from "../../operation/step-kind.ts";
import { type FreeOptions, freeVolume } from "./steps/free-volume.ts";
import { type LastCopies, lastCopy } from "./steps/last-copy.ts";
import { markTrash } from "./steps/mark-trash.ts";
import { retireClaims } from "./steps/retire-claims.ts";

export const retireKinds = (options: FreeOptions, copies: LastCopies): readonly StepKind[] => [
  lastCopy(copies),
  markTrash(options.kubernetes),
  retireClaims(options),
  freeVolume(options),
];

/** Those after which other volumes are there than before. */
export const retiringKinds: ReadonlySet<string> = new Set(["retire-claims", "free-volume"]);
