import type { KubeObject, ObjectMeta } from "./port.ts";

export interface Holding {
  readonly metadata: ObjectMeta & { readonly namespace: string };
  readonly image: string;
  readonly claim: string;
  /** Read and write, where it is absent. */
  readonly readOnly?: boolean;
  /** Fields of the pod's spec that say where it runs. */
  readonly place: object;
}

/** A pod that mounts one claim and does nothing, so that the kubelet keeps the volume mounted: no secret, no right, no root. */
export const holdingPod = ({ metadata, image, claim, readOnly, place }: Holding): KubeObject =>
  ({
    apiVersion: "v1",
    kind: "Pod",
    metadata,
    spec: {
      ...place,
      restartPolicy: "Never",
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 0,
      securityContext: { runAsNonRoot: true, runAsUser: 65_534, seccompProfile: { type: "RuntimeDefault" } },
      containers: [
        {
          name: "hold",
          image,
          imagePullPolicy: "IfNotPresent",
          command: ["/bin/sleep", "86400"],
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ["ALL"] },
          },
          volumeMounts: [{ name: "data", mountPath: "/data", ...(readOnly === true ? { readOnly } : {}) }],
        },
      ],
      volumes: [{ name: "data", persistentVolumeClaim: { claimName: claim } }],
    },
  }) as KubeObject;
