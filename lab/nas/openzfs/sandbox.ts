/**
 * A throwaway NAS with "OpenZFS" for the adapter's own test: zfs-fuse and a pool in a sandbox, with the front's programs
 * first on the PATH, and on request an sshd of its own. Closing it leaves nothing on the host.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Exec, execBehind } from "../../zfs/exec.ts";
import { oneMountAtATime } from "../../zfs/one-mount-at-a-time.ts";
import { openPoolSandbox, poolScript } from "../../zfs/pool-sandbox.ts";
import { withoutSync } from "../fuse.ts";
import { OpenZfsFront } from "./front.ts";
import { installPrograms, serveFront } from "./serving.ts";
import { openSshd, type Sshd } from "./sshd.ts";

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

export const openOpenZfsSandbox = async (): Promise<OpenZfsSandbox> => {
  const socketIn = (dir: string): string => join(dir, "front.sock");
  const sandbox = await openPoolSandbox({
    prefix: "hf-openzfs-",
    // Without this machine's own /root, whose start-up files each session over SSH would read.
    ownDirectories: ["/usr/local/sbin", "/root"],
    script: [
      "mkdir -p /run/sshd",
      ...poolScript("1G"),
      '"$@" zfs create tank/k8s',
      // Only now: until here zfs is the real one.
      "cp $dir/programs/* /usr/local/sbin/",
    ],
    prepare: (dir) => {
      mkdirSync(join(dir, "programs"));
      installPrograms(join(dir, "programs"), socketIn(dir));
    },
  });
  const { dir, pid } = sandbox;
  const inside = ["nsenter", "-t", pid, "-m", "-p", "--", ...withoutSync()];
  const real = oneMountAtATime(execBehind([...inside, "env", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"]));
  const exec = execBehind([...inside, "env", path]);
  const stopServing = await serveFront(new OpenZfsFront(real), socketIn(dir));
  return {
    exec,
    real,
    openSshd: () => openSshd([...inside, "env", path], dir),
    close: async () => {
      await sandbox.close();
      await stopServing();
    },
  };
};
