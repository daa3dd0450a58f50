/**
 * A throwaway NAS with "OpenZFS" for the adapter's own test: zfs-fuse and a pool in a sandbox, with the front's programs
 * first on the PATH, and on request an sshd of its own. Closing it leaves nothing on the host.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Exec, execBehind } from "../../zfs/exec.ts";
import { oneMountAtATime } from "../../zfs/one-mount-at-a-time.ts";
import { withoutSync } from "../fuse.ts";
import { OpenZfsFront } from "./front.ts";
import { installPrograms, serveFront } from "./serving.ts";
import { openSshd, type Sshd } from "./sshd.ts";

/** Process 1. $1 is the sandbox's folder on the host. */
const initScript = [
  "set -e",
  "dir=$1",
  "mount --make-rprivate /",
  "mount -t proc proc /proc",
  // Without this machine's own /root, whose start-up files each session over SSH would read.
  "for d in /var/lib/zfs /etc/zfs /run /mnt /usr/local/sbin /root; do mkdir -p $d; mount -t tmpfs tmpfs $d; done",
  "mkdir -p /run/zfs /run/lock /run/sshd /mnt/tank",
  "zfs-fuse --no-daemon > $dir/zfs.log 2>&1 &",
  "for i in $(seq 100); do zpool list >/dev/null 2>&1 && break; sleep 0.05; done",
  "truncate -s 1G $dir/pool.img",
  "zpool create -m /mnt/tank tank $dir/pool.img",
  "zfs create tank/k8s",
  // Only now: until here zfs is the real one.
  "cp $dir/programs/* /usr/local/sbin/",
  "touch $dir/ready",
  "sleep infinity & while :; do wait; done",
].join("\n");

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

const until = async (what: string, logFile: string, ready: () => boolean): Promise<void> => {
  const deadline = performance.now() + 15_000;
  while (!ready()) {
    if (performance.now() > deadline) throw new Error(`${what} did not come up\n${readFileSync(logFile, "utf8")}`);
    await sleep(20);
  }
};

export interface OpenZfsSandbox {
  /** Runs commands in the sandbox, with its PATH: `zfs` is the front. */
  readonly exec: Exec;
  /** The same, with the real zfs, as somebody who sits at the machine. */
  readonly real: Exec;
  /** For the caller to close. */
  openSshd(): Promise<Sshd>;
  close(): Promise<void>;
}

/** Where the front's programs come first. */
const path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Its init, as the host sees it, and its folder. */
const startSandbox = async (dir: string): Promise<{ readonly init: ChildProcess; readonly pid: string }> => {
  const unshare = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"];
  // Not only the daemon: the commands call sync() too, and would wait for whatever else the machine has mounted.
  const init = start([...unshare, ...withoutSync(), "bash", "-c", initScript, "init", dir], join(dir, "init.log"));
  try {
    await until("the sandbox", join(dir, "init.log"), () => existsSync(join(dir, "ready")));
  } catch (error) {
    init.kill("SIGKILL");
    throw error;
  }
  return { init, pid: readFileSync(`/proc/${init.pid}/task/${init.pid}/children`, "utf8").trim() };
};

export const openOpenZfsSandbox = async (): Promise<OpenZfsSandbox> => {
  const dir = mkdtempSync(join(tmpdir(), "hf-openzfs-"));
  const socket = join(dir, "front.sock");
  mkdirSync(join(dir, "programs"));
  installPrograms(join(dir, "programs"), socket);
  const { init, pid } = await startSandbox(dir);
  const inside = ["nsenter", "-t", pid, "-m", "-p", "--", ...withoutSync()];
  const real = oneMountAtATime(execBehind([...inside, "env", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"]));
  const exec = execBehind([...inside, "env", path]);
  const stopServing = await serveFront(new OpenZfsFront(real), socket);
  return {
    exec,
    real,
    openSshd: () => openSshd([...inside, "env", path], dir),
    close: async () => {
      init.kill("SIGKILL");
      await endOf(init);
      await stopServing();
      rmSync(dir, { recursive: true, force: true });
    },
  };
};
