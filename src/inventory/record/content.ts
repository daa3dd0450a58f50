/** What an inventory holds: the cluster's objects as the API server sent them, and the NAS objects behind its volumes. */
import { mapLimited } from "../../model/concurrency.ts";
import { absentAsUndefined } from "../../systems/kubernetes/api-error.ts";
import { decodeJson } from "../../systems/kubernetes/json.ts";
import type { Kubernetes, Resource } from "../../systems/kubernetes/port.ts";
import { resources } from "../../systems/kubernetes/resources.ts";
import type {
  Dataset,
  Exports,
  IscsiExtent,
  IscsiTarget,
  IscsiTargetExtent,
  NfsShare,
} from "../../systems/nas/port.ts";
import type { NasView } from "../datasets/answer.ts";
import type { Claim, PersistentVolume } from "../raw.ts";

/** All objects of one kind, as texts. */
export interface RawObjects {
  readonly resource: Pick<Resource, "apiVersion" | "kind" | "plural">;
  readonly texts: readonly string[];
}

export interface InventoryContent {
  readonly kubernetes: readonly RawObjects[];
  /** Undefined where there is no NAS, or it did not answer. */
  readonly nas: NasView | undefined;
}

/**
 * Kinds without which a volume, or who uses it, cannot be made again. No Secrets. Not what others make and throw away
 * again (pods, Jobs, ReplicaSets): each CronJob would be a change of the set.
 */
export const recordedKinds: readonly Resource[] = [
  resources.persistentVolumes,
  resources.persistentVolumeClaims,
  resources.storageClasses,
  resources.deployments,
  resources.statefulSets,
  resources.daemonSets,
  resources.cronJobs,
  resources.applications,
];

const listsAtATime = 4;

/** The cluster's part. Cost: one list call a kind. Kinds that the server does not have are left out. */
export const readRecordedKinds = async (kubernetes: Kubernetes): Promise<readonly RawObjects[]> => {
  const lists = await mapLimited(recordedKinds, listsAtATime, async (resource) => {
    // No Argo CD, no Applications.
    const texts = await absentAsUndefined(kubernetes.listRaw(resource));
    return texts === undefined ? undefined : { resource, texts };
  });
  return lists.filter((list) => list !== undefined);
};

const decoded = ({ kubernetes }: InventoryContent, { plural }: Resource): readonly unknown[] =>
  kubernetes
    .filter(({ resource }) => resource.plural === plural)
    .flatMap(({ texts }) => texts.map((text) => decodeJson(text)));

/** The PVs of an inventory, decoded. */
export const persistentVolumesOf = (content: InventoryContent): readonly PersistentVolume[] =>
  decoded(content, resources.persistentVolumes) as readonly PersistentVolume[];

/** The claims of an inventory, decoded. */
export const claimsOf = (content: InventoryContent): readonly Claim[] =>
  decoded(content, resources.persistentVolumeClaims) as readonly Claim[];

/** Only what leads to the datasets: the NAS also serves what is none of our business. */
export const exportsBehind = ({ datasets, exports }: NasView): Exports | undefined => {
  if (exports === undefined) return undefined;
  const paths = new Set(datasets.map(({ name, mountpoint }) => mountpoint ?? `/mnt/${name}`));
  const disks = new Set(datasets.map(({ name }) => `zvol/${name}`));
  const extents = exports.extents.filter(({ disk }) => disks.has(disk));
  const extentIds = new Set(extents.map(({ id }) => id));
  const targetExtents = exports.targetExtents.filter(({ extent }) => extentIds.has(extent));
  const targetIds = new Set(targetExtents.map(({ target }) => target));
  return {
    iqnBase: exports.iqnBase,
    nfs: exports.nfs.filter(({ path }) => paths.has(path)),
    targets: exports.targets.filter(({ id }) => targetIds.has(id)),
    extents,
    targetExtents,
  };
};

/** One NAS object with its kind. */
export type NasObject =
  | { readonly nas: "dataset"; readonly object: Dataset }
  | { readonly nas: "nfs-share"; readonly object: NfsShare }
  | { readonly nas: "iscsi-target"; readonly object: IscsiTarget }
  | { readonly nas: "iscsi-extent"; readonly object: IscsiExtent }
  | { readonly nas: "iscsi-target-extent"; readonly object: IscsiTargetExtent };

/** Everything of the NAS that is recorded, object by object. */
export function* nasObjects(view: NasView): Generator<NasObject, void, undefined> {
  const exports = exportsBehind(view);
  for (const object of view.datasets) yield { nas: "dataset", object };
  if (exports === undefined) return;
  for (const object of exports.nfs) yield { nas: "nfs-share", object };
  for (const object of exports.targets) yield { nas: "iscsi-target", object };
  for (const object of exports.extents) yield { nas: "iscsi-extent", object };
  for (const object of exports.targetExtents) yield { nas: "iscsi-target-extent", object };
}
