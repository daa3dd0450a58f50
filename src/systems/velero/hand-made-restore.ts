/**
 * The objects by which node-agent restores one volume without a Velero Restore (Velero 1.18: pkg/podvolume and
 * pkg/controller/pod_volume_restore_controller). Pure.
 */
import { managedLabels, operationLabel } from "../agent/labels.ts";
import type { KubeObject } from "../kubernetes/port.ts";

/** Of one run of one operation: a later run never meets the names of an earlier one. */
export interface RunName {
  readonly operation: string;
  readonly run: string;
}

const nameOf = ({ operation, run }: RunName, key: string): string => `holdfast-restore-${operation}-${run}-${key}`;
const volume = "data";

const component = { "app.kubernetes.io/component": "restore-helper" };

/** Finds the helpers' pods of an operation, in all namespaces. */
export const helpersOf = (operation: string): string =>
  Object.entries({ [operationLabel]: operation, ...component })
    .map(([key, value]) => `${key}=${value}`)
    .join(",");

/** Stands where Velero's Restore would stand: its UID is what the helper waits for. */
export const ownerOf = ({ operation, run }: RunName, namespace: string): KubeObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: `holdfast-restore-${operation}-${run}`, namespace, labels: managedLabels(operation) },
});

export interface HelperOptions extends RunName {
  readonly key: string;
  readonly namespace: string;
  readonly claim: string;
  /** Velero's image, which holds the helper. */
  readonly helperImage: string;
  readonly image: string;
  readonly owner: KubeObject;
}

const fieldFrom = (name: string, fieldPath: string): object => ({ name, valueFrom: { fieldRef: { fieldPath } } });

/** The pod whose volume node-agent writes into; its init container waits for that. */
export const helperPod = (options: HelperOptions): KubeObject =>
  ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: nameOf(options, options.key),
      namespace: options.namespace,
      labels: { ...managedLabels(options.operation), ...component, "velero.io/exclude-from-backup": "true" },
    },
    spec: {
      restartPolicy: "Never",
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 0,
      initContainers: [
        {
          name: "restore-wait",
          image: options.helperImage,
          imagePullPolicy: "IfNotPresent",
          command: ["/velero-restore-helper"],
          args: [options.owner.metadata.uid ?? ""],
          env: [fieldFrom("POD_NAMESPACE", "metadata.namespace"), fieldFrom("POD_NAME", "metadata.name")],
          // Only root may look into every volume.
          securityContext: { runAsUser: 0, allowPrivilegeEscalation: false },
          volumeMounts: [{ name: volume, mountPath: `/restores/${volume}` }],
        },
      ],
      containers: [
        { name: "hold", image: options.image, imagePullPolicy: "IfNotPresent", command: ["/bin/sleep", "86400"] },
      ],
      volumes: [{ name: volume, persistentVolumeClaim: { claimName: options.claim } }],
    },
  }) as KubeObject;

export interface RestoreOptions extends RunName {
  readonly key: string;
  /** Velero's namespace. */
  readonly namespace: string;
  readonly pod: KubeObject;
  readonly owner: KubeObject;
  readonly storageLocation: string;
  readonly snapshotId: string;
  readonly sourceNamespace: string;
}

export const podVolumeRestore = (options: RestoreOptions): KubeObject =>
  ({
    apiVersion: "velero.io/v1",
    kind: "PodVolumeRestore",
    metadata: {
      name: nameOf(options, options.key),
      namespace: options.namespace,
      labels: { ...managedLabels(options.operation), "velero.io/pod-uid": options.pod.metadata.uid ?? "" },
      ownerReferences: [
        {
          apiVersion: "v1",
          kind: "ConfigMap",
          name: options.owner.metadata.name,
          uid: options.owner.metadata.uid ?? "",
          controller: true,
        },
      ],
    },
    spec: {
      pod: {
        kind: "Pod",
        namespace: options.pod.metadata.namespace,
        name: options.pod.metadata.name,
        uid: options.pod.metadata.uid,
      },
      volume,
      backupStorageLocation: options.storageLocation,
      repoIdentifier: "",
      uploaderType: "kopia",
      snapshotID: options.snapshotId,
      sourceNamespace: options.sourceNamespace,
    },
  }) as KubeObject;
