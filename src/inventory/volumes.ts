/** Joins claims, volumes, pods and their makers into `Volume`s. Pure; cost: one pass over each list. */
import type { Backing, Mount, Volume, Workload } from "../model/volume.ts";
import { parseQuantity } from "../model/quantity.ts";
import {
  type Claim,
  type ContainerSpec,
  type Namespace,
  type PersistentVolume,
  type Pod,
  type PodMaker,
  type PodSpec,
  sourceOf,
} from "./raw.ts";

/** The lists that the inventory is made from, all read at about the same time. */
export interface ClusterObjects {
  readonly namespaces: readonly Namespace[];
  readonly claims: readonly Claim[];
  readonly persistentVolumes: readonly PersistentVolume[];
  readonly pods: readonly Pod[];
  /** Deployments, StatefulSets, ReplicaSets, DaemonSets, Jobs, CronJobs, with `kind` set. */
  readonly makers: readonly PodMaker[];
}

const managedByLabel = "app.kubernetes.io/managed-by";
const excludeLabel = "velero.io/exclude-from-backup";
const excludeAnnotation = "backup.velero.io/backup-volumes-excludes";
/** All volumes of the cluster, ordered by name. */
export const volumesOf = (objects: ClusterObjects): readonly Volume[] => {
  const backings = new Map(objects.persistentVolumes.map((pv) => [pv.metadata.name, backingOf(pv)]));
  const owners = new Map(objects.makers.map((maker) => [maker.metadata.uid ?? "", maker]));
  const mounts = mountsByClaim(objects.pods, owners);
  const templates = workloadsByClaim(objects.makers, owners);
  const excluded = new Set(objects.namespaces.filter(isExcluded).map((namespace) => namespace.metadata.name));
  return objects.claims
    .map((claim) => volumeOf(claim, { backings, mounts, templates, excluded }))
    .toSorted((a, b) => compare(a.namespace, b.namespace) || compare(a.claim, b.claim));
};

interface Joined {
  readonly backings: ReadonlyMap<string, Backing>;
  readonly mounts: ReadonlyMap<string, readonly Mount[]>;
  readonly templates: ReadonlyMap<string, readonly Workload[]>;
  readonly excluded: ReadonlySet<string>;
}

const volumeOf = (claim: Claim, joined: Joined): Volume => {
  const namespace = claim.metadata.namespace ?? "";
  const key = `${namespace}/${claim.metadata.name}`;
  const mounts = joined.mounts.get(key) ?? [];
  const capacity = claim.status?.capacity?.storage;
  return {
    namespace,
    claim: claim.metadata.name,
    claimUid: claim.metadata.uid ?? "",
    phase: claim.status?.phase ?? "Pending",
    storageClass: claim.spec.storageClassName,
    volumeMode: claim.spec.volumeMode ?? "Filesystem",
    accessModes: claim.spec.accessModes ?? [],
    capacity: capacity === undefined ? undefined : parseQuantity(capacity),
    created: claim.metadata.creationTimestamp ?? "",
    deleting: claim.metadata.deletionTimestamp !== undefined,
    excludedByLabel: isExcluded(claim) || joined.excluded.has(namespace),
    backing: claim.spec.volumeName === undefined ? undefined : joined.backings.get(claim.spec.volumeName),
    mounts,
    workloads: distinct([...mounts.map((mount) => mount.workload), ...(joined.templates.get(key) ?? [])]),
  };
};

/** What stands behind a claim, as its PV says. */
export const backingOf = (pv: PersistentVolume): Backing => ({
  name: pv.metadata.name,
  uid: pv.metadata.uid ?? "",
  reclaimPolicy: pv.spec.persistentVolumeReclaimPolicy ?? "Retain",
  source: sourceOf(pv.spec),
  driver: pv.spec.csi?.driver,
  handle: pv.spec.csi?.volumeHandle,
});

const mountsByClaim = (pods: readonly Pod[], owners: ReadonlyMap<string, PodMaker>): Map<string, Mount[]> => {
  const result = new Map<string, Mount[]>();
  // What a Holdfast that died has left is no user of the volume: its operation tidies it away.
  for (const pod of pods.filter(({ metadata }) => metadata.labels?.[managedByLabel] !== "holdfast")) {
    for (const [key, mount] of mountsOfPod(pod, owners)) push(result, key, mount);
  }
  return result;
};

const mountsOfPod = (pod: Pod, owners: ReadonlyMap<string, PodMaker>): readonly (readonly [string, Mount])[] => {
  const excludes = (pod.metadata.annotations?.[excludeAnnotation] ?? "").split(",");
  return claimsOf(pod.spec).map(({ claim, volume }) => [
    `${pod.metadata.namespace}/${claim}`,
    {
      pod: pod.metadata.name,
      podUid: pod.metadata.uid ?? "",
      node: pod.spec.nodeName,
      phase: pod.metadata.deletionTimestamp === undefined ? (pod.status?.phase ?? "Unknown") : "Terminating",
      workload: outermost(pod, owners),
      volume,
      by: mountedBy(pod.spec, volume),
      excludedByAnnotation: excludes.includes(volume),
    },
  ]);
};

const claimsOf = (spec: PodSpec): readonly { readonly claim: string; readonly volume: string }[] =>
  (spec.volumes ?? []).flatMap((volume) =>
    volume.persistentVolumeClaim === undefined
      ? []
      : [{ claim: volume.persistentVolumeClaim.claimName, volume: volume.name }],
  );

const mountedBy = (spec: PodSpec, volume: string): Mount["by"] => {
  const mounts = (container: ContainerSpec): boolean =>
    (container.volumeMounts ?? []).some((mount) => mount.name === volume);
  if (spec.containers.some(mounts)) return "main";
  return (spec.initContainers ?? []).some(mounts) ? "init" : "none";
};

/** The workload that a person would name: follows controllers upwards as far as they are known. */
const outermost = (object: Pod | PodMaker, owners: ReadonlyMap<string, PodMaker>): Workload => {
  const controller = object.metadata.ownerReferences?.find((owner) => owner.controller === true);
  if (controller === undefined) return { kind: object.kind ?? "Pod", name: object.metadata.name };
  const maker = owners.get(controller.uid);
  return maker === undefined ? { kind: controller.kind, name: controller.name } : outermost(maker, owners);
};

/** Workloads whose template names a claim, whether or not they have pods now. */
const workloadsByClaim = (
  makers: readonly PodMaker[],
  owners: ReadonlyMap<string, PodMaker>,
): Map<string, Workload[]> => {
  const result = new Map<string, Workload[]>();
  for (const maker of makers) {
    const namespace = maker.metadata.namespace ?? "";
    const workload = outermost(maker, owners);
    for (const claim of claimsOfMaker(maker)) push(result, `${namespace}/${claim}`, workload);
  }
  return result;
};

/** Claims that the template names, without those that a StatefulSet makes. */
export const namedClaimsOf = ({ spec: { template, jobTemplate } }: PodMaker): readonly string[] => {
  const spec = template?.spec ?? jobTemplate?.spec.template.spec;
  return spec === undefined ? [] : claimsOf(spec).map(({ claim }) => claim);
};

const claimsOfMaker = (maker: PodMaker): readonly string[] => {
  const named = namedClaimsOf(maker);
  const ordinals = Array.from({ length: maker.spec.replicas ?? 1 }, (_, index) => index);
  const templated = (maker.spec.volumeClaimTemplates ?? []).flatMap((template) =>
    ordinals.map((ordinal) => `${template.metadata.name}-${maker.metadata.name}-${ordinal}`),
  );
  return [...named, ...templated];
};

const isExcluded = (object: Claim | Namespace): boolean => object.metadata.labels?.[excludeLabel] === "true";

const distinct = (workloads: readonly Workload[]): readonly Workload[] => [
  ...new Map(workloads.map((workload) => [`${workload.kind}/${workload.name}`, workload])).values(),
];

const push = <T>(map: Map<string, T[]>, key: string, value: T): void => {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
};

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
