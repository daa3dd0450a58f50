/** A throwaway ZFS pool for the stand-in's own tests: zfs-fuse in namespaces of its own, on a file. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { withoutSync } from "../../fuse.ts";
import { parseConfig, type StandInConfigInput } from "../config.ts";
import { type StandIn, startStandIn } from "../server.ts";

/** Process 1. $1 is the folder on the host, the rest what takes sync() away. */
const initScript = [
  "set -e",
  "dir=$1; shift",
  "mount --make-rprivate /",
  "mount -t proc proc /proc",
  "for d in /var/lib/zfs /etc/zfs /run /mnt; do mkdir -p $d; mount -t tmpfs tmpfs $d; done",
  "mkdir -p /run/zfs /run/lock /mnt/tank",
  '"$@" zfs-fuse --no-daemon > $dir/zfs.log 2>&1 &',
  'for i in $(seq 100); do "$@" zpool list >/dev/null 2>&1 && break; sleep 0.05; done',
  "truncate -s 4G $dir/pool.img",
  '"$@" zpool create -m /mnt/tank tank $dir/pool.img',
  'for d in nfs iscsi; do "$@" zfs create -p tank/k8s/$d/v; done',
  "touch $dir/ready",
  "sleep infinity & while :; do wait; done",
].join("\n");

/** Keys of the test's users: a number and 64 letters and digits. */
export const testKey = (number: number): string => `${number}-${"a1B2".repeat(16)}`;

export interface TestSite {
  readonly dir: string;
  /** Words in front of a command that has to run where the pool is. */
  readonly inside: readonly string[];
  /** A stand-in on a free port of loopback, without TLS; ended with the site. */
  start(version: string, more?: Partial<StandInConfigInput>): Promise<StandIn>;
  /** What a config for a stand-in on this pool says. */
  config(version: string, more?: Partial<StandInConfigInput>): StandInConfigInput;
  close(): Promise<void>;
}

const start = (command: readonly string[], logFile: string): ChildProcess => {
  const [program = "", ...args] = command;
  const log = openSync(logFile, "a");
  const child = spawn(program, args, { stdio: ["ignore", log, log] });
  closeSync(log);
  return child;
};

const logOf = (dir: string): string =>
  ["init.log", "zfs.log"]
    .map((name) => (existsSync(join(dir, name)) ? readFileSync(join(dir, name), "utf8") : ""))
    .join("\n");

const readyFile = async (dir: string): Promise<void> => {
  const deadline = performance.now() + 15_000;
  while (!existsSync(join(dir, "ready"))) {
    if (performance.now() > deadline) throw new Error(`the pool did not come up\n${logOf(dir)}`);
    await sleep(20);
  }
};

/** Users of the tests, by what they may do. */
const users: StandInConfigInput["users"] = [
  { username: "admin", roles: ["FULL_ADMIN"], password: "secret", keys: [{ key: testKey(1) }] },
  {
    username: "holdfast",
    roles: ["READONLY_ADMIN", "SNAPSHOT_WRITE", "DATASET_WRITE", "SHARING_NFS_WRITE"],
    keys: [{ key: testKey(2) }],
  },
  {
    username: "remover",
    roles: ["READONLY_ADMIN", "SNAPSHOT_DELETE", "DATASET_DELETE"],
    keys: [{ key: testKey(3) }, { key: testKey(4) }],
  },
];

/** Starts the pool: `tank/k8s/nfs/v` and `tank/k8s/iscsi/v`. */
export const openTestSite = async (): Promise<TestSite> => {
  const dir = mkdtempSync(join(tmpdir(), "hf-truenas-"));
  const unshare = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--net"];
  const sandbox = start([...unshare, "bash", "-c", initScript, "init", dir, ...withoutSync()], join(dir, "init.log"));
  await readyFile(dir);
  const init = readFileSync(`/proc/${sandbox.pid}/task/${sandbox.pid}/children`, "utf8").trim();
  const inside = ["nsenter", "-t", init, "-m", "-p", "--", ...withoutSync()];
  const standIns: StandIn[] = [];
  const config: TestSite["config"] = (version, more = {}) => ({
    version,
    http: { host: "127.0.0.1", port: 0 },
    stateDir: join(dir, `state-${version}`),
    exportsDir: join(dir, "exports"),
    commandPrefix: [...inside],
    users,
    ...more,
  });
  return {
    dir,
    inside,
    config,
    start: async (version, more) => {
      const standIn = await startStandIn(parseConfig(config(version, more)));
      standIns.push(standIn);
      return standIn;
    },
    close: async () => {
      await Promise.all(standIns.map((standIn) => standIn.close()));
      const ended = new Promise((resolve) => sandbox.once("exit", resolve));
      sandbox.kill("SIGKILL");
      await ended;
      rmSync(dir, { recursive: true, force: true });
    },
  };
};
