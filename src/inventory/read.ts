/** Reads the cluster's part of the inventory. Cost: ten list calls, each proportional to its kind's number of objects. */
import type { Kubernetes, KubeObject, Resource } from "../systems/kubernetes/port.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import type { Claim, Namespace, PersistentVolume, Pod, PodMaker } from "./raw.ts";
import type { ClusterObjects } from "./volumes.ts";

const makerKinds: readonly Resource[] = [
  resources.deployments,
  resources.statefulSets,
  resources.replicaSets,
  resources.daemonSets,
  resources.jobs,
  resources.cronJobs,
];

/** Items of a list carry no kind of their own; the inventory needs it to name workloads. */
const withKind = <T extends KubeObject>(resource: Resource, items: readonly T[]): readonly T[] =>
  items.map((item) => ({ ...item, apiVersion: resource.apiVersion, kind: resource.kind }));

/** All lists that the inventory joins, read side by side. */
export const readClusterObjects = async (kubernetes: Kubernetes): Promise<ClusterObjects> => {
  const all = async <T extends KubeObject>(resource: Resource): Promise<readonly T[]> =>
    withKind(resource, (await kubernetes.list<T>(resource)).items);
  const [namespaces, claims, persistentVolumes, pods, ...makers] = await Promise.all([
    all<Namespace>(resources.namespaces),
    all<Claim>(resources.persistentVolumeClaims),
    all<PersistentVolume>(resources.persistentVolumes),
    all<Pod>(resources.pods),
    ...makerKinds.map((kind) => all<PodMaker>(kind)),
  ]);
  return { namespaces, claims, persistentVolumes, pods, makers: makers.flat() };
};
