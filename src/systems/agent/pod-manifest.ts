/** The agent's pod and its secret, as objects. Pure. */
import type { KubeObject } from "../kubernetes/port.ts";
import type { HeldVolume } from "./holder.ts";
import { managedLabels } from "./labels.ts";

export const containerName = "agent";

export interface PodInput {
  readonly name: string;
  readonly namespace: string;
  readonly operation: string;
  readonly image: string;
  readonly volumes: readonly HeldVolume[];
  /** Contents of files under /job, by file name. */
  readonly files: Readonly<Record<string, string>>;
}

/** What the agent reads: its job and the credentials it needs. Owned by nothing; removed with the pod. */
export const agentSecret = (input: PodInput): KubeObject =>
  ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: input.name, namespace: input.namespace, labels: labels(input) },
    type: "Opaque",
    stringData: input.files,
  }) as KubeObject;

const labels = (input: PodInput): Readonly<Record<string, string>> => ({
  ...managedLabels(input.operation),
  // Holds credentials: never into a backup.
  "velero.io/exclude-from-backup": "true",
});

/**
 * The pod runs as root with the few capabilities that writing other people's files needs, and without a service
 * account. Of each volume only its own directory is mounted; HostToContainer, because the kubelet may mount it later.
 */
export const agentPod = (input: PodInput): KubeObject =>
  ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: input.name, namespace: input.namespace, labels: labels(input) },
    spec: {
      ...nodeOf(input.volumes),
      restartPolicy: "Never",
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      // Time to put back what a restore has set aside.
      terminationGracePeriodSeconds: 120,
      tolerations: [{ operator: "Exists" }],
      containers: [
        {
          name: containerName,
          image: input.image,
          imagePullPolicy: "IfNotPresent",
          args: ["/job/job.json"],
          securityContext: {
            runAsUser: 0,
            allowPrivilegeEscalation: false,
            capabilities: { drop: ["ALL"], add: ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "MKNOD"] },
          },
          volumeMounts: [
            { name: "job", mountPath: "/job", readOnly: true },
            { name: "scratch", mountPath: "/scratch" },
            ...input.volumes.map((volume) => ({
              name: `v-${volume.key}`,
              mountPath: `/volumes/${volume.key}`,
              mountPropagation: "HostToContainer",
            })),
          ],
        },
      ],
      volumes: [
        { name: "job", secret: { secretName: input.name, defaultMode: 0o400 } },
        { name: "scratch", emptyDir: {} },
        ...input.volumes.map((volume) => ({
          name: `v-${volume.key}`,
          hostPath: { path: volume.hostPath, type: "Directory" },
        })),
      ],
    },
  }) as KubeObject;

const nodeOf = (volumes: readonly HeldVolume[]): { readonly nodeName?: string } => {
  const node = volumes[0]?.node;
  return node === undefined ? {} : { nodeName: node };
};
