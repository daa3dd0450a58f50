/** A cluster in memory with volumes to be guarded, an API server that obeys the policy, and what stands on it. */
import type { Claim, PersistentVolume } from "../../../inventory/raw.ts";
import { MemoryKubernetes, type MemoryOptions } from "../../../systems/kubernetes/memory.ts";
import type { KubeObject } from "../../../systems/kubernetes/port.ts";
import { resources } from "../../../systems/kubernetes/resources.ts";
import { jumpingClock } from "../../../systems/kubernetes/testing/world.ts";
import { policyTwin } from "./policy-twin.ts";

/** Numbered ids: unpredictable ones are of no use to a test. */
const numbered = (): ((length: number) => string) => {
  let count = 0;
  return (length) => String((count += 1)).padStart(length, "a");
};

export const aGuardCluster = (options: MemoryOptions = {}) => {
  const clock = jumpingClock();
  const kubernetes = new MemoryKubernetes({ clock, randomId: numbered() }, { groups: ["velero.io"], ...options });
  kubernetes.admit(policyTwin);
  return { clock, kubernetes };
};

interface VolumeOptions {
  readonly policy?: string;
  readonly metadata?: Partial<KubeObject["metadata"]>;
  readonly phase?: string;
}

/** A claim and its PV, bound to each other. */
export const putVolume = (
  kubernetes: MemoryKubernetes,
  path: string,
  { policy = "Delete", metadata = {}, phase = "Bound" }: VolumeOptions = {},
): { readonly claim: Claim; readonly pv: PersistentVolume } => {
  const [namespace = "", name = ""] = path.split("/");
  const claim = kubernetes.put<Claim>(resources.persistentVolumeClaims, {
    metadata: { ...metadata, namespace, name },
    spec: { volumeName: `pv-${name}`, storageClassName: "nas", accessModes: ["ReadWriteOnce"] },
    status: { phase },
  });
  const pv = kubernetes.put<PersistentVolume & { status: object }>(resources.persistentVolumes, {
    metadata: { name: `pv-${name}` },
    spec: {
      persistentVolumeReclaimPolicy: policy,
      claimRef: { namespace, name, uid: claim.metadata.uid ?? "" },
      csi: { driver: "org.democratic-csi", volumeHandle: name },
    },
    status: { phase: "Bound" },
  });
  return { claim, pv };
};

export const putStatefulSet = (kubernetes: MemoryKubernetes, path: string, template: string): void => {
  const [namespace = "", name = ""] = path.split("/");
  kubernetes.put(resources.statefulSets, {
    metadata: { namespace, name },
    spec: {
      replicas: 2,
      template: { spec: { containers: [] } },
      volumeClaimTemplates: [{ metadata: { name: template } }],
    },
  } as KubeObject);
};

export interface Resources {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

export const putApplication = (
  kubernetes: MemoryKubernetes,
  name: string,
  owns: readonly Resources[],
  metadata: Partial<KubeObject["metadata"]> = {},
): KubeObject =>
  kubernetes.put(resources.applications, {
    metadata: { ...metadata, namespace: "argocd", name },
    status: { resources: owns },
  } as KubeObject);
