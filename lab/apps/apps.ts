/** Every app of the lab, and its Kubernetes objects in the order in which they are needed. */
import type { AppDefinition, KubeManifest } from "./app.ts";
import { claimManifests, iscsiClaim } from "./claims.ts";
import { householdApps } from "./household.ts";
import { mediaApps } from "./media.ts";
import { miscApps } from "./misc.ts";
import { idleApp } from "./workload.ts";

export const apps: readonly AppDefinition[] = [...mediaApps, ...householdApps, ...miscApps];

/**
 * One volume of 10,000 files and 600 MB. Bench volumes are ext4: on the lab's NFS class ZFS in user space takes nearly all
 * of the time, whoever writes.
 */
export const benchOne: AppDefinition = idleApp({ name: "bench-one", namespace: "bench-one" }, [
  iscsiClaim("bench-one", { name: "bench-one", size: "2Gi", shape: "bench-one", mountPath: "/data" }),
]);

/** Eight apps, each with a volume of 1,250 files and 57 MB. */
export const benchMany: readonly AppDefinition[] = Array.from({ length: 8 }, (_, index) => {
  const app = { name: `bench-many-${index + 1}`, namespace: "bench-many" };
  return idleApp(app, [
    iscsiClaim(app.namespace, { name: app.name, size: "2Gi", shape: "bench-many", mountPath: "/data" }),
  ]);
});

export interface Manifests {
  readonly namespaces: readonly KubeManifest[];
  /** PersistentVolumeClaims, and PersistentVolumes that no driver makes. Claims of StatefulSets are not among them. */
  readonly claims: readonly KubeManifest[];
  /** Everything else; to be made when the claims have been planted. */
  readonly workloads: readonly KubeManifest[];
}

const namespaceManifest = (name: string): KubeManifest => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } });

export const manifests = (of: readonly AppDefinition[] = apps): Manifests => ({
  namespaces: [...new Set(of.map(({ namespace }) => namespace))].map(namespaceManifest),
  claims: of.flatMap(claimManifests),
  workloads: of.flatMap(({ workloads }) => workloads),
});
