/** Claims as the node sees them: the directories that hold their content, and the seed program run on these. */
import { join } from "node:path";
import type { PersistentVolumeList, PodList } from "kubernetes-types/core/v1.d.ts";
import { checkout, type Lab } from "./lab.ts";
import { pauseImage } from "./node/runtime.ts";
import { runInside } from "./site/daemon.ts";
import type { Kubectl } from "./site/kubectl.ts";

export interface PodName {
  readonly namespace: string;
  readonly name: string;
}

/** A pod that mounts claims and does nothing else. */
export const holdingPod = ({ namespace, name }: PodName, claims: readonly string[]): object => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace },
  spec: {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: 0,
    containers: [
      {
        name: "hold",
        image: pauseImage,
        imagePullPolicy: "Never",
        volumeMounts: claims.map((claim) => ({ name: claim, mountPath: `/claims/${claim}` })),
      },
    ],
    volumes: claims.map((claim) => ({ name: claim, persistentVolumeClaim: { claimName: claim } })),
  },
});

/** Says where the content of a claim lies while a pod mounts it. */
export type Directories = (pod: PodName, claim: string) => string;

const listed = async <T>(kubectl: Kubectl, ...words: readonly string[]): Promise<T> =>
  JSON.parse(await kubectl(["get", ...words, "-o", "json"])) as T;

/** Looks at all pods and volumes as they are now. */
export const readDirectories = async (kubectl: Kubectl): Promise<Directories> => {
  const [pods, volumes] = await Promise.all([
    listed<PodList>(kubectl, "pods", "--all-namespaces"),
    listed<PersistentVolumeList>(kubectl, "persistentvolumes"),
  ]);
  return ({ namespace, name }, claim) => {
    const pod = pods.items.find(({ metadata }) => metadata?.namespace === namespace && metadata.name === name);
    const volume = volumes.items.find(
      ({ spec, status }) =>
        status?.phase === "Bound" && spec?.claimRef?.namespace === namespace && spec.claimRef.name === claim,
    );
    if (pod === undefined) throw new Error(`there is no pod ${namespace}/${name}`);
    if (volume === undefined) throw new Error(`the claim ${namespace}/${claim} has no volume`);
    return (
      volume.spec?.hostPath?.path ??
      `/var/lib/kubelet/pods/${pod.metadata?.uid}/volumes/kubernetes.io~csi/${volume.metadata?.name}/mount`
    );
  };
};

/** Runs the seed program on the node; gives what it prints. */
export const runSeed = async <T>(lab: Lab, words: readonly string[], input?: string): Promise<T> => {
  const loader = join(checkout, "node_modules/tsx/dist/esm/index.mjs");
  const command = [process.execPath, "--import", loader, join(checkout, "lab/seed/main.ts"), ...words];
  const { stdout } = await runInside(lab, "node", command, input === undefined ? {} : { input });
  return JSON.parse(stdout) as T;
};
