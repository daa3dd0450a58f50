/**
 * The clean cluster, kept as files, so that `reset` need not build it again: etcd's snapshot, the NAS's
 * disk, and the node's certificates and hostPath volumes. Taken when everything is installed and seeded and before the apps have run.
 */
import { copyFileSync, cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type Lab, network, paths, pool } from "./lab.ts";
import { type Binaries, etcdClient } from "./node/control-plane.ts";
import { run } from "./shell/run.ts";
import { withoutSync } from "./nas/fuse.ts";
import { output, pidFile } from "./site/daemon.ts";

/** Written last: a state that was recorded only in part is none. */
const completeMark = (lab: Lab): string => join(lab.dir, "clean", "complete");

const etcdSnapshot = (lab: Lab): string => join(lab.dir, "clean", "etcd.db");

export const hasCleanState = (lab: Lab): boolean => existsSync(completeMark(lab));

/** What is kept of the node's disk: certificates, kubeconfigs and hostPath volumes. */
const nodeFiles = (lab: Lab): readonly { readonly live: string; readonly kept: string }[] => {
  const { kubernetes, hostPath } = paths(lab);
  return [kubernetes, hostPath].map((live) => ({ live, kept: join(lab.dir, "clean", basename(live)) }));
};

/** With owners, modes, times and holes. */
const copyExactly = async (from: string, to: string): Promise<void> => {
  rmSync(to, { recursive: true, force: true });
  await run("cp", ["--archive", "--sparse=auto", from, to]);
};

/** Beside the disk itself, but in a folder of its own: a pool is found by looking at every file of a folder. */
const keptPool = (lab: Lab): string => join(paths(lab).nasState, "clean", basename(paths(lab).poolImage));

/** Volumes are still mounted for a while when their pod has gone; what was written into them must reach the NAS. */
const flushVolumes = `for target in $(findmnt -rno TARGET -t ext4,fuse.zfs | grep ^/var/lib/kubelet/); do sync -f "$target"; done`;

/** Making a snapshot writes what ZFS still has in memory. Then its disk is copied while it stands still. */
const copyPool = [
  "set -e",
  `zfs snapshot ${pool}@lab-clean`,
  `zfs destroy ${pool}@lab-clean`,
  'zfs=$(cat "$1")',
  'trap "kill -CONT $zfs" EXIT',
  'kill -STOP "$zfs"',
  'mkdir -p "$(dirname "$3")"',
  'cp --sparse=always "$2" "$3"',
].join("\n");

/** Records the running cluster as the clean one. */
export const saveCleanState = async (lab: Lab, binary: Binaries): Promise<void> => {
  mkdirSync(join(lab.dir, "clean"), { recursive: true });
  cpSync(paths(lab).exports, join(lab.dir, "clean", "exports"), { recursive: true });
  for (const { live, kept } of nodeFiles(lab)) await copyExactly(live, kept);
  await output(lab, "node", [...etcdClient(lab, binary), "snapshot", "save", etcdSnapshot(lab)]);
  await output(lab, "node", ["bash", "-c", flushVolumes]);
  const words = [pidFile(lab, "nas", "zfs"), paths(lab).poolImage, keptPool(lab)];
  await output(lab, "nas", [...withoutSync(), "bash", "-c", copyPool, "copy", ...words]);
  writeFileSync(completeMark(lab), "");
};

/** Puts etcd's directory back. The node must be down. */
export const restoreEtcd = async (lab: Lab, binary: Binaries): Promise<void> => {
  const dir = paths(lab).etcd;
  rmSync(dir, { recursive: true, force: true });
  const peer = `https://${network.node}:2380`;
  await output(lab, "site", [
    binary("etcdutl"),
    "snapshot",
    "restore",
    etcdSnapshot(lab),
    `--data-dir=${dir}`,
    "--name=node",
    `--initial-cluster=node=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
  ]);
};

/** Puts the NAS' shares and targets back as they were recorded. */
export const restoreExports = (lab: Lab): void => {
  rmSync(paths(lab).exports, { recursive: true, force: true });
  cpSync(join(lab.dir, "clean", "exports"), paths(lab).exports, { recursive: true });
};

/** Puts the files of the node's own disk back, and the user's kubeconfig. The node must be down. */
export const restoreNodeFiles = async (lab: Lab): Promise<void> => {
  for (const { live, kept } of nodeFiles(lab)) await copyExactly(kept, live);
  copyFileSync(join(paths(lab).kubernetes, "admin.conf"), paths(lab).kubeconfig);
};

/** Puts the NAS's disk back, and empties that of the bucket. The NAS must be down. */
export const restoreNas = async (lab: Lab): Promise<void> => {
  const { poolImage, minioData } = paths(lab);
  rmSync(minioData, { recursive: true, force: true });
  await run("cp", ["--sparse=always", keptPool(lab), poolImage]);
};
