/**
 * Puts the seeded content into the claims before any app runs: a temporary pod for each namespace mounts its claims, and
 * the content is written on the node, into the kubelet's directory of that pod.
 */
import type { AppDefinition, Claim } from "./apps/app.ts";
import { holdingPod, type PodName, readDirectories, runSeed } from "./claim-directory.ts";
import type { Lab } from "./lab.ts";
import type { Shape } from "./seed/describe.ts";
import type { Job } from "./seed/main.ts";
import type { Planted } from "./seed/plant.ts";
import { applyObjects, type Kubectl } from "./site/kubectl.ts";

interface SeededClaim {
  readonly namespace: string;
  readonly claim: Claim & { readonly shape: Shape };
}

const isSeeded = (claim: Claim): claim is SeededClaim["claim"] => claim.shape !== undefined;

/** Claims whose content follows from a seed. */
export const seededClaims = (apps: readonly AppDefinition[]): readonly SeededClaim[] =>
  apps.flatMap(({ namespace, claims }) => claims.filter(isSeeded).map((claim) => ({ namespace, claim })));

const podOf = (namespace: string): PodName => ({ namespace, name: "lab-planting" });

const plantHeld = async (lab: Lab, kubectl: Kubectl, claims: readonly SeededClaim[]): Promise<Planted> => {
  const directoryOf = await readDirectories(kubectl);
  const jobs = claims.map(({ namespace, claim: { name, shape, seed } }): Job => ({
    directory: directoryOf(podOf(namespace), name),
    shape,
    seed,
  }));
  const planted = await runSeed<readonly Planted[]>(lab, ["plant-all"], JSON.stringify(jobs));
  const sum = (count: (one: Planted) => number): number => planted.reduce((total, one) => total + count(one), 0);
  return { files: sum(({ files }) => files), bytes: sum(({ bytes }) => bytes) };
};

/** Plants every seeded claim of the apps, which must be bound or about to be. */
export const plantClaims = async (lab: Lab, kubectl: Kubectl, apps: readonly AppDefinition[]): Promise<Planted> => {
  const claims = seededClaims(apps);
  const namespaces = [...new Set(claims.map(({ namespace }) => namespace))];
  const namesIn = (wanted: string): string[] =>
    claims.flatMap(({ namespace, claim }) => (namespace === wanted ? [claim.name] : []));
  // A pod whose claims are not bound yet is put aside by the scheduler, for seconds.
  await Promise.all(
    namespaces.map((namespace) =>
      kubectl([
        "-n",
        namespace,
        "wait",
        "--for=jsonpath={.status.phase}=Bound",
        "--timeout=90s",
        ...namesIn(namespace).map((name) => `persistentvolumeclaim/${name}`),
      ]),
    ),
  );
  await applyObjects(
    kubectl,
    namespaces.map((namespace) => holdingPod(podOf(namespace), namesIn(namespace))),
  );
  const each = (words: (pod: PodName) => readonly string[]): Promise<unknown> =>
    Promise.all(namespaces.map((namespace) => kubectl(["-n", namespace, ...words(podOf(namespace))])));
  await each(({ name }) => ["wait", "--for=condition=Ready", `pod/${name}`, "--timeout=90s"]);
  const planted = await plantHeld(lab, kubectl, claims);
  await each(({ name }) => ["delete", "pod", name, "--grace-period=0"]);
  return planted;
};
