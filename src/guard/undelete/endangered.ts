/** Whose bytes a driver may be about to destroy. Pure. */
import type { Claim, PersistentVolume } from "../../inventory/raw.ts";
import { isEmptying } from "../retire/trash-mark.ts";

interface Objects {
  readonly claims: readonly Claim[];
  readonly persistentVolumes: readonly PersistentVolume[];
}

/** PVs whose claim is going or gone, and that would be reclaimed without `trash empty` having said so. Cost: one pass over each list. */
export const endangered = ({ claims, persistentVolumes }: Objects): readonly PersistentVolume[] => {
  const standing = new Set(
    claims.flatMap(({ metadata }) => (metadata.deletionTimestamp === undefined ? [metadata.uid] : [])),
  );
  return persistentVolumes.filter(
    (pv) =>
      !isEmptying(pv) &&
      pv.spec.persistentVolumeReclaimPolicy !== "Retain" &&
      pv.spec.claimRef?.uid !== undefined &&
      !standing.has(pv.spec.claimRef.uid),
  );
};
