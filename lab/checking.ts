/** For tests and the demo: is a claim's live content what its seed says? No backup is believed for that. */
import { randomBytes } from "node:crypto";
import type { PodList } from "kubernetes-types/core/v1.d.ts";
import type { AppDefinition, Claim } from "./apps/app.ts";
import { apps } from "./apps/apps.ts";
import { holdingPod, type PodName, readDirectories, runSeed } from "./claim-directory.ts";
import { storageClassNames } from "./csi/manifests.ts";
import type { Lab } from "./lab.ts";
import type { CheckedVolume } from "./seed/main.ts";
import { applyObjects, type Kubectl } from "./site/kubectl.ts";

export type { CheckedVolume } from "./seed/main.ts";

export interface ClaimName {
  readonly namespace: string;
  readonly claim: string;
}

export interface ClaimToCheck extends ClaimName {
  /** The claim whose seed the content follows; this very claim by default. */
  readonly like?: ClaimName;
  /** The content comes out of a kopia copy: see `asKopiaRestores`. */
  readonly restored?: boolean;
  /** The apps that may define the claim; all of the lab's by default. */
  readonly apps?: readonly AppDefinition[];
}

const definitionOf = ({ namespace, claim }: ClaimName, among: readonly AppDefinition[]): Claim => {
  const found = among
    .filter((app) => app.namespace === namespace)
    .flatMap(({ claims }) => claims)
    .find(({ name }) => name === claim);
  if (found?.shape === undefined) throw new Error(`no seed says what is in the claim ${namespace}/${claim}`);
  return found;
};

/** A running pod with the claim among its volumes. */
const podWith = async (kubectl: Kubectl, { namespace, claim }: ClaimName): Promise<PodName | undefined> => {
  const { items } = JSON.parse(await kubectl(["-n", namespace, "get", "pods", "-o", "json"])) as PodList;
  const pod = items.find(
    ({ metadata, spec, status }) =>
      status?.phase === "Running" &&
      metadata?.deletionTimestamp === undefined &&
      spec?.volumes?.some(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName === claim),
  );
  return pod?.metadata?.name === undefined ? undefined : { namespace, name: pod.metadata.name };
};

/** Calls `work` with a pod that mounts the claim: one that is there, or else a temporary one. `live` says which. */
const withPod = async <T>(
  kubectl: Kubectl,
  name: ClaimName,
  work: (pod: PodName, live: boolean) => Promise<T>,
): Promise<T> => {
  const running = await podWith(kubectl, name);
  if (running !== undefined) return work(running, true);
  const pod = { namespace: name.namespace, name: `lab-checking-${randomBytes(4).toString("hex")}` };
  await applyObjects(kubectl, [holdingPod(pod, [name.claim])]);
  try {
    await kubectl(["-n", pod.namespace, "wait", "--for=condition=Ready", `pod/${pod.name}`, "--timeout=90s"]);
    return await work(pod, false);
  } finally {
    await kubectl(["-n", pod.namespace, "delete", "pod", pod.name, "--grace-period=0"]);
  }
};

const wordsFor = (directory: string, claim: Claim, live: boolean, restored: boolean): readonly string[] => [
  "check",
  directory,
  "--shape",
  claim.shape ?? "",
  "--seed",
  claim.seed,
  ...claim.dynamicPaths.flatMap((pattern) => ["--ignore", pattern]),
  // ZFS in user space has only whole seconds.
  ...(claim.storageClass === storageClassNames.nfs || restored ? ["--whole-seconds"] : []),
  ...(restored ? ["--kopia"] : ["--sparse-kept"]),
  ...(claim.database === undefined ? [] : ["--database", claim.database, ...(live ? ["--live"] : [])]),
];

/**
 * Compares every file of a claim with its seed, except what its app writes, and checks the app's database: SQLite's own
 * integrity and the chain of its rows. Works while the app is running, and also when no pod mounts the claim.
 */
export const checkClaim = async (lab: Lab, kubectl: Kubectl, wanted: ClaimToCheck): Promise<CheckedVolume> => {
  const claim = definitionOf(wanted.like ?? wanted, wanted.apps ?? apps);
  return withPod(kubectl, wanted, async (pod, live) => {
    const directory = (await readDirectories(kubectl))(pod, wanted.claim);
    return runSeed<CheckedVolume>(lab, wordsFor(directory, claim, live, wanted.restored ?? false));
  });
};
