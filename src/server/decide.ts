/** What is to be done about the guard now, and how it stands. Pure. */
import { modeOf, type Mode, openUntil } from "../guard/protect/mode.ts";
import { guardFinalizer } from "../guard/finalizer.ts";
import { isGuarded, standingOf, type VolumeStanding } from "../guard/protect/standing.ts";
import type { GuardView } from "../guard/protect/view.ts";
import type { Claim, PersistentVolume } from "../inventory/raw.ts";
import { keyOf } from "../systems/kubernetes/object-key.ts";
import { passes } from "./keep.ts";

/** "incomplete": guarded, and something of it is missing. "excepted": rightly not guarded. */
export const volumeStates = ["guarded", "incomplete", "unguarded", "excepted", "deleting"] as const;
export type VolumeState = (typeof volumeStates)[number];

/** One thing to do. `key` names it from pass to pass. */
export type Task =
  | { readonly kind: "close"; readonly key: string; readonly volume: string; readonly why: string }
  | { readonly kind: "guard"; readonly key: string; readonly volume: string; readonly mode: Mode; readonly why: string }
  | LetGo;

/** A claim that is being deleted, and that only our finalizer is to hold until its bytes are safe. */
export interface LetGo {
  readonly kind: "let-go";
  readonly key: string;
  readonly volume: string;
  readonly claim: Claim;
  /** "allowed": it must not be held up at all. "safe": what was to be waited for is there. */
  readonly when: "allowed" | "safe";
  readonly pv: PersistentVolume | undefined;
  readonly why: string;
}

export interface Decision {
  readonly tasks: readonly Task[];
  /** Volumes that wait for something, and for what. */
  readonly waiting: readonly { readonly volume: string; readonly for: string }[];
  readonly states: Readonly<Record<VolumeState, number>>;
  /** When the next opening ends, ms since 1970. */
  readonly nextEnd: number | undefined;
}

export interface Wish {
  /** Mode of volumes that are not guarded yet. */
  readonly mode: Mode;
  readonly now: number;
  /** True when the bucket's inventory has the object of this UID. */
  readonly isRecorded: (uid: string) => boolean;
}

/** Cost: no calls; work in proportion to volumes × (StatefulSets + marked objects). */
export const decide = (view: GuardView, wish: Wish): Decision => {
  const claims = new Map(view.objects.claims.map((claim) => [keyOf(claim), claim]));
  const pvs = new Map(view.objects.persistentVolumes.map((pv) => [pv.metadata.name, pv]));
  const states: Record<VolumeState, number> = { guarded: 0, incomplete: 0, unguarded: 0, excepted: 0, deleting: 0 };
  const tasks: Task[] = [];
  const waiting: { volume: string; for: string }[] = [];
  const ends: number[] = [];
  for (const standing of standingOf(view, wish.now).volumes) {
    const claim = claims.get(standing.volume);
    if (claim === undefined) continue;
    states[stateOf(claim, standing)] += 1;
    const end = openUntil(claim);
    if (end !== undefined && end > wish.now && end < Number.POSITIVE_INFINITY) ends.push(end);
    const next = nextFor(claim, standing, pvs.get(claim.spec.volumeName ?? ""), wish);
    if (next === undefined) continue;
    if ("for" in next) waiting.push({ volume: standing.volume, for: next.for });
    else tasks.push(next);
  }
  return { tasks, waiting, states, nextEnd: ends.length === 0 ? undefined : Math.min(...ends) };
};

const isHeld = ({ metadata }: Claim): boolean => metadata.finalizers?.includes(guardFinalizer) === true;

const stateOf = (claim: Claim, standing: VolumeStanding): VolumeState => {
  if (standing.mode === "off") return standing.exception === undefined ? "unguarded" : "excepted";
  if (claim.metadata.deletionTimestamp !== undefined) return "deleting";
  return isGuarded(standing) ? "guarded" : "incomplete";
};

type Next = Task | { readonly for: string } | undefined;

const nextFor = (claim: Claim, standing: VolumeStanding, pv: PersistentVolume | undefined, wish: Wish): Next => {
  const { volume, opening, problems } = standing;
  if (claim.metadata.deletionTimestamp !== undefined) return isHeld(claim) ? letGo(claim, pv, wish) : undefined;
  if (opening?.isExpired === true && standing.mode !== "off")
    return { kind: "close", key: `close ${volume}`, volume, why: `it was open until ${opening.until ?? "now"}` };
  const mode = standing.mode === "off" ? wish.mode : standing.mode;
  if (problems.length === 0 || mode === "off" || standing.exception !== undefined) return undefined;
  return { kind: "guard", key: `guard ${volume} ${mode}`, volume, mode, why: problems.join("; ") };
};

/** Why a claim may go whatever becomes of its bytes. */
export const mayGo = (claim: Claim, now: number): string | undefined =>
  passes(claim) ?? ((openUntil(claim) ?? 0) > now ? "its deletion was allowed" : undefined);

/** The finalizer makes sure, and does not block: only mode hold waits for an answer. */
const letGo = (claim: Claim, pv: PersistentVolume | undefined, { now, isRecorded }: Wish): Next => {
  const volume = keyOf(claim);
  const task = { kind: "let-go", key: `let-go ${claim.metadata.uid}`, volume, claim } as const;
  const why = mayGo(claim, now);
  if (why !== undefined) return { ...task, when: "allowed", pv, why };
  if (modeOf(claim) === "hold") return { for: "an answer: `holdfast guard allow-delete`, or `holdfast undelete`" };
  if (pv !== undefined && pv.spec.persistentVolumeReclaimPolicy !== "Retain") return { for: "Retain" };
  const lacks = [claim, pv].some((object) => object !== undefined && !isRecorded(object.metadata.uid ?? ""));
  if (lacks) return { for: "the inventory in the bucket to have it" };
  return { ...task, when: "safe", pv, why: "its PersistentVolume says Retain, and the inventory has it" };
};
