/** What lies in the trash: PersistentVolumes that were retired on purpose, with what is known of their bytes. Pure. */
import type { NasView } from "../../inventory/datasets/answer.ts";
import { mapVolumes } from "../../inventory/datasets/volume-map.ts";
import { evidenceFor, verdictOf } from "../../inventory/coverage.ts";
import type { Claim, PersistentVolume } from "../../inventory/raw.ts";
import type { ClusterObjects } from "../../inventory/volumes.ts";
import type { Copy } from "../../model/copy.ts";
import { Failure } from "../../model/failure.ts";
import type { PointDetails } from "../../model/point.ts";
import { parseQuantity } from "../../model/quantity.ts";
import { resolveName } from "../../restore/scope.ts";
import type { Dataset } from "../../systems/nas/port.ts";
import { ofLineage } from "../undelete/copies.ts";
import { isEmptying, isTrash, retiredAt } from "./trash-mark.ts";

export interface TrashItem {
  /** "namespace/pvc" that it was, or still is while its commit is awaited. */
  readonly volume: string;
  readonly pv: PersistentVolume;
  /** The claim, when it is still there on this very PV. */
  readonly claim: Claim | undefined;
  /** Where the NAS was asked, and has it. */
  readonly dataset: Dataset | undefined;
  /** Bytes: what the NAS says it takes, else what was promised; undefined when neither is known. */
  readonly bytes: number | undefined;
  /** ms since 1970 */
  readonly since: number | undefined;
  readonly emptying: boolean;
}

const capacityOf = (pv: PersistentVolume): number | undefined => {
  const { storage } = (pv.spec["capacity"] ?? {}) as { readonly storage?: string };
  return storage === undefined ? undefined : parseQuantity(storage);
};

/** The oldest first. Cost: PVs × datasets. */
export const trashIn = (
  { persistentVolumes, claims }: Pick<ClusterObjects, "persistentVolumes" | "claims">,
  nas: NasView | undefined,
): readonly TrashItem[] => {
  const standing = new Map(claims.map((claim) => [claim.metadata.uid ?? "", claim]));
  const answers = nas === undefined ? undefined : mapVolumes(persistentVolumes, nas).answers;
  return persistentVolumes
    .filter(isTrash)
    .map((pv): TrashItem => {
      const { namespace = "", name = pv.metadata.name, uid } = pv.spec.claimRef ?? {};
      const answer = answers?.get(pv.metadata.name);
      const dataset = answer !== undefined && "found" in answer ? answer.found : undefined;
      return {
        volume: `${namespace}/${name}`,
        pv,
        claim: standing.get(uid ?? ""),
        dataset,
        bytes: dataset?.used ?? capacityOf(pv),
        since: retiredAt(pv),
        emptying: isEmptying(pv),
      };
    })
    .toSorted((a, b) => (a.since ?? 0) - (b.since ?? 0) || a.volume.localeCompare(b.volume));
};

/**
 * Those that the references mean, by what they were or by their PV; all without any. Throws VOLUME_UNKNOWN and its like for
 * what is not in the trash.
 */
export const selectTrash = (items: readonly TrashItem[], references: readonly string[]): readonly TrashItem[] => {
  if (references.length === 0) return items;
  if (items.length === 0) throw new Failure("VOLUME_UNKNOWN", { what: "The trash is empty.", todo: elsewhere });
  const wanted = new Set(
    references.flatMap((reference) => {
      const byPv = items.filter(({ pv }) => pv.metadata.name === reference);
      if (byPv.length > 0) return byPv;
      const name = resolveName(reference, [...new Set(items.map(({ volume }) => volume))]);
      return items.filter(({ volume }) => volume === name);
    }),
  );
  return items.filter((item) => wanted.has(item));
};

const elsewhere = "`holdfast undelete --dry-run` lists what was deleted without having been retired.";

/** Its newest copy of which verification has seen that it is whole. Points come newest first. */
export const goodCopyOf = (
  { volume, pv }: Pick<TrashItem, "volume" | "pv">,
  points: readonly PointDetails[],
): Copy | undefined => {
  for (const point of ofLineage(pv, points)) {
    const copy = point.copies.find((candidate) => candidate.volume === volume);
    if (copy !== undefined && verdictOf(copy, evidenceFor(copy, point)) === "verified") return copy;
  }
  return undefined;
};
