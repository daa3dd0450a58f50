/**
 * Puts the seeded content into the claims before any app runs: a temporary pod for each namespace mounts its claims, and
 * the content is written on the node, into the kubelet's directory of that pod.
 */
import { join } from "node:path";
import type { AppDefinition, Claim } from "./apps/app.ts";
import { checkout, type Lab } from "./lab.ts";
import { runInside } from "./site/daemon.ts";
import { applyObjects, type Kubectl } from "./site/kubectl.ts";

interface SeededClaim {
  readonly namespace: string;
  readonly claim: Claim;
}

const podName = "lab-planting";

/** Claims of a StatefulSet do not exist before it does, and are not seeded. */
const seededClaims = (apps: readonly AppDefinition[]): readonly SeededClaim[] =>
  apps.flatMap(({ namespace, claims }) =>
    claims.filter((claim) => claim.shape !== undefined && claim.provision === "dynamic").map((claim) => ({ namespace, claim })),
  );

const plantingPod = (namespace: string, claims: readonly SeededClaim[]): object => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: podName, namespace },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [
      {
        name: "hold",
        image: "docker.io/lab/pause:1",
        imagePullPolicy: "Never",
        volumeMounts: claims.map(({ claim }) => ({ name: claim.name, mountPath: `/claims/${claim.name}` })),
      },
    ],
    volumes: claims.map(({ claim }) => ({ name: claim.name, persistentVolumeClaim: { claimName: claim.name } })),
  },
});

/** Runs the seed program on the node; gives its last line, a JSON object. */
export const runSeed = async (lab: Lab, words: readonly string[]): Promise<unknown> => {
  const loader = join(checkout, "node_modules/tsx/dist/esm/index.mjs");
  const { stdout } = await runInside(lab, "node", [process.execPath, "--import", loader, join(checkout, "lab/seed/main.ts"), ...words]);
  return JSON.parse(stdout);
};

/** Where the kubelet has mounted a claim for a pod. */
export const claimDirectory = async (kubectl: Kubectl, pod: { readonly namespace: string; readonly name: string }, claim: string): Promise<string> => {
  const uid = await kubectl(["-n", pod.namespace, "get", "pod", pod.name, "-o", "jsonpath={.metadata.uid}"]);
  const volume = await kubectl(["-n", pod.namespace, "get", "pvc", claim, "-o", "jsonpath={.spec.volumeName}"]);
  return `/var/lib/kubelet/pods/${uid}/volumes/kubernetes.io~csi/${volume}/mount`;
};

const plantNamespace = async (lab: Lab, kubectl: Kubectl, namespace: string, claims: readonly SeededClaim[]): Promise<void> => {
  await applyObjects(kubectl, [plantingPod(namespace, claims)]);
  await kubectl(["-n", namespace, "wait", "--for=condition=Ready", `pod/${podName}`, "--timeout=60s"]);
  for (const { claim } of claims) {
    const directory = await claimDirectory(kubectl, { namespace, name: podName }, claim.name);
    await runSeed(lab, ["plant", directory, "--shape", claim.shape ?? "", "--seed", claim.seed]);
  }
  await kubectl(["-n", namespace, "delete", "pod", podName, "--grace-period=0"]);
};

/** Plants every seeded claim of the apps. The claims must be bound or about to be. */
export const plantClaims = async (lab: Lab, kubectl: Kubectl, apps: readonly AppDefinition[]): Promise<void> => {
  const seeded = seededClaims(apps);
  const namespaces = [...new Set(seeded.map(({ namespace }) => namespace))];
  await Promise.all(namespaces.map((namespace) => plantNamespace(lab, kubectl, namespace, seeded.filter((claim) => claim.namespace === namespace))));
};
