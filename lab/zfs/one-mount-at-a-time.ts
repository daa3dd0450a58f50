/**
 * zfs-fuse 0.7 tells its listening threads of a new mount through a pipe, in two writes without a lock. Those of two mounts
 * at the same time can mix; the reader then waits for ever with everybody's lock in its hand, and nothing on the pool
 * answers any more. So commands that may mount something wait for each other.
 */
import type { Exec } from "./exec.ts";

const mayMount: ReadonlySet<string> = new Set(["clone", "create", "inherit", "mount", "rename", "rollback", "set"]);

/** Where the daemon has its socket: who talks to the same daemon, of whatever process, finds the same lock. */
const lock = "/var/run/zfs";

/** An `Exec` for the `zfs` of zfs-fuse. Other commands pass as they are. */
export const oneMountAtATime =
  (exec: Exec): Exec =>
  (command, args) =>
    command === "zfs" && mayMount.has(args[0] ?? "")
      ? exec("flock", ["--no-fork", lock, command, ...args])
      : exec(command, args);
