/**
 * The scripts that become process 1 of the site and of each machine in it. Process 1 only sets up mounts and network,
 * reports by creating a file, and then reaps what its daemons leave; killing it removes everything inside.
 */
import { hostPathDir, hosts, network, poolMountpoint } from "../lab.ts";

/** Directories of the host that get a private, writable overlay, so that nothing inside leaves a trace outside. */
const overlays = ["/var", "/etc", "/usr/sbin"] as const;

const overlayLines = overlays.flatMap((dir) => {
  const layer = `/mnt/.overlay${dir.replaceAll("/", "-")}`;
  return [
    `mkdir -p ${layer}/upper ${layer}/work`,
    `mount -t overlay overlay -o lowerdir=${dir},upperdir=${layer}/upper,workdir=${layer}/work ${dir}`,
  ];
});

const hostsFile = ["127.0.0.1 localhost", ...Object.entries(hosts).map(([name, address]) => `${address} ${name}`)].join(
  "\\n",
);

/** Bash keeps the role of process 1: it reaps adopted children while it waits. */
const idle = ['touch "$1"', "trap : TERM INT", "sleep infinity & while :; do wait; done"];

/** Process 1 of the outer sandbox. $0 is the marker, $1 the file that says "ready". */
export const siteScript = [
  "set -e",
  "mount --make-rprivate /",
  "mount -t proc proc /proc",
  "mount -t tmpfs -o size=2g tmpfs /mnt",
  "mkdir -p /mnt/.overlay",
  ...overlayLines,
  "mount -t tmpfs -o mode=755 tmpfs /run",
  "mkdir -p /run/lock /run/netns /var/lib/kubelet /var/lib/etcd /var/lib/cni /etc/cni /etc/kubernetes /var/lib/zfs /var/run/zfs",
  `printf '${hostsFile}\\n' > /etc/hosts`,
  ": > /etc/resolv.conf",
  // The kubelet mounts inline NFS volumes by calling this; there is no NFS client in the kernel, so it binds the directory.
  'printf \'#!/bin/sh\\n# mount.nfs SOURCE TARGET [-o OPTIONS]: SOURCE is host:/path on the NAS, visible here by mount propagation.\\nexec mount --bind "${1#*:}" "$2"\\n\' > /usr/sbin/mount.nfs',
  "chmod 755 /usr/sbin/mount.nfs",
  `mkdir -p ${poolMountpoint}`,
  `mount --bind ${poolMountpoint} ${poolMountpoint}`,
  `mount --make-shared ${poolMountpoint}`,
  "ip link set lo up",
  "ip link add lan0 type bridge",
  `ip addr add ${network.laptop}/${network.prefixLength} dev lan0`,
  "ip link set lan0 up",
  ...idle,
].join("\n");

const machineNetwork = (address: string): readonly string[] => [
  "ip link set lo up",
  "for i in $(seq 200); do ip link show eth0 >/dev/null 2>&1 && break; sleep 0.02; done",
  `ip addr add ${address}/${network.prefixLength} dev eth0`,
  "ip link set eth0 up",
  `ip route add default via ${network.laptop}`,
];

/** Process 1 of the NAS: the pool's mounts made here appear on the site and on the node. */
export const nasScript = [
  "set -e",
  "mount -t proc proc /proc",
  "mount -t tmpfs -o mode=755 tmpfs /run",
  "mount -t tmpfs -o mode=1777 tmpfs /tmp",
  "mkdir -p /run/lock /run/zfs",
  ...machineNetwork(network.nas),
  ...idle,
].join("\n");

/** The kubelet sets these for the whole machine, unless they have these values already: so it finds files that say so. */
const kernelSettings = { "vm/overcommit_memory": 1, "kernel/panic": 10, "kernel/panic_on_oops": 1 } as const;

const kernelSettingLines = Object.entries(kernelSettings).flatMap(([setting, value]) => {
  const file = `/run/setting-${setting.replaceAll("/", "-")}`;
  return [`echo ${value} > ${file}`, `mount --bind ${file} /proc/sys/${setting}`];
});

interface NodeDirectories {
  readonly kubelet: string;
  readonly etcd: string;
  readonly kubernetes: string;
  readonly hostPath: string;
}

/** Process 1 of the node. Its mounts are shared, because kubelet and node-agent pass mounts on to pods. */
export const nodeScript = (dirs: NodeDirectories): string =>
  [
    "set -e",
    "mount -t proc proc /proc",
    "mount -t tmpfs -o mode=755 tmpfs /run",
    "mount -t tmpfs -o mode=1777 tmpfs /tmp",
    `mkdir -p /run/lock /run/netns ${dirs.kubelet} ${dirs.etcd} ${dirs.kubernetes} ${dirs.hostPath} ${hostPathDir}`,
    `mount --bind ${dirs.kubelet} /var/lib/kubelet`,
    `mount --bind ${dirs.etcd} /var/lib/etcd`,
    `mount --bind ${dirs.kubernetes} /etc/kubernetes`,
    `mount --bind ${dirs.hostPath} ${hostPathDir}`,
    ...kernelSettingLines,
    "mount --make-rshared /",
    ...machineNetwork(network.node),
    "sysctl -qw net.ipv4.ip_forward=1",
    ...idle,
  ].join("\n");
