/** The lab's machines, started from their parts, and what every cluster of the lab has before Velero and apps. */
import { csiManifests } from "./csi/manifests.ts";
import type { Lab } from "./lab.ts";
import { startNas } from "./nas/nas.ts";
import { dnsObjects } from "./node/dns.ts";
import { destroyNode, type NodeParts, startNode, waitForNode } from "./node/node.ts";
import { ensureParts, type Parts } from "./parts.ts";
import { type Report, silentReport } from "./shell/report.ts";
import { applyObjects, type Kubectl, kubectlOf } from "./site/kubectl.ts";
import { startSite } from "./site/sandbox.ts";
import { startNodePlugin, startProvisioning, stopProvisioning } from "./storage.ts";
import { installVelero, waitForVelero } from "./velero/install.ts";
import { waitFor } from "./wait-for.ts";

export interface Build {
  readonly lab: Lab;
  readonly parts: Parts;
  readonly kubectl: Kubectl;
  readonly report: Report;
}

export const prepare = async (lab: Lab, report: Report, signal?: AbortSignal): Promise<Build> => {
  const parts = await ensureParts(lab, report, signal);
  return { lab, parts, kubectl: kubectlOf(lab, parts.binary), report };
};

const startVolumes = async ({ lab, parts }: Build): Promise<void> => {
  await Promise.all([startProvisioning(lab, parts.binary), startNodePlugin(lab)]);
};

const nodeParts = ({ lab, parts: { binary, images }, kubectl }: Build): NodeParts => ({ lab, binary, images, kubectl });

/** Starts both machines, and the volume drivers on them. `isReplacement`: on the disks of machines that have ended. */
export const startMachines = async (build: Build, isReplacement: boolean): Promise<void> => {
  const { lab, parts, report } = build;
  await startSite(lab);
  await Promise.all([
    report.step("NAS: ZFS pool, MinIO", () => startNas(lab, parts.binary)),
    report.step("node: etcd, API server, containerd", () => startNode({ ...nodeParts(build), isReplacement })),
  ]);
  await startVolumes(build);
};

/**
 * Rights of the node beside those of the node authorizer, which on a busy machine learns of a pod only after the kubelet
 * has asked for its volumes; the kubelet then waits ten seconds before it asks again.
 */
const nodeRights = {
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "ClusterRoleBinding",
  metadata: { name: "lab-nodes" },
  roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "system:node" },
  subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: "system:nodes" }],
};

/** DNS, volume drivers and their classes. */
export const installBase = async ({ kubectl }: Build): Promise<void> => {
  // A new API server makes it after it has called itself ready.
  await waitFor(
    "the namespace kube-system",
    30,
    async () => (await kubectl(["get", "namespace", "kube-system"])) !== "",
  );
  await applyObjects(kubectl, [nodeRights, ...dnsObjects, ...csiManifests]);
};

/** Installs Velero and waits until it works. */
export const installVeleroOn = async ({ lab, parts, kubectl }: Build): Promise<void> => {
  await installVelero(lab, parts.binary, kubectl);
  await waitForNode(kubectl);
  await waitForVelero(kubectl);
};

/** The node dies with its disk: etcd, certificates, containers and hostPath volumes. The NAS lives on. */
export const loseNode = async (lab: Lab): Promise<void> => {
  await stopProvisioning(lab);
  await destroyNode(lab);
};

export interface NewNode {
  /** Velero, on the bucket that the NAS still has. Default true. */
  readonly velero?: boolean;
  readonly report?: Report;
}

/**
 * After `loseNode`: a new node with a new, empty cluster, as its owner would set it up: DNS, volume drivers, Velero. It
 * has new certificates, and the kubeconfig at the lab's usual path is for it.
 */
export const makeNewNode = async (lab: Lab, { velero = true, report = silentReport }: NewNode = {}): Promise<void> => {
  const build = await prepare(lab, report);
  await startNode(nodeParts(build));
  await startVolumes(build);
  await installBase(build);
  await waitForNode(build.kubectl);
  if (velero) await installVeleroOn(build);
};
