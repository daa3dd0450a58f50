/** The node: one machine with a whole Kubernetes on it. It can be destroyed and made again while the NAS lives. */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Lab, nodeName, paths } from "../lab.ts";
import { output, startDaemon } from "../site/daemon.ts";
import type { Kubectl } from "../site/kubectl.ts";
import { startMachine, stop } from "../site/sandbox.ts";
import { waitFor } from "../wait-for.ts";
import { writeCertificates } from "./certificates.ts";
import { createCgroups, removeCgroups } from "./cgroups.ts";
import { apiServer, type Binaries, controllerManager, etcd, etcdClient, scheduler } from "./control-plane.ts";
import { loadImages } from "./images.ts";
import { kubelet, kubeProxy, startContainerd, writeRuntimeConfig } from "./runtime.ts";

export interface NodeParts {
  readonly lab: Lab;
  readonly binary: Binaries;
  readonly kubectl: Kubectl;
  /** docker-archive files. */
  readonly images: readonly string[];
  /** What the former node left in etcd is forgotten: its pods do not run any more, whatever their last state says. */
  readonly isReplacement?: boolean;
}

/** Starts the machine with everything but the kubelet's pods: returns when the API server answers and images are loaded. */
export const startNode = async (parts: NodeParts): Promise<void> => {
  const { lab, binary, images } = parts;
  if (!existsSync(join(paths(lab).kubernetes, "admin.conf"))) await writeCertificates(lab);
  createCgroups(lab);
  writeRuntimeConfig(lab);
  await startMachine(lab, "node");
  await Promise.all([startControlPlane(parts), startContainers(lab, images)]);
  await startDaemon(lab, "node", kubelet(lab, binary));
  await startDaemon(lab, "node", kubeProxy(lab, binary));
};

const startControlPlane = async ({ lab, binary, kubectl, isReplacement = false }: NodeParts): Promise<void> => {
  await startDaemon(lab, "node", etcd(lab, binary));
  if (isReplacement) await forgetFormerNode(lab, binary);
  await startDaemon(lab, "node", apiServer(lab, binary));
  await waitFor("the API server", 60, async () => (await kubectl(["get", "--raw", "/readyz"])) === "ok");
  await startDaemon(lab, "node", controllerManager(lab, binary));
  await startDaemon(lab, "node", scheduler(lab, binary));
};

const formerNode = ["pods/", "minions/", "csinodes/", "leases/", "events/"];

const forgetFormerNode = async (lab: Lab, binary: Binaries): Promise<void> => {
  const etcdctl = etcdClient(lab, binary);
  await waitFor("etcd", 30, async () => (await output(lab, "node", [...etcdctl, "endpoint", "health"])) !== "");
  for (const keys of formerNode) await output(lab, "node", [...etcdctl, "del", "--prefix", `/registry/${keys}`]);
};

const startContainers = async (lab: Lab, images: readonly string[]): Promise<void> => {
  await loadImages(lab, images);
  await startContainerd(lab);
};

/** Waits until the kubelet has registered and calls itself Ready. */
export const waitForNode = (kubectl: Kubectl): Promise<void> =>
  waitFor("the node", 60, async () => {
    const ready = '{.status.conditions[?(@.type=="Ready")].status}';
    return (await kubectl(["get", "node", nodeName, "-o", `jsonpath=${ready}`])) === "True";
  });

/** Ends the node and forgets its disk: etcd, certificates, kubelet, containers and hostPath volumes. */
export const destroyNode = async (lab: Lab): Promise<void> => {
  await stop(lab, "node");
  await removeCgroups(lab);
  forgetNode(lab);
};

/** Removes the disk of a node that has ended. */
export const forgetNode = (lab: Lab): void => {
  const { etcd: etcdDir, kubelet: kubeletDir, containerd, hostPath, kubernetes } = paths(lab);
  const lost = [etcdDir, kubeletDir, containerd, hostPath, kubernetes];
  for (const dir of lost) rmSync(dir, { recursive: true, force: true });
};
