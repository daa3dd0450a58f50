/** What the lab knows about an app: its volumes, what is in them, and its Kubernetes objects. */
import type { Deployment, StatefulSet } from "kubernetes-types/apps/v1.d.ts";
import type { CronJob } from "kubernetes-types/batch/v1.d.ts";
import type { ConfigMap, Namespace, PersistentVolume, PersistentVolumeClaim } from "kubernetes-types/core/v1.d.ts";
import type { Shape } from "../seed/describe.ts";

type Named<T> = T & { readonly metadata: { readonly name: string; readonly namespace?: string } };

export type KubeManifest = Named<
  ConfigMap | CronJob | Deployment | Namespace | PersistentVolume | PersistentVolumeClaim | StatefulSet
>;

/**
 * Where a claim's volume comes from: "dynamic" is provisioned by its StorageClass, "static" has a PersistentVolume of its
 * own, "template" is made by its StatefulSet and not by `manifests()`, "never" stays Pending.
 */
export type Provision = "dynamic" | "static" | "template" | "never";

export interface Claim {
  readonly name: string;
  readonly storageClass: string;
  /** As Kubernetes writes it: "2Gi". */
  readonly size: string;
  readonly provision: Provision;
  /** What is planted in it before any workload starts; without a shape it stays empty. */
  readonly shape?: Shape;
  readonly seed: string;
  /** Where the app sees it; empty when no workload mounts it. */
  readonly mountPath: string;
  /** Patterns (lab/seed/glob.ts) of what the app writes, relative to the volume. The rest stays as seeded. */
  readonly dynamicPaths: readonly string[];
  /** The SQLite database with the app's chain (lab/seed/chain.ts), relative to the volume. Its seed is the claim's. */
  readonly database?: string;
}

export interface AppDefinition {
  readonly name: string;
  readonly namespace: string;
  readonly claims: readonly Claim[];
  readonly workloads: readonly KubeManifest[];
}
