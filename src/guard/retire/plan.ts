/** The plan that retires volumes: a last copy, the bytes into the trash, the claims deleted, here or by a commit. Pure. */
import type { Claim, PersistentVolume } from "../../inventory/raw.ts";
import type { Json, Plan, PlannedStep } from "../../model/plan.ts";
import { formatTime } from "../../model/units.ts";
import { type Volume, volumeName } from "../../model/volume.ts";
import { claimManifest } from "../../restore/zfs/rebind.ts";
import { resources } from "../../systems/kubernetes/resources.ts";
import { lastingMarks } from "../letting-go.ts";
import { helmReleaseOf } from "../protect/gitops.ts";
import { modeOf } from "../protect/mode.ts";
import { inputFor, opened } from "../protect/opening.ts";
import { retainStep } from "../protect/planned-steps.ts";
import { reclaimOf } from "../protect/steps/retain.ts";
import { type Commit, commitText } from "./deployed.ts";
import type { LastCopyInput } from "./steps/last-copy.ts";
import type { RetireInput } from "./steps/retire-claims.ts";
import { trashKey, trashPointKey } from "./trash-mark.ts";
import { intoTrash } from "./trash-steps.ts";

export interface Retiree {
  readonly volume: Volume;
  readonly claim: Claim;
  readonly pv: PersistentVolume;
  /** The commit that is to delete the claim; undefined when Holdfast does. */
  readonly commit: Commit | undefined;
  /** The point of its last good copy so far. */
  readonly lastGood: string | undefined;
}

export interface RetireWish {
  readonly retirees: readonly Retiree[];
  /** The point that gets the last copies; undefined when none is made. */
  readonly point: string | undefined;
  /** ms since 1970 */
  readonly now: number;
  /** ms since 1970: how long guards are open for commits. */
  readonly until: number;
}

const common = { repeat: "safe", does: "apply" } as const;
const nameOf = ({ volume }: Retiree): string => volumeName(volume);
const listOf = (retirees: readonly Retiree[]): string => retirees.map(nameOf).join(", ");
const isHeld = ({ claim }: Retiree): boolean => modeOf(claim) !== "off";

/** None of the volumes is used by a pod (`demandUnused`). */
export const planRetire = (wish: RetireWish): Plan => {
  const { retirees } = wish;
  return {
    version: 1,
    verb: "retire",
    title: `retires ${listOf(retirees)}${wish.point === undefined ? " without a last copy" : ""}`,
    locks: retirees.map(nameOf),
    steps: [copySteps(wish), keepSteps(retirees), [trashStep(wish)], openSteps(wish), deleteSteps(retirees)].flat(),
    undo: {
      kind: "kept",
      text: "`holdfast undo` brings back what there was, and `holdfast trash restore` what is in the trash. Only `holdfast trash empty` frees space.",
    },
    warnings: warningsOf(wish),
  };
};

const copySteps = ({ retirees, point }: RetireWish): readonly PlannedStep[] => {
  if (point === undefined) return [];
  const input: LastCopyInput = { point, volumes: retirees.map(nameOf) };
  return [
    {
      ...common,
      id: "copy",
      kind: "last-copy",
      title: `make a last copy of ${listOf(retirees)}, the recovery point ${point}, and verify it`,
      why: "it is what is left when the trash is emptied one day",
      back: "nothing: the copy stays",
      touches: [`recovery point ${point}`],
      input,
    },
  ];
};

const keepSteps = (retirees: readonly Retiree[]): readonly PlannedStep[] =>
  retainStep({
    reclaim: retirees.map((retiree) => {
      const { pv } = retiree;
      const from = reclaimOf(pv);
      const to = from.policy === "Retain" ? from : { policy: "Retain", before: from.policy };
      return { pv, volume: nameOf(retiree), from, to };
    }),
  });

const trashStep = ({ retirees, point, now }: RetireWish): PlannedStep =>
  intoTrash(
    retirees.map(({ pv, lastGood }) => {
      const copy = point ?? lastGood;
      return { pv, to: { [trashKey]: formatTime(now), ...(copy === undefined ? {} : { [trashPointKey]: copy }) } };
    }),
  );

/** What the guard tells GitOps tools is taken away with it: they are to delete. */
const openedForGit = (claim: Claim, until: number): ReturnType<typeof opened> => {
  const { annotations, finalizers } = opened(claim, until);
  const own = Object.entries(annotations).filter(([key]) => key.startsWith("holdfast.dev/"));
  return { annotations: Object.fromEntries(own), finalizers };
};

const openSteps = ({ retirees, until }: RetireWish): readonly PlannedStep[] => {
  const held = retirees.filter((retiree) => retiree.commit !== undefined && isHeld(retiree));
  if (held.length === 0) return [];
  const claims = held.map(({ claim }) => [resources.persistentVolumeClaims, claim] as const);
  return [
    {
      ...common,
      id: "opening",
      kind: "open-guard",
      title: `open the guard of ${listOf(held)} until ${formatTime(until)}`,
      why: "your commit deletes these very claims; their PersistentVolumes stay guarded",
      back: `close the guard of ${listOf(held)}`,
      touches: held.map((retiree) => `PersistentVolumeClaim ${nameOf(retiree)}`),
      input: inputFor(claims, (object) => openedForGit(object as Claim, until)),
    },
  ];
};

const deleteSteps = (retirees: readonly Retiree[]): readonly PlannedStep[] => {
  const own = retirees.filter(({ commit }) => commit === undefined);
  if (own.length === 0) return [];
  const input = {
    claims: own.map(({ volume: { namespace, claim: name }, claim, pv }) => ({
      namespace,
      claim: name,
      pv: pv.metadata.name,
      manifest: claimManifest(claim) as unknown as Json,
      marks: lastingMarks(claim),
    })),
  } as RetireInput;
  return [
    {
      ...common,
      id: "delete",
      kind: "retire-claims",
      title: `delete ${own.length === 1 ? "the claim" : "the claims"} ${listOf(own)}`,
      why: "no GitOps tool has them in git; their guard is opened for this one deletion",
      back: `make the claims ${listOf(own)} again, on the same volumes`,
      touches: own.flatMap((retiree) => [
        `PersistentVolumeClaim ${nameOf(retiree)}`,
        `PersistentVolume ${retiree.pv.metadata.name}`,
      ]),
      input,
    },
  ];
};

const warningsOf = ({ retirees, until, point }: RetireWish): readonly string[] =>
  retirees.flatMap((retiree) => {
    const { commit, claim, volume, lastGood } = retiree;
    const name = nameOf(retiree);
    const release = helmReleaseOf(claim);
    const users = volume.workloads.map(({ kind, name: workload }) => `${kind} ${workload}`).join(", ");
    return [
      ...(commit === undefined ? [] : [commitText(commit, isHeld(retiree) ? formatTime(until) : undefined)]),
      ...(release === undefined || commit !== undefined
        ? []
        : [
            `${name} belongs to the Helm release ${release}: its next upgrade makes an empty one, unless the chart's values leave it out`,
          ]),
      ...(users === "" ? [] : [`${users} names ${name}, and does not start any more without it`]),
      ...(point !== undefined || lastGood !== undefined ? [] : [`there is no good copy of ${name} at all`]),
    ];
  });
