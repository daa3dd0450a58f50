/** Which PersistentVolumes must say Retain now, because their claims are going or gone; and which are let go. Pure. */
import { endangered } from "../guard/undelete/endangered.ts";
import { type Exception, exceptionOf } from "../guard/protect/decide.ts";
import { openUntil } from "../guard/protect/mode.ts";
import type { Claim, PersistentVolume } from "../inventory/raw.ts";

export interface Kept {
  readonly claims: readonly Claim[];
  readonly persistentVolumes: readonly PersistentVolume[];
}

/** Why a claim may go with its bytes, and until when (ms since 1970). */
interface Pardon {
  readonly why: string;
  readonly until: number;
}

/** What must be known of claims once they are gone. */
export interface Memory {
  /** By the claim's UID. */
  readonly pardons: ReadonlyMap<string, Pardon>;
  /** UIDs of PVs that said Retain after their claim was gone: whoever changes that afterwards wants the bytes to go. */
  readonly settled: ReadonlySet<string>;
}

export const nothingKnown: Memory = { pardons: new Map(), settled: new Set() };

/** Claims that come and go by design, and those that the user has taken out. One of an operator's (`owned`) may hold data. */
const goWithTheirBytes: ReadonlySet<Exception["code"]> = new Set(["excluded", "ephemeral", "temporary", "ours"]);

/** Why nothing of the guard's may hold the claim up; undefined when something may. */
export const passes = (claim: Claim): string | undefined => {
  const exception = exceptionOf(claim, { pv: undefined, namespace: undefined });
  return exception !== undefined && goWithTheirBytes.has(exception.code) ? exception.why : undefined;
};

const pardonOf = (claim: Claim): Pardon | undefined => {
  const why = passes(claim);
  if (why !== undefined) return { why, until: Number.POSITIVE_INFINITY };
  const until = openUntil(claim);
  if (until === undefined) return undefined;
  // What was asked for in time is granted, however long it takes.
  const deleted = Date.parse(claim.metadata.deletionTimestamp ?? "");
  return { why: "its deletion was allowed", until: deleted <= until ? Number.POSITIVE_INFINITY : until };
};

/** What is known now, of what was known before and what is there. Cost: one pass over claims and PVs. */
export const remembered = (before: Memory, { claims, persistentVolumes }: Kept): Memory => {
  const present = new Set(claims.map(({ metadata }) => metadata.uid));
  const pardons = new Map<string, Pardon>();
  for (const claim of claims) {
    const pardon = pardonOf(claim);
    if (pardon !== undefined) pardons.set(claim.metadata.uid ?? "", pardon);
  }
  const settled = new Set<string>();
  for (const { spec, metadata } of persistentVolumes) {
    const claimUid = spec.claimRef?.uid;
    if (claimUid === undefined || present.has(claimUid)) continue;
    const pardon = before.pardons.get(claimUid);
    if (pardon !== undefined) pardons.set(claimUid, pardon);
    const { uid = "" } = metadata;
    if (spec.persistentVolumeReclaimPolicy === "Retain" || before.settled.has(uid)) settled.add(uid);
  }
  return { pardons, settled };
};

/** `memory` must know of these objects already (`remembered`). Cost: one pass over claims and PVs. */
export const toRetain = (memory: Memory, objects: Kept, now: number): readonly PersistentVolume[] =>
  endangered(objects).filter(({ metadata, spec }) => {
    if (memory.settled.has(metadata.uid ?? "")) return false;
    const pardon = memory.pardons.get(spec.claimRef?.uid ?? "");
    return pardon === undefined || pardon.until < now;
  });
