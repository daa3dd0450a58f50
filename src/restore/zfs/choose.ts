/** Which snapshot, and whether a volume can be given a clone at all. Pure. */
import type { Claim } from "../../inventory/raw.ts";
import { guardFinalizer } from "../../guard/finalizer.ts";
import { Failure } from "../../model/failure.ts";
import { nearest } from "../../model/nearest.ts";
import type { Pool, Snapshot } from "../../systems/nas/port.ts";

export interface SnapshotChoice {
  /** "point-1" or "tank/k8s/pvc-1@point-1"; undefined means the newest. */
  readonly name?: string;
  /** ms since 1970: the newest that is no younger. */
  readonly at?: number;
}

/** Snapshots come oldest first. Throws COPY_MISSING, with the nearest names. */
export const chooseSnapshot = (
  volume: string,
  snapshots: readonly Snapshot[],
  { name, at }: SnapshotChoice,
): Snapshot => {
  const limit = at ?? Number.POSITIVE_INFINITY;
  const found =
    name === undefined
      ? snapshots.findLast(({ created }) => created <= limit)
      : snapshots.find((candidate) => candidate.snapshot === name || candidate.name === name);
  if (found !== undefined) return found;
  const names = snapshots.map(({ snapshot }) => snapshot);
  const close = name === undefined ? [] : nearest(name, names);
  throw new Failure("COPY_MISSING", {
    what:
      name === undefined
        ? `The dataset of ${volume} has no snapshot${at === undefined ? "" : " from that time or before"}.`
        : `The dataset of ${volume} has no snapshot "${name}".`,
    todo:
      close.length > 0
        ? `Did you mean ${close.join(", ")}?`
        : names.length === 0
          ? "Restore it from Velero's copy: leave out --from zfs."
          : `It has ${names.slice(-5).join(", ")}.`,
  });
};

/** The first goes with the last pod; the other is the guard's, which Holdfast lets go by itself. */
const released = new Set(["kubernetes.io/pvc-protection", guardFinalizer]);

/** A claim that somebody else's finalizer holds would stay Terminating for good. Throws TARGET_UNUSABLE. */
export const demandFreeClaim = (volume: string, { metadata }: Claim): void => {
  if (metadata.deletionTimestamp !== undefined)
    throw new Failure("TARGET_UNUSABLE", { what: `${volume} is being deleted.` });
  const others = (metadata.finalizers ?? []).filter((name) => !released.has(name));
  if (others.length === 0) return;
  throw new Failure("TARGET_UNUSABLE", {
    what: `${volume} cannot be bound to another volume: it would not go when it is deleted.`,
    why: `somebody else's finalizers hold it: ${others.join(", ")}`,
    todo: "Restore it from Velero's copy: leave out --from zfs.",
  });
};

/** Throws NAS_READ_ONLY for a pool that cannot be written. */
export const demandWritable = (dataset: string, pools: readonly Pool[]): void => {
  const pool = pools.find(({ name }) => name === dataset.split("/")[0]);
  if (pool === undefined || (!pool.readOnly && pool.health !== "SUSPENDED")) return;
  throw new Failure("NAS_READ_ONLY", {
    what: `The pool ${pool.name} cannot be written.`,
    why: pool.readOnly ? "it is imported read-only" : "it is suspended",
  });
};
