import type { Tree } from "./json-tree.ts";
import type { Resource } from "./port.ts";
import { groupOf } from "./resources.ts";

/** How the API server treats a kind of object, as far as the twin follows it. */
export interface Traits {
  /** Writes to the object leave its status alone, and the other way round. */
  readonly statusSubresource: boolean;
  readonly scaleSubresource: boolean;
  /** `metadata.generation` counts changes outside metadata and status. */
  readonly generation: boolean;
  /** What the server fills in on creation. */
  readonly defaults: Tree;
}

const plain: Traits = { statusSubresource: false, scaleSubresource: false, generation: false, defaults: {} };
const withStatus = (defaults: Tree = {}): Traits => ({ ...plain, statusSubresource: true, defaults });
const workload = (defaults: Tree = {}): Traits => ({ ...withStatus({ status: {}, ...defaults }), generation: true });
const scalable: Traits = { ...workload({ spec: { replicas: 1 } }), scaleSubresource: true };

const builtIn: Readonly<Record<string, Traits>> = {
  pods: withStatus({ spec: { restartPolicy: "Always" }, status: { phase: "Pending" } }),
  persistentvolumeclaims: withStatus({ status: { phase: "Pending" } }),
  persistentvolumes: withStatus({ status: { phase: "Pending" } }),
  namespaces: withStatus({ status: { phase: "Active" } }),
  nodes: withStatus(),
  services: withStatus(),
  deployments: scalable,
  statefulsets: scalable,
  replicasets: scalable,
  daemonsets: workload(),
  jobs: workload(),
  cronjobs: workload(),
  horizontalpodautoscalers: withStatus(),
  volumeattachments: withStatus(),
  customresourcedefinitions: workload(),
};

/** True for API groups that every cluster has. */
export const isBuiltIn = (group: string): boolean => builtInGroup.test(group);

const builtInGroup = /^$|^(apps|batch|autoscaling)$|\.k8s\.io$/;

/**
 * The traits of a resource. Custom resources count as those of Velero and Argo CD: no status subresource, so every
 * change outside the metadata is a new generation.
 */
export const traitsOf = (resource: Resource): Traits =>
  isBuiltIn(groupOf(resource)) ? (builtIn[resource.plural] ?? plain) : { ...plain, generation: true };
