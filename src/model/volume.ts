import { formatLineage } from "./lineage.ts";

/** A workload that uses a volume: the outermost owner of the pods that mount it. */
export interface Workload {
  /** "Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job", "ReplicaSet" or, without an owner, "Pod". */
  readonly kind: string;
  readonly name: string;
}

/** How one pod of a workload uses a volume. */
export interface Mount {
  readonly pod: string;
  readonly podUid: string;
  readonly node: string | undefined;
  readonly phase: string;
  readonly workload: Workload;
  /** Name of the volume inside the pod. */
  readonly volume: string;
  /** "main": a normal container mounts it; "init": only init containers do; "none": it is declared and not mounted. */
  readonly by: "main" | "init" | "none";
  /** Volumes that the pod's annotation takes out of Velero's file-system backup. */
  readonly excludedByAnnotation: boolean;
}

/** The PersistentVolume behind a claim, as far as Holdfast needs it. */
export interface Backing {
  readonly name: string;
  readonly uid: string;
  readonly reclaimPolicy: string;
  /** "csi", "nfs", "hostPath", "local", or another source's field name. */
  readonly source: string;
  readonly driver: string | undefined;
  readonly handle: string | undefined;
  /** GUID of the dataset behind it, where the NAS was asked and the dataset was found. */
  readonly guid?: string;
}

/** One PVC with its PV and the workloads that mount it (design §2). */
export interface Volume {
  readonly namespace: string;
  readonly claim: string;
  readonly claimUid: string;
  /** Pending, Bound or Lost. */
  readonly phase: string;
  readonly storageClass: string | undefined;
  readonly volumeMode: string;
  readonly accessModes: readonly string[];
  /** Bytes that the claim was promised; undefined while Pending. */
  readonly capacity: number | undefined;
  readonly created: string;
  readonly deleting: boolean;
  /** Labelled, or in a namespace labelled, velero.io/exclude-from-backup. */
  readonly excludedByLabel: boolean;
  readonly backing: Backing | undefined;
  readonly mounts: readonly Mount[];
  /** Workloads that mount it now, and those that would if they had pods. */
  readonly workloads: readonly Workload[];
}

/** The name of a volume as people write it: "namespace/pvc". */
export const volumeName = (volume: { readonly namespace: string; readonly claim: string }): string =>
  `${volume.namespace}/${volume.claim}`;

/**
 * What a volume is through time: a claim that was re-created empty under its old name is another lineage, and so is a
 * dataset that was. Without a PV there is nothing yet to have a lineage.
 */
export const lineageOf = ({ backing }: Pick<Volume, "backing">): string | undefined => {
  if (backing === undefined) return undefined;
  const { driver, source, handle, uid, guid } = backing;
  return formatLineage({ volume: `${driver ?? source}:${handle ?? uid}`, guid });
};
