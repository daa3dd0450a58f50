/** The lab that measurements run in, and what they do with it. Its usual apps stand still, so that they take no time. */
import { manifests } from "../lab/apps/apps.ts";
import type { AppDefinition } from "../lab/apps/app.ts";
import { waitForApps } from "../lab/apps/readiness.ts";
import { checkClaim } from "../lab/checking.ts";
import { down } from "../lab/down.ts";
import { laptopEnvironment } from "../lab/exec.ts";
import { type Lab, openLab } from "../lab/lab.ts";
import { tools } from "../lab/parts.ts";
import { plantClaims } from "../lab/planting.ts";
import type { Report } from "../lab/shell/report.ts";
import { runInside } from "../lab/site/daemon.ts";
import { applyObjects, type Kubectl, kubectlOf } from "../lab/site/kubectl.ts";
import { readState } from "../lab/state.ts";
import { up } from "../lab/up.ts";
import { nodeAgentConfig, veleroNamespace } from "../lab/velero/settings.ts";
import { waitFor } from "../lab/wait-for.ts";

export interface World {
  readonly lab: Lab;
  readonly kubectl: Kubectl;
  readonly report: Report;
  /** Runs a command on the lab's laptop to its end and gives its standard output. Throws when it fails. */
  run(words: readonly string[]): Promise<string>;
}

export const openWorld = async (report: Report): Promise<World> => {
  const lab = openLab("bench");
  await down(lab);
  await up(lab, report);
  const kubectl = kubectlOf(lab, await tools(lab, ["kubectl"], report));
  const state = readState(lab);
  if (state === undefined) throw new Error("the lab is not up");
  const env = laptopEnvironment(lab, state.tools);
  return { lab, kubectl, report, run: async (words) => (await runInside(lab, "site", words, { env })).stdout };
};

/** Stops the lab's own apps. */
export const quieten = async ({ kubectl }: World): Promise<void> => {
  for (const namespace of ["media", "home", "dns", "misc"]) {
    await kubectl(["-n", namespace, "scale", "deployments,statefulsets", "--all", "--replicas=0"]);
  }
  await waitFor(
    "the apps to stop",
    60,
    async () => (await kubectl(["get", "pods", "-A", "-l", "app.kubernetes.io/name", "-o", "name"])).trim() === "",
  );
};

/** Makes apps with planted volumes, and waits until they run. */
export const install = async ({ lab, kubectl }: World, apps: readonly AppDefinition[]): Promise<void> => {
  const { namespaces, claims, workloads } = manifests(apps);
  await applyObjects(kubectl, namespaces);
  await waitFor("service accounts", 30, async () => {
    const present = await kubectl([
      "get",
      "serviceaccounts",
      "-A",
      "-o",
      "jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.name} {end}",
    ]);
    return namespaces.every(({ metadata }) => present.includes(`${metadata.name}/default`));
  });
  await applyObjects(kubectl, claims);
  await plantClaims(lab, kubectl, apps);
  await applyObjects(kubectl, workloads);
  await waitForApps(kubectl);
};

/** Sets how many volumes Velero's node-agent works on at a time, and waits until it does. */
export const setConcurrency = async ({ kubectl }: World, concurrency: number): Promise<void> => {
  await applyObjects(kubectl, [nodeAgentConfig(concurrency)]);
  await kubectl(["-n", veleroNamespace, "rollout", "restart", "daemonset/node-agent"]);
  await kubectl(["-n", veleroNamespace, "rollout", "status", "daemonset/node-agent", "--timeout=120s"]);
};

/** Seconds that `work` takes. */
export const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
};

/** Compares the volumes with their seed. Throws at the first difference: a fast restore of something else is worth nothing. */
export const demandSeed = async ({ lab, kubectl }: World, apps: readonly AppDefinition[]): Promise<void> => {
  for (const { namespace, claims } of apps) {
    for (const { name } of claims) {
      const checked = await checkClaim(lab, kubectl, { namespace, claim: name, restored: true, apps });
      // Velero leaves its own marker in what it restores.
      const mismatches = checked.mismatches.filter(({ path }) => path !== ".velero" && !path.startsWith(".velero/"));
      if (mismatches.length > 0)
        throw new Error(`${namespace}/${name} differs from its seed: ${JSON.stringify(mismatches.slice(0, 3))}`);
    }
  }
};
