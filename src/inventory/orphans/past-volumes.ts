/** Looks up in older inventories what datasets once were. */
import type { Bucket } from "../../systems/s3/port.ts";
import { mapVolumes } from "../datasets/volume-map.ts";
import { persistentVolumesOf } from "../record/content.ts";
import { type Inventory, inventoriesBackwards } from "../record/store.ts";
import type { PastVolume, PastVolumes } from "./origin.ts";

/**
 * The newest inventory that knew a dataset's volume decides. Inventories are read one by one, newest first, until all
 * `guids` are explained; a dataset that never was a volume has 100 of them read. Cost: as `inventoriesBackwards`.
 */
export const readPastVolumes = async (
  bucket: Bucket,
  cluster: string,
  guids: ReadonlySet<string>,
): Promise<PastVolumes> => {
  const past = new Map<string, PastVolume>();
  if (guids.size === 0) return past;
  for await (const { inventory, time } of inventoriesBackwards(bucket, cluster)) {
    for (const [guid, volume] of volumesIn(inventory, time))
      if (guids.has(guid) && !past.has(guid)) past.set(guid, volume);
    if (past.size === guids.size) break;
  }
  return past;
};

const volumesIn = (inventory: Inventory, seen: number): readonly (readonly [string, PastVolume])[] => {
  if (inventory.nas === undefined) return [];
  const pvs = persistentVolumesOf(inventory);
  const { answers } = mapVolumes(pvs, inventory.nas);
  return pvs.flatMap(({ metadata, spec }) => {
    const answer = answers.get(metadata.name);
    if (answer === undefined || !("found" in answer)) return [];
    const { namespace, name } = spec.claimRef ?? {};
    const claim = namespace === undefined || name === undefined ? undefined : `${namespace}/${name}`;
    return [[answer.found.guid, { claim, pv: metadata.name, seen }] as const];
  });
};
