/** What the inventories in the bucket know of volumes that may be gone by now. */
import { mapVolumes } from "../../inventory/datasets/volume-map.ts";
import { claimsOf, type InventoryContent, persistentVolumesOf } from "../../inventory/record/content.ts";
import { inventoriesBackwards } from "../../inventory/record/store.ts";
import type { Bucket } from "../../systems/s3/port.ts";
import { keyOf } from "../../systems/kubernetes/object-key.ts";
import type { VolumeRecord } from "./deleted.ts";
import { exportOf } from "./exported.ts";

/** The volumes of one inventory. Cost: PVs × datasets. */
export const recordsIn = (content: InventoryContent): readonly VolumeRecord[] => {
  const pvs = new Map(persistentVolumesOf(content).map((pv) => [pv.metadata.name, pv]));
  const answers = content.nas === undefined ? undefined : mapVolumes([...pvs.values()], content.nas).answers;
  return claimsOf(content).flatMap((claim) => {
    const pv = pvs.get(claim.spec.volumeName ?? "");
    if (pv === undefined) return [];
    const answer = answers?.get(pv.metadata.name);
    const dataset = answer !== undefined && "found" in answer ? answer.found : undefined;
    const exports = content.nas?.exports;
    const exported = dataset === undefined || exports === undefined ? undefined : exportOf(pv, dataset, exports);
    return [{ claim, pv, dataset, exported }];
  });
};

/**
 * Records by claim, newest first, one for each PV that a claim had. `isEnough` may end the search early. Cost: as
 * `inventoriesBackwards`.
 */
export const readRecords = async (
  bucket: Bucket,
  cluster: string,
  isEnough: (found: ReadonlyMap<string, readonly VolumeRecord[]>) => boolean,
): Promise<ReadonlyMap<string, readonly VolumeRecord[]>> => {
  const found = new Map<string, VolumeRecord[]>();
  for await (const { inventory } of inventoriesBackwards(bucket, cluster)) {
    for (const record of recordsIn(inventory)) add(found, record);
    if (isEnough(found)) break;
  }
  return found;
};

const add = (found: Map<string, VolumeRecord[]>, record: VolumeRecord): void => {
  const known = found.get(keyOf(record.claim));
  if (known === undefined) found.set(keyOf(record.claim), [record]);
  else if (!known.some(({ pv }) => pv.metadata.uid === record.pv.metadata.uid)) known.push(record);
};
