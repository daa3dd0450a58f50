/** Builders of the Velero objects that Holdfast creates. Pure. */
import type { KubeObject } from "../kubernetes/port.ts";

export const pointLabel = "holdfast.dev/point";

export interface EverythingOptions {
  readonly name: string;
  readonly namespace: string;
  readonly point: string;
  readonly storageLocation: string;
  readonly policyConfigMap: string | undefined;
}

/**
 * A year: Velero's garbage collector is off and Holdfast's retention decides. It is not longer because another Velero
 * with its collector on may one day read this bucket.
 */
const timeToLive = "8760h0m0s";

/** A backup of all objects and, as files, of all volumes that the policy does not leave out. */
export const backupOfEverything = (options: EverythingOptions): KubeObject =>
  ({
    apiVersion: "velero.io/v1",
    kind: "Backup",
    metadata: { name: options.name, namespace: options.namespace, labels: { [pointLabel]: options.point } },
    spec: {
      includedNamespaces: ["*"],
      defaultVolumesToFsBackup: true,
      snapshotVolumes: false,
      storageLocation: options.storageLocation,
      ttl: timeToLive,
      ...(options.policyConfigMap === undefined
        ? {}
        : { resourcePolicy: { kind: "configmap", name: options.policyConfigMap } }),
    },
  }) as KubeObject;
