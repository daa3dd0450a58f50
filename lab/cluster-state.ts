/**
 * The clean cluster, kept as files, so that `reset` need not build it again: etcd's snapshot, a ZFS snapshot of every
 * dataset, and the node's certificates. Taken when everything is installed and seeded and before the apps have run.
 */
import { copyFileSync, cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type Lab, network, paths, pool } from "./lab.ts";
import { type Binaries, etcdClient } from "./node/control-plane.ts";
import { run } from "./shell/run.ts";
import { output } from "./site/daemon.ts";
import { exportsDir } from "./storage.ts";

export const cleanSnapshot = "lab-clean";

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

/** Records the running cluster as the clean one. */
export const saveCleanState = async (lab: Lab, binary: Binaries): Promise<void> => {
  mkdirSync(join(lab.dir, "clean"), { recursive: true });
  cpSync(exportsDir(lab), join(lab.dir, "clean", "exports"), { recursive: true });
  for (const { live, kept } of nodeFiles(lab)) await copyExactly(live, kept);
  await Promise.all([
    output(lab, "node", [...etcdClient(lab, binary), "snapshot", "save", etcdSnapshot(lab)]),
    output(lab, "nas", ["zfs", "snapshot", "-r", `${pool}@${cleanSnapshot}`]),
  ]);
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
  rmSync(exportsDir(lab), { recursive: true, force: true });
  cpSync(join(lab.dir, "clean", "exports"), exportsDir(lab), { recursive: true });
};

/** Puts the files of the node's own disk back, and the user's kubeconfig. The node must be down. */
export const restoreNodeFiles = async (lab: Lab): Promise<void> => {
  for (const { live, kept } of nodeFiles(lab)) await copyExactly(kept, live);
  copyFileSync(join(paths(lab).kubernetes, "admin.conf"), paths(lab).kubeconfig);
};

/** Rolls every dataset back and destroys those that came later. The node must be down. */
export const restoreDatasets = async (lab: Lab): Promise<void> => {
  const names = (await output(lab, "nas", ["zfs", "list", "-H", "-t", "filesystem,snapshot", "-o", "name"]))
    .trim()
    .split("\n");
  const clean = new Set(names.filter((name) => name.endsWith(`@${cleanSnapshot}`)).map((name) => name.split("@")[0]));
  const datasets = names.filter((name) => !name.includes("@"));
  const later = datasets.filter((name) => !clean.has(name)).toReversed();
  const script = [
    // A dataset stays busy for a moment after its last user has gone.
    ...later.map((name) => `for i in $(seq 50); do zfs destroy -r ${name} && break; sleep 0.1; done`),
    ...datasets.filter((name) => clean.has(name)).map((name) => `zfs rollback -r ${name}@${cleanSnapshot}`),
  ];
  await output(lab, "nas", ["bash", "-ec", script.join("\n")]);
};
