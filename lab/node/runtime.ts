/** containerd, kubelet and kube-proxy: their configuration files and how they are started. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { type Lab, network, nodeName, paths } from "../lab.ts";
import { type Daemon, runInside, startDaemon } from "../site/daemon.ts";
import type { Binaries } from "./control-plane.ts";

export const pauseImage = "docker.io/lab/pause:1";
export const containerdSocket = "/run/containerd/containerd.sock";

const cni = {
  cniVersion: "0.4.0",
  name: "lab",
  plugins: [
    {
      type: "bridge",
      bridge: "cni0",
      isGateway: true,
      ipMasq: true,
      hairpinMode: true,
      ipam: { type: "host-local", ranges: [[{ subnet: network.nodePods }]], routes: [{ dst: "0.0.0.0/0" }] },
    },
    { type: "portmap", capabilities: { portMappings: true } },
  ],
};

const containerdConfig = (root: string, cniDir: string): string => `version = 2
root = "${root}"
state = "/run/containerd/state"
[grpc]
  address = "${containerdSocket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${cniDir}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
`;

const kubeletConfig = (lab: Lab): object => ({
  apiVersion: "kubelet.config.k8s.io/v1beta1",
  kind: "KubeletConfiguration",
  authentication: {
    anonymous: { enabled: false },
    webhook: { enabled: true },
    x509: { clientCAFile: join(paths(lab).pki, "ca.crt") },
  },
  authorization: { mode: "Webhook" },
  tlsCertFile: join(paths(lab).pki, "kubelet.crt"),
  tlsPrivateKeyFile: join(paths(lab).pki, "kubelet.key"),
  address: network.node,
  podCIDR: network.nodePods,
  clusterDNS: [network.dnsService],
  clusterDomain: "cluster.local",
  resolvConf: "/etc/resolv.conf",
  containerRuntimeEndpoint: `unix://${containerdSocket}`,
  // The machine has only version 1 controllers, and two labs must not tidy up each other's cgroups.
  cgroupDriver: "cgroupfs",
  cgroupRoot: `/${lab.id}`,
  failCgroupV1: false,
  failSwapOn: false,
  cgroupsPerQOS: true,
  enforceNodeAllocatable: ["pods"],
  evictionHard: {
    "memory.available": "100Mi",
    "nodefs.available": "1%",
    "imagefs.available": "1%",
    "nodefs.inodesFree": "1%",
  },
  imageGCHighThresholdPercent: 100,
  // Nobody waits for the next round of a lab.
  syncFrequency: "5s",
  nodeStatusUpdateFrequency: "5s",
  volumeStatsAggPeriod: "15s",
  registryPullQPS: 0,
  eventRecordQPS: 0,
  maxParallelImagePulls: 4,
  serializeImagePulls: false,
  kubeAPIQPS: 100,
  kubeAPIBurst: 200,
  maxPods: 200,
});

/** Writes the configuration files of the three programs. */
export const writeRuntimeConfig = (lab: Lab): void => {
  const { node, containerd } = paths(lab);
  const cniDir = join(node, "cni");
  mkdirSync(cniDir, { recursive: true });
  writeFileSync(join(cniDir, "10-lab.conflist"), JSON.stringify(cni));
  writeFileSync(join(node, "containerd.toml"), containerdConfig(containerd, cniDir));
  writeFileSync(join(node, "kubelet.yaml"), stringify(kubeletConfig(lab)));
};

/** Starts containerd and waits until it answers: the kubelet gives up at once when it does not. */
export const startContainerd = async (lab: Lab): Promise<void> => {
  await startDaemon(lab, "node", {
    name: "containerd",
    command: ["containerd", "-c", join(paths(lab).node, "containerd.toml")],
  });
  const ask = `for i in $(seq 200); do ctr --address ${containerdSocket} version >/dev/null 2>&1 && exit 0; sleep 0.05; done; exit 1`;
  await runInside(lab, "node", ["sh", "-c", ask]);
};

export const kubelet = (lab: Lab, binary: Binaries): Daemon => ({
  name: "kubelet",
  command: [
    binary("kubelet"),
    `--config=${join(paths(lab).node, "kubelet.yaml")}`,
    "--kubeconfig=/etc/kubernetes/kubelet.conf",
    `--hostname-override=${nodeName}`,
    `--node-ip=${network.node}`,
    "--root-dir=/var/lib/kubelet",
  ],
});

export const kubeProxy = (_lab: Lab, binary: Binaries): Daemon => ({
  name: "kube-proxy",
  command: [
    binary("kube-proxy"),
    "--kubeconfig=/etc/kubernetes/proxy.conf",
    `--hostname-override=${nodeName}`,
    `--cluster-cidr=${network.pods}`,
    "--conntrack-max-per-core=0",
    "--proxy-mode=iptables",
  ],
});
