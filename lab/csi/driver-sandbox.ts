/**
 * A throwaway site for the driver's own test: a NAS with zfs-fuse and a node, as mount namespaces within one sandbox, and
 * the two halves of the driver running in them. Closing it leaves nothing on the host.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkout } from "../lab.ts";
import { withoutSync } from "../nas/fuse.ts";
import type { StandInConfigInput } from "../nas/truenas/config.ts";
import { type Exec, execBehind, output } from "../zfs/exec.ts";
import { openPoolSandbox, poolScript } from "../zfs/pool-sandbox.ts";
import { type CsiConfigInput, parseConfig } from "./config.ts";
import { controllerSocket, nodeSocket, registrationSocket } from "./driver.ts";
import { connect, type RpcClient, services } from "./rpc.ts";
import type { Protocol } from "./volume-shape.ts";

const onNas = "nsenter -t $(cat $dir/nas.pid) -m -- ";

/** The node only receives the mounts that the NAS makes below /mnt/tank. */
const script = [
  "ip link set lo up",
  "mount --bind /mnt/tank /mnt/tank",
  "mount --make-shared /mnt/tank",
  "unshare --mount --propagation unchanged sleep infinity & echo $! > $dir/nas.pid",
  "unshare --mount --propagation slave sh -c 'mount --make-rshared /; exec sleep infinity' & echo $! > $dir/node.pid",
  "sleep 0.1",
  ...poolScript("8G", onNas),
  `for d in nfs iscsi; do ${onNas}"$@" zfs create -p tank/k8s/$d/v; done`,
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
  const sandbox = await openPoolSandbox({ prefix: "hf-csi-", withNetwork: true, script });
  const { dir } = sandbox;
  const inside = (machine: "nas" | "node"): readonly string[] => {
    const pid = readFileSync(join(dir, `${machine}.pid`), "utf8").trim();
    const words = ["nsenter", "-t", sandbox.pid, "-m", "-p", "-n", "--", "nsenter", "-t", pid, "-m", "--"];
    return machine === "nas" ? [...words, ...withoutSync()] : words;
  };
  const config = configOf(dir);
  const parsed = parseConfig(config);
  const configFile = join(dir, "csi.json");
  writeFileSync(configFile, JSON.stringify(config));
  const standInFile = join(dir, "truenas.json");
  writeFileSync(standInFile, JSON.stringify(standInConfig(dir)));
  const program = (file: string) => ["env", "-C", checkout, process.execPath, "--import", "tsx", file];
  const startOn = (machine: "nas" | "node", name: string, ...words: readonly string[]): void =>
    void sandbox.start(name, [...inside(machine), ...words]);
  startOn("nas", "truenas", ...program("lab/nas/truenas/main.ts"), "--config", standInFile);
  startOn("nas", "nas", ...program("lab/csi/main.ts"), "controller", "--config", configFile);
  startOn("node", "node", ...program("lab/csi/main.ts"), "node", "--config", configFile);
  const said = (text: string): boolean => sandbox.log().includes(text);
  await sandbox.until("the driver", () => ["stand-in) ready", "controller ready", "node ready"].every(said));
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
    log: () => sandbox.log(),
    close: async () => {
      for (const one of clients) one.close();
      await sandbox.close();
    },
  };
};

/** Standard output of a shell script in a machine; throws when it fails. */
export const shell = (exec: Exec, script: string): Promise<string> => output(exec, "sh", ["-c", script]);
