/** The fields of Kubernetes objects that the inventory reads. Everything else in them is left alone. */
import type { KubeObject } from "../systems/kubernetes/port.ts";

export interface Claim extends KubeObject {
  readonly spec: {
    readonly volumeName?: string;
    readonly storageClassName?: string;
    readonly volumeMode?: string;
    readonly accessModes?: readonly string[];
    readonly resources?: { readonly requests?: { readonly storage?: string } };
  };
  readonly status?: { readonly phase?: string; readonly capacity?: { readonly storage?: string } };
}

export interface CsiSource {
  readonly driver: string;
  readonly volumeHandle: string;
  readonly fsType?: string;
  readonly volumeAttributes?: Readonly<Record<string, string>>;
}

export interface PersistentVolume extends KubeObject {
  readonly spec: {
    readonly persistentVolumeReclaimPolicy?: string;
    readonly claimRef?: { readonly namespace?: string; readonly name?: string; readonly uid?: string };
    readonly csi?: CsiSource;
    readonly nfs?: { readonly server: string; readonly path: string };
    readonly iscsi?: { readonly targetPortal: string; readonly iqn: string; readonly lun?: number };
    readonly [source: string]: unknown;
  };
}

/** Fields of a PV's spec that are not its source. */
const notSources = new Set([
  "accessModes",
  "capacity",
  "claimRef",
  "mountOptions",
  "nodeAffinity",
  "persistentVolumeReclaimPolicy",
  "storageClassName",
  "volumeMode",
  "volumeAttributesClassName",
]);

/** "csi", "nfs", "hostPath", …: the field that says where a PV lies. */
export const sourceOf = (spec: PersistentVolume["spec"]): string =>
  Object.keys(spec).find((field) => !notSources.has(field)) ?? "unknown";

export interface ContainerSpec {
  readonly name: string;
  readonly image?: string;
  readonly restartPolicy?: string;
  readonly volumeMounts?: readonly { readonly name: string }[];
}

export interface PodVolume {
  readonly name: string;
  readonly persistentVolumeClaim?: { readonly claimName: string };
  readonly ephemeral?: object;
}

export interface PodSpec {
  readonly nodeName?: string;
  readonly volumes?: readonly PodVolume[];
  readonly containers: readonly ContainerSpec[];
  readonly initContainers?: readonly ContainerSpec[];
}

export interface Pod extends KubeObject {
  readonly spec: PodSpec;
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

/** Anything that makes pods from a template. */
export interface PodMaker extends KubeObject {
  readonly spec: {
    readonly replicas?: number;
    readonly template?: { readonly spec: PodSpec };
    readonly jobTemplate?: { readonly spec: { readonly template: { readonly spec: PodSpec } } };
    readonly volumeClaimTemplates?: readonly KubeObject[];
  };
}

export interface Namespace extends KubeObject {
  readonly status?: { readonly phase?: string };
}
