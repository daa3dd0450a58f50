/** Builders of the Velero objects that Holdfast creates. Pure. */
import type { KubeObject } from "../kubernetes/port.ts";

export const pointLabel = "holdfast.dev/point";
/** On a point that was not made of everything. */
export const partLabel = "holdfast.dev/part";

export interface VeleroBackupOptions {
  readonly name: string;
  readonly namespace: string;
  readonly point: string;
  readonly storageLocation: string;
  readonly policyConfigMap: string | undefined;
  /** Only pods with this label, and what they mount; everything without it. */
  readonly part?: { readonly namespaces: readonly string[]; readonly label: Readonly<Record<string, string>> };
}

/**
 * A year: Velero's garbage collector is off and Holdfast's retention decides. It is not longer because another Velero
 * with its collector on may one day read this bucket.
 */
const timeToLive = "8760h0m0s";

/**
 * A backup of all objects and, as files, of all volumes that the policy does not leave out; with `part` of nothing but some
 * pods, the claims that they mount, and their PersistentVolumes.
 */
export const veleroBackup = (options: VeleroBackupOptions): KubeObject => {
  const { part } = options;
  const labels = { [pointLabel]: options.point, ...(part === undefined ? {} : { [partLabel]: "true" }) };
  return {
    apiVersion: "velero.io/v1",
    kind: "Backup",
    metadata: { name: options.name, namespace: options.namespace, labels },
    spec: {
      includedNamespaces: part?.namespaces ?? ["*"],
      ...(part === undefined ? {} : { labelSelector: { matchLabels: part.label } }),
      defaultVolumesToFsBackup: true,
      snapshotVolumes: false,
      storageLocation: options.storageLocation,
      ttl: timeToLive,
      ...(options.policyConfigMap === undefined
        ? {}
        : { resourcePolicy: { kind: "configmap", name: options.policyConfigMap } }),
    },
  } as KubeObject;
};
