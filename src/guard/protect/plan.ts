/** The plan that brings the guard to what is wanted: Retain, marks, finalizers, policy; or the same way back. Pure. */
import type { Plan } from "../../model/plan.ts";
import { type Volume, volumeName } from "../../model/volume.ts";
import { aroundIn, exceptionOf, type Exception } from "./decide.ts";
import type { GitLine } from "./gitops.ts";
import { otherOwners } from "./marks.ts";
import { guardKey, type Mode, modeOf } from "./mode.ts";
import { holdStep, markStep, policyStep, retainStep } from "./planned-steps.ts";
import { warningsOf } from "./warnings.ts";
import type { GuardView } from "./view.ts";
import { type Modes, presentModes, wantedFor } from "./wanted.ts";

export interface GuardPlan {
  readonly plan: Plan;
  /** Volumes that get the mode. */
  readonly chosen: readonly string[];
  readonly exceptions: readonly { readonly volume: string; readonly exception: Exception }[];
  /** Lines that only git can write, as long as they do not stand so already. */
  readonly git: readonly GitLine[];
}

/** Whoever changes the guard holds it: namespaces, policy and Applications belong to all volumes. */
export const guardLock = "guard";

export interface GuardWish {
  readonly selected: readonly Volume[];
  readonly mode: Mode;
}

/** The plan has no steps when everything is as wanted. */
export const planGuard = (view: GuardView, { selected, mode }: GuardWish): GuardPlan => {
  const found = decide(view, selected, mode);
  const modes = new Map([...presentModes(view), ...found.modes]);
  const chosen = [...found.modes.keys()];
  const wanted = wantedFor(view, modes, new Set(chosen));
  const git = wanted.marks.flatMap((marks) => marks.git).filter(({ done }) => !done);
  const layers = [retainStep(wanted), markStep(wanted), holdStep(wanted), policyStep(view, wanted)].flat();
  return {
    chosen,
    exceptions: found.exceptions,
    git,
    plan: {
      version: 1,
      verb: "guard",
      title: titleFor(mode, chosen),
      locks: [...chosen, guardLock],
      steps: mode === "off" ? layers.toReversed() : layers,
      undo: { kind: "kept", text: "`holdfast undo` brings back what there was: marks, finalizers, policies." },
      warnings: [...warningsOf(view, wanted, { chosen, mode }), ...found.notes],
    },
  };
};

const titleFor = (mode: Mode, chosen: readonly string[]): string => {
  const what = chosen.length > 3 ? `${chosen.length} volumes` : chosen.join(", ");
  return mode === "off" ? `guard off: ${what}` : `guard ${what}, mode ${mode}`;
};

interface Decided {
  readonly modes: Modes;
  readonly exceptions: GuardPlan["exceptions"];
  readonly notes: readonly string[];
}

const decide = ({ objects }: GuardView, selected: readonly Volume[], mode: Mode): Decided => {
  const claims = new Map(objects.claims.map((claim) => [claim.metadata.uid, claim]));
  const around = aroundIn(objects);
  const modes = new Map<string, Mode>();
  const exceptions: { volume: string; exception: Exception }[] = [];
  const notes: string[] = [];
  for (const volume of selected) {
    const name = volumeName(volume);
    const claim = claims.get(volume.claimUid);
    if (claim === undefined) continue;
    const exception = exceptionOf(claim, around(claim));
    // What is guarded already is let go whatever it has become since.
    if (exception !== undefined && (mode !== "off" || modeOf(claim) === "off")) {
      exceptions.push({ volume: name, exception });
      continue;
    }
    const owner = otherOwners(claim, guardKey)[0];
    modes.set(name, owner === undefined ? mode : modeOf(claim));
    if (owner !== undefined && modeOf(claim) !== mode)
      notes.push(`${name} stays in mode ${modeOf(claim)}: ${owner} owns its annotation ${guardKey}. Change it there.`);
  }
  return { modes, exceptions, notes };
};
