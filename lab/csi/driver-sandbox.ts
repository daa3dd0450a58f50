/**
 * A throwaway site for the driver's own test: a NAS with zfs-fuse and a node, as mount namespaces within one sandbox, and
 * the two halves of the driver running in them. Closing it leaves nothing on the host.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { checkout } from "../lab.ts";
import { withoutSync } from "../nas/fuse.ts";
import type { StandInConfigInput } from "../nas/truenas/config.ts";
import { type Exec, execBehind, output } from "../zfs/exec.ts";
import { type CsiConfigInput, parseConfig } from "./config.ts";
import { controllerSocket, nodeSocket, registrationSocket } from "./driver.ts";
import { connect, type RpcClient, services } from "./rpc.ts";
import type { Protocol } from "./volume-shape.ts";

/** Process 1. $1 is the sandbox's folder on the host, the rest what takes sync() away. The node only receives the mounts that the NAS makes below /mnt/tank. */
const initScript = [
  "set -e",
  "dir=$1; shift",
  "mount --make-rprivate /",
  "mount -t proc proc /proc",
  "ip link set lo up",
  "for d in /var/lib/zfs /etc/zfs /run /mnt; do mkdir -p $d; mount -t tmpfs tmpfs $d; done",
  "mkdir -p /run/zfs /run/lock /mnt/tank",
  "mount --bind /mnt/tank /mnt/tank",
  "mount --make-shared /mnt/tank",
  "unshare --mount --propagation unchanged sleep infinity & echo $! > $dir/nas.pid",
  "unshare --mount --propagation slave sh -c 'mount --make-rshared /; exec sleep infinity' & echo $! > $dir/node.pid",
  "sleep 0.1",
  'nsenter -t $(cat $dir/nas.pid) -m -- "$@" zfs-fuse --no-daemon > $dir/zfs.log 2>&1 &',
  'for i in $(seq 100); do "$@" zpool list >/dev/null 2>&1 && break; sleep 0.05; done',
  "truncate -s 8G $dir/pool.img",
  'nsenter -t $(cat $dir/nas.pid) -m -- "$@" zpool create -m /mnt/tank tank $dir/pool.img',
  'for d in nfs iscsi; do nsenter -t $(cat $dir/nas.pid) -m -- "$@" zfs create -p tank/k8s/$d/v; done',
  "touch $dir/ready",
  "sleep infinity & while :; do wait; done",
];

export interface DriverSandbox {
  readonly dir: string;
  readonly kubeletDir: string;
  readonly registryDir: string;
  readonly onNas: Exec;
  readonly onNode: Exec;
  controller(protocol: Protocol): RpcClient;
  node(protocol: Protocol): RpcClient;
  registration(protocol: Protocol): RpcClient;
  /** What the driver wrote. */
  log(): string;
  close(): Promise<void>;
}

const until = async (what: string, dir: string, ready: () => boolean): Promise<void> => {
  const deadline = performance.now() + 15_000;
  while (!ready()) {
    if (performance.now() > deadline) throw new Error(`${what} did not come up\n${logOf(dir)}`);
    await sleep(20);
  }
};

const logOf = (dir: string): string =>
  ["init", "zfs", "truenas", "nas", "node"]
    .map((name) => (existsSync(join(dir, `${name}.log`)) ? readFileSync(join(dir, `${name}.log`), "utf8") : ""))
    .join("\n");

const start = (command: readonly string[], logFile: string): ChildProcess => {
  const [program = "", ...args] = command;
  const log = openSync(logFile, "a");
  const child = spawn(program, args, { stdio: ["ignore", log, log] });
  closeSync(log);
  return child;
};

const endOf = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once("exit", () => resolve());
  });

/** The sandbox has a network of its own. */
const apiPort = 8080;
const apiKey = `1-${"k".repeat(64)}`;

const standInConfig = (dir: string): StandInConfigInput => ({
  version: "25.10.1",
  http: { host: "127.0.0.1", port: apiPort },
  stateDir: join(dir, "nas"),
  exportsDir: join(dir, "nas"),
  users: [{ username: "csi", roles: ["FULL_ADMIN"], keys: [{ key: apiKey }] }],
});

const configOf = (dir: string): CsiConfigInput => ({
  nodeId: "node",
  controllerSocketDir: join(dir, "c"),
  kubeletDir: join(dir, "kubelet"),
  registryDir: join(dir, "nas"),
  nas: { address: "10.0.0.5", api: { url: `http://127.0.0.1:${apiPort}`, key: apiKey } },
  nfs: { parentDataset: "tank/k8s/nfs/v", instanceId: "lab" },
  iscsi: { parentDataset: "tank/k8s/iscsi/v", nameSuffix: "-clustera" },
  busyRetry: { giveUpAfterMs: 1000, longestPauseMs: 200 },
});

/** Starts the sandbox with both halves of the driver ready to answer. */
export const openDriverSandbox = async (): Promise<DriverSandbox> => {
  const dir = mkdtempSync(join(tmpdir(), "hf-csi-"));
  const unshare = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--net"];
  const sandbox = start(
    [...unshare, "bash", "-c", initScript.join("\n"), "init", dir, ...withoutSync()],
    join(dir, "init.log"),
  );
  await until("the sandbox", dir, () => existsSync(join(dir, "ready")));
  const init = readFileSync(`/proc/${sandbox.pid}/task/${sandbox.pid}/children`, "utf8").trim();
  const inside = (machine: "nas" | "node"): readonly string[] => {
    const pid = readFileSync(join(dir, `${machine}.pid`), "utf8").trim();
    const words = ["nsenter", "-t", init, "-m", "-p", "-n", "--", "nsenter", "-t", pid, "-m", "--"];
    return machine === "nas" ? [...words, ...withoutSync()] : words;
  };
  const config = configOf(dir);
  const parsed = parseConfig(config);
  const configFile = join(dir, "csi.json");
  writeFileSync(configFile, JSON.stringify(config));
  const standInFile = join(dir, "truenas.json");
  writeFileSync(standInFile, JSON.stringify(standInConfig(dir)));
  const program = (file: string) => ["env", "-C", checkout, process.execPath, "--import", "tsx", file];
  const startOn = (machine: "nas" | "node", name: string, ...words: readonly string[]): ChildProcess =>
    start([...inside(machine), ...words], join(dir, `${name}.log`));
  const children = [
    startOn("nas", "truenas", ...program("lab/nas/truenas/main.ts"), "--config", standInFile),
    startOn("nas", "nas", ...program("lab/csi/main.ts"), "controller", "--config", configFile),
    startOn("node", "node", ...program("lab/csi/main.ts"), "node", "--config", configFile),
  ];
  await until("the driver", dir, () => /stand-in\) ready[^]*controller ready[^]*node ready/.test(logOf(dir)));
  const clients: RpcClient[] = [];
  const client = (socket: string, definition: Parameters<typeof connect>[1]): RpcClient => {
    const made = connect(socket, definition);
    clients.push(made);
    return made;
  };
  return {
    dir,
    kubeletDir: parsed.kubeletDir,
    registryDir: parsed.registryDir,
    onNas: execBehind(inside("nas")),
    onNode: execBehind(inside("node")),
    controller: (protocol) => client(controllerSocket(parsed, protocol), services.controller),
    node: (protocol) => client(nodeSocket(parsed, protocol), services.node),
    registration: (protocol) => client(registrationSocket(parsed, protocol), services.registration),
    log: () => logOf(dir),
    close: async () => {
      for (const one of clients) one.close();
      sandbox.kill("SIGKILL");
      await Promise.all([sandbox, ...children].map(endOf));
      rmSync(dir, { recursive: true, force: true });
    },
  };
};

/** Standard output of a shell script in a machine; throws when it fails. */
export const shell = (exec: Exec, script: string): Promise<string> => output(exec, "sh", ["-c", script]);
