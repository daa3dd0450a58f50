/** Objects as they are made again: what belonged to their earlier life, and would harm the new one, is left out. Pure. */
import type { Claim, PersistentVolume } from "../../inventory/raw.ts";
import { claimManifest } from "../../restore/zfs/rebind.ts";
import { lastingMeta } from "../../restore/zfs/successor.ts";
import type { KubeObject } from "../../systems/kubernetes/port.ts";
import { trackingAnnotation } from "../../systems/gitops/tracking.ts";
import { argoWanted } from "../protect/gitops.ts";
import { withOptions } from "../protect/options.ts";
import { trashKeys } from "../retire/trash-mark.ts";
import type { DeletedVolume } from "./deleted.ts";

type OwnerLives = (uid: string) => boolean;

/** By the UIDs of workloads. One that is being deleted lives no more: it would take the new claim along. */
export const ownersAmong = (makers: readonly KubeObject[]): OwnerLives => {
  const living = new Set(
    makers.flatMap(({ metadata }) => (metadata.deletionTimestamp === undefined ? [metadata.uid] : [])),
  );
  return (uid) => living.has(uid);
};

/** What GitOps has removed once it would remove again: the first sync after the freeze. */
export const notPruned = (annotations: Readonly<Record<string, string>>): Readonly<Record<string, string>> => {
  if (annotations[trackingAnnotation] === undefined) return annotations;
  const wanted = Object.entries(argoWanted).map(([key, options]) => [key, withOptions(annotations[key], options)]);
  return { ...annotations, ...Object.fromEntries(wanted) };
};

/**
 * The claim without what binds it to a volume. Owners that are gone, or going, are left out, else the garbage collector would take
 * it away again.
 */
export const claimToMake = ({ object, namespaceIs }: DeletedVolume, ownerLives: OwnerLives): KubeObject => {
  const { metadata, ...rest } = claimManifest(object);
  const { ownerReferences = [], annotations = {}, ...kept } = metadata;
  // With its namespace all its owners go, also those that nobody has come to delete yet.
  const owners = ownerReferences.filter(({ uid }) => namespaceIs === "there" && ownerLives(uid));
  return {
    ...rest,
    metadata: {
      ...kept,
      annotations: notPruned(annotations),
      ...(owners.length === 0 ? {} : { ownerReferences: owners }),
    },
  };
};

/** The same for a volume whose bytes are gone: its class makes it a new one. */
export const claimToMakeEmpty = (deleted: DeletedVolume, ownerLives: OwnerLives): KubeObject => {
  const claim = claimToMake(deleted, ownerLives) as Claim;
  // It would be filled from somewhere else meanwhile.
  const { dataSource: _, dataSourceRef: __, ...spec } = claim.spec as Claim["spec"] & Record<string, unknown>;
  return { ...claim, spec } as KubeObject;
};

const isTrashKey = (key: string): boolean => trashKeys.some((one) => one === key);

/** The PV under its old name, reserved for its claim, kept, and out of the trash. */
export const volumeToMake = ({ namespace, claim }: DeletedVolume, pv: PersistentVolume): PersistentVolume => {
  const claimRef = { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace, name: claim };
  const { annotations, ...meta } = lastingMeta(pv);
  const kept = Object.fromEntries(Object.entries(annotations).filter(([key]) => !isTrashKey(key)));
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name: pv.metadata.name, ...meta, annotations: kept },
    spec: { ...pv.spec, claimRef, persistentVolumeReclaimPolicy: "Retain" },
  };
};
