/** Who must stand still while a volume is restored, and how each is stopped. Pure. */
import type { Volume } from "../model/volume.ts";
import { volumeName } from "../model/volume.ts";

/** A workload that is stopped by setting its replicas to zero. */
export interface Scalable {
  readonly kind: "Deployment" | "StatefulSet" | "ReplicaSet";
  readonly namespace: string;
  readonly name: string;
}

/** A workload that uses the volume now and that no scaling stops. */
export interface Unstoppable {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly why: string;
}

export interface Owners {
  readonly scalable: readonly Scalable[];
  readonly unstoppable: readonly Unstoppable[];
}

/** "Deployment/media/sonarr": tells workloads apart. */
export const ownerKey = ({ kind, namespace, name }: Omit<Unstoppable, "why">): string => `${kind}/${namespace}/${name}`;

const scalableKinds: ReadonlySet<string> = new Set(["Deployment", "StatefulSet", "ReplicaSet"]);

const whyNot: Readonly<Record<string, string>> = {
  Pod: "it is a bare pod: delete it, and create it again after the restore",
  DaemonSet:
    "a DaemonSet cannot be scaled to zero: remove its node selector's match, or delete it for the time of the restore",
  Job: "a Job runs to its end: wait for it, or delete it",
  CronJob: "one of its Jobs is running: wait for it, or delete the Job, and suspend the CronJob",
};

const finished: ReadonlySet<string> = new Set(["Succeeded", "Failed"]);

/** All owners of the pods that use these volumes. A workload that is scaled to zero already is listed too: it must stay so. */
export const ownersOf = (volumes: readonly Volume[]): Owners => {
  const scalable = new Map<string, Scalable>();
  const unstoppable = new Map<string, Unstoppable>();
  for (const volume of volumes) {
    for (const workload of volume.workloads) {
      const key = `${volume.namespace}/${workload.kind}/${workload.name}`;
      const active = volume.mounts.some(
        (mount) =>
          mount.workload.kind === workload.kind && mount.workload.name === workload.name && !finished.has(mount.phase),
      );
      if (isScalable(workload.kind))
        scalable.set(key, { kind: workload.kind, namespace: volume.namespace, name: workload.name });
      else if (active) unstoppable.set(key, unstoppableOf(volume, workload));
    }
  }
  return { scalable: [...scalable.values()], unstoppable: [...unstoppable.values()] };
};

const isScalable = (kind: string): kind is Scalable["kind"] => scalableKinds.has(kind);

const unstoppableOf = (volume: Volume, workload: { readonly kind: string; readonly name: string }): Unstoppable => ({
  kind: workload.kind,
  namespace: volume.namespace,
  name: workload.name,
  why:
    whyNot[workload.kind] ?? `Holdfast does not know how to stop a ${workload.kind}, which uses ${volumeName(volume)}`,
});
