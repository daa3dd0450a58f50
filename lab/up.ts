/** Brings a lab up: site, NAS, node, Velero, seeded volumes, apps. Safe to call on a lab that runs. */
import { mkdirSync } from "node:fs";
import { apps, manifests } from "./apps/apps.ts";
import { hasCleanState, restoreDatasets, restoreEtcd, restoreExports, saveCleanState } from "./cluster-state.ts";
import { csiManifests } from "./csi/manifests.ts";
import { writeHoldfastConfig } from "./holdfast-config.ts";
import type { Lab } from "./lab.ts";
import { emptyBucket, startNas } from "./nas/nas.ts";
import { dnsObjects } from "./node/dns.ts";
import { destroyNode, startNode, waitFor, waitForNode } from "./node/node.ts";
import { ensureParts, type Parts } from "./parts.ts";
import { plantClaims } from "./planting.ts";
import type { Report } from "./shell/report.ts";
import { initOf } from "./site/inside.ts";
import { applyObjects, type Kubectl, kubectlOf } from "./site/kubectl.ts";
import { startSite } from "./site/sandbox.ts";
import { startNodePlugin, startProvisioning, stopProvisioning } from "./storage.ts";
import { installVelero, waitForVelero } from "./velero/install.ts";

const appManifests = manifests();

interface Build {
  readonly lab: Lab;
  readonly parts: Parts;
  readonly kubectl: Kubectl;
  readonly report: Report;
}

const prepare = async (lab: Lab, report: Report): Promise<Build> => {
  const parts = await ensureParts(lab, report);
  return { lab, parts, kubectl: kubectlOf(lab, parts.binary), report };
};

const startMachines = async ({ lab, parts, kubectl, report }: Build): Promise<void> => {
  await startSite(lab);
  await Promise.all([
    report.step("NAS: ZFS pool, MinIO", () => startNas(lab, parts.binary)),
    report.step("node: etcd, API server, containerd", () => startNode(lab, parts.binary, kubectl, parts.images)),
  ]);
  await Promise.all([startProvisioning(lab, parts.binary), startNodePlugin(lab)]);
};

/** Pods are refused until the controller manager has made their namespace's service account. */
const waitForServiceAccounts = (kubectl: Kubectl, namespaces: readonly string[]): Promise<void> =>
  waitFor("service accounts", 30, async () => {
    const present = (await kubectl(["get", "serviceaccounts", "-A", "-o", "jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.name} {end}"])).split(" ");
    return namespaces.every((namespace) => present.includes(`${namespace}/default`));
  });

const install = async (build: Build): Promise<void> => {
  const { lab, parts, kubectl, report } = build;
  const { namespaces, claims } = appManifests;
  await applyObjects(kubectl, [...dnsObjects, ...csiManifests, ...namespaces]);
  await Promise.all([
    report.step("Velero", async () => {
      await installVelero(lab, parts.binary, kubectl);
      await waitForNode(kubectl);
      await waitForVelero(kubectl);
    }),
    report.step("volumes and their content", async () => {
      await applyObjects(kubectl, claims);
      await waitForServiceAccounts(kubectl, namespaces.map((namespace) => namespace.metadata.name));
      await waitForNode(kubectl);
      await plantClaims(lab, kubectl, apps);
    }),
  ]);
};

const startApps = ({ kubectl, report }: Build): Promise<void> =>
  report.step("apps", async () => {
    await applyObjects(kubectl, appManifests.workloads);
    await waitForApps(kubectl);
  });

/** Every Deployment and StatefulSet of the cluster has all its replicas Ready. */
const waitForApps = (kubectl: Kubectl): Promise<void> =>
  waitFor("every app", 120, async () => {
    const columns = "{range .items[*]}{.spec.replicas}={.status.readyReplicas} {end}";
    const states = (await kubectl(["get", "deployments,statefulsets", "-A", "-o", `jsonpath=${columns}`])).trim().split(" ");
    return states.every((state) => {
      const [wanted, ready] = state.split("=");
      return wanted === "0" || wanted === ready;
    });
  });

export const up = async (lab: Lab, report: Report): Promise<void> => {
  if (initOf(lab, "node") !== undefined) {
    report.line(`lab "${lab.name}" is up already; "reset" makes it clean, "down" ends it`);
    return;
  }
  mkdirSync(lab.dir, { recursive: true });
  const build = await prepare(lab, report);
  await report.step(`lab "${lab.name}" up`, async () => {
    await startMachines(build);
    writeHoldfastConfig(lab);
    await install(build);
    await saveCleanState(lab, build.parts.binary);
    await startApps(build);
  });
};

/** Back to the clean cluster: the node is made anew from the kept state, the pool is rolled back, the bucket emptied. */
export const reset = async (lab: Lab, report: Report): Promise<void> => {
  if (initOf(lab, "site") === undefined || !hasCleanState(lab)) {
    await up(lab, report);
    return;
  }
  const build = await prepare(lab, report);
  const { binary, images } = build.parts;
  await report.step(`lab "${lab.name}" reset`, async () => {
    await stopProvisioning(lab);
    await destroyNode(lab, { keepCertificates: true });
    restoreExports(lab);
    await Promise.all([restoreEtcd(lab, binary), restoreDatasets(lab), emptyBucket(lab, binary)]);
    await startNode(lab, binary, build.kubectl, images);
    await Promise.all([startProvisioning(lab, binary), startNodePlugin(lab)]);
    await waitForNode(build.kubectl);
    await startApps(build);
    await waitForVelero(build.kubectl);
  });
};
