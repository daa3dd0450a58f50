/** Workloads that are being deleted. Pure. */
import type { PodMaker } from "../../inventory/raw.ts";
import { ownerKey, type Scalable } from "../../restore/owners.ts";

/** Tells it of any owner; of one that `makers` does not have it is false. */
export const goingAmong = (makers: readonly PodMaker[]): ((owner: Scalable) => boolean) => {
  const going = new Set(
    makers
      .filter(({ metadata }) => metadata.deletionTimestamp !== undefined)
      .map(({ kind = "", metadata: { namespace = "", name } }) => ownerKey({ kind, namespace, name })),
  );
  return (owner) => going.has(ownerKey(owner));
};
