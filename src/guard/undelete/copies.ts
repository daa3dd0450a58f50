/** The copies from which volumes come back whose bytes are gone. Pure. */
import type { PersistentVolume } from "../../inventory/raw.ts";
import { backingOf } from "../../inventory/volumes.ts";
import { Failure } from "../../model/failure.ts";
import { continues } from "../../model/lineage.ts";
import type { PointDetails } from "../../model/point.ts";
import { parseQuantity } from "../../model/quantity.ts";
import { lineageOf, type Volume, volumeName } from "../../model/volume.ts";
import type { RestoreItem } from "../../restore/plan.ts";
import { chooseCopy } from "../../restore/scope.ts";
import type { DeletedVolume } from "./deleted.ts";

/** By volume, for those that remain as a copy only. Points come newest first. Throws COPY_MISSING. */
export const copiesFor = (
  found: readonly DeletedVolume[],
  points: readonly PointDetails[],
): ReadonlyMap<string, RestoreItem> =>
  new Map(
    found
      .filter(({ remains }) => remains === "copy")
      .map((deleted, index) => {
        const name = volumeName(deleted);
        const chosen = chooseCopy(name, ofLineage(deleted.pv, points), {});
        const target = volumeToBe(deleted);
        const size = chosen.copy.bytes ?? 0;
        if (target.capacity !== undefined && size > target.capacity)
          throw new Failure("TARGET_TOO_SMALL", { what: `The copy of ${name} does not fit into a claim of its size.` });
        return [name, { key: `v${index}`, source: name, chosen, target, inPlace: true }] as const;
      }),
  );

/** A volume that had the name later, and was empty, is another one: its copies are not what was on the PV. */
export const ofLineage = (
  pv: PersistentVolume | undefined,
  points: readonly PointDetails[],
): readonly PointDetails[] => {
  if (pv === undefined) return points;
  const lineage = lineageOf({ backing: backingOf(pv) }) ?? "";
  const past = { lineage, pv: pv.metadata.name };
  const isOurs = (then: string | undefined): boolean => then === undefined || continues(past, then, new Map());
  return points.map((point) => ({ ...point, copies: point.copies.filter((copy) => isOurs(copy.lineage)) }));
};

/** The volume that its claim will have: nothing uses it yet. */
const volumeToBe = ({ namespace, claim, object: { spec } }: DeletedVolume): Volume => {
  const storage = spec.resources?.requests?.storage;
  return {
    namespace,
    claim,
    claimUid: "",
    phase: "Pending",
    storageClass: spec.storageClassName,
    volumeMode: spec.volumeMode ?? "Filesystem",
    accessModes: spec.accessModes ?? [],
    capacity: storage === undefined ? undefined : parseQuantity(storage),
    created: "",
    deleting: false,
    excludedByLabel: false,
    backing: undefined,
    mounts: [],
    workloads: [],
  };
};
