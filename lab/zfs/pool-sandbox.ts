/** A throwaway pool for tests: zfs-fuse on a file, in namespaces of its own that end with one kill and leave nothing. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { withoutSync } from "../nas/fuse.ts";

export interface PoolSandboxOptions {
  /** The beginning of its folder's name. */
  readonly prefix: string;
  readonly withNetwork?: boolean;
  /** Directories that are its own too, beside those of zfs-fuse and /mnt. */
  readonly ownDirectories?: readonly string[];
  /** What its process 1 runs before it is ready; $dir is its folder, and "$@" in front of a command takes sync() away. */
  readonly script: readonly string[];
  /** Called before it starts, with its folder. */
  readonly prepare?: (dir: string) => void;
}

export interface PoolSandbox {
  /** Its folder on the host. */
  readonly dir: string;
  /** Process 1 as the host counts it. */
  readonly pid: string;
  /** Starts a program on the host, which ends with the sandbox; it writes into NAME.log. */
  start(name: string, command: readonly string[]): ChildProcess;
  /** Throws with all that was written, when it takes too long. */
  until(what: string, ready: () => boolean): Promise<void>;
  /** What everything in it has written. */
  log(): string;
  close(): Promise<void>;
}

/** Lines that make the pool `tank` at /mnt/tank; `within` is put before each command. */
export const poolScript = (size: string, within = ""): readonly string[] => [
  `${within}"$@" zfs-fuse --no-daemon > $dir/zfs.log 2>&1 &`,
  'for i in $(seq 100); do "$@" zpool list >/dev/null 2>&1 && break; sleep 0.05; done',
  `truncate -s ${size} $dir/pool.img`,
  `${within}"$@" zpool create -m /mnt/tank tank $dir/pool.img`,
];

const processOne = ({ ownDirectories = [], script }: PoolSandboxOptions): string =>
  [
    "set -e",
    "dir=$1; shift",
    "mount --make-rprivate /",
    "mount -t proc proc /proc",
    `for d in /var/lib/zfs /etc/zfs /run /mnt ${ownDirectories.join(" ")}; do mkdir -p $d; mount -t tmpfs tmpfs $d; done`,
    "mkdir -p /run/zfs /run/lock /mnt/tank",
    ...script,
    "touch $dir/ready",
    "sleep infinity & while :; do wait; done",
  ].join("\n");

const logOf = (dir: string): string =>
  readdirSync(dir)
    .filter((name) => name.endsWith(".log"))
    .map((name) => readFileSync(join(dir, name), "utf8"))
    .join("\n");

const patience = 15_000;

const until = async (what: string, dir: string, ready: () => boolean): Promise<void> => {
  const deadline = performance.now() + patience;
  while (!ready()) {
    if (performance.now() > deadline) throw new Error(`${what} did not come up\n${logOf(dir)}`);
    await sleep(20);
  }
};

const endOf = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once("exit", () => resolve());
  });

export const openPoolSandbox = async (options: PoolSandboxOptions): Promise<PoolSandbox> => {
  const dir = mkdtempSync(join(tmpdir(), options.prefix));
  options.prepare?.(dir);
  const children: ChildProcess[] = [];
  const start = (name: string, [program = "", ...args]: readonly string[]): ChildProcess => {
    const log = openSync(join(dir, `${name}.log`), "a");
    const child = spawn(program, args, { stdio: ["ignore", log, log] });
    closeSync(log);
    children.push(child);
    return child;
  };
  const unshare = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"];
  const network = options.withNetwork === true ? ["--net"] : [];
  // Not only the daemon: the commands call sync() too, and would wait for whatever else the machine has mounted.
  const words = ["bash", "-c", processOne(options), "init", dir, ...withoutSync()];
  const sandbox = start("init", [...unshare, ...network, ...words]);
  const close = async (): Promise<void> => {
    sandbox.kill("SIGKILL");
    await Promise.all(children.map(endOf));
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    await until("the pool", dir, () => existsSync(join(dir, "ready")));
  } catch (error) {
    await close();
    throw error;
  }
  const pid = readFileSync(`/proc/${sandbox.pid}/task/${sandbox.pid}/children`, "utf8").trim();
  return { dir, pid, start, until: (what, ready) => until(what, dir, ready), log: () => logOf(dir), close };
};
