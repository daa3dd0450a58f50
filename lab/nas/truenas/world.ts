/** Everything that the stand-in's methods work on. */
import { join } from "node:path";
import { openFileExports } from "../../csi/file-exports.ts";
import type { NasExports } from "../../csi/nas-exports.ts";
import { type Exec, execBehind } from "../../zfs/exec.ts";
import { Identities } from "../../zfs/identities.ts";
import { oneMountAtATime } from "../../zfs/one-mount-at-a-time.ts";
import { openZfs, type Zfs } from "../../zfs/zfs.ts";
import { Accounts } from "./accounts.ts";
import type { StandInConfig } from "./config.ts";
import { Faults } from "./faults.ts";
import { Jobs } from "./jobs.ts";
import { type Release, releaseOf } from "./release.ts";
import { Remounts } from "./remounts.ts";
import { StateFile } from "./state.ts";

export interface World {
  /** "25.10.1". */
  readonly version: string;
  readonly release: Release;
  readonly zfs: Zfs;
  /** Runs commands on the machine with the pool. */
  readonly exec: Exec;
  readonly identities: Identities;
  readonly remounts: Remounts;
  /** The folder that holds the pools' mountpoints. */
  readonly mountRoot: string;
  readonly exports: NasExports;
  readonly state: StateFile;
  readonly accounts: Accounts;
  readonly jobs: Jobs;
  readonly faults: Faults;
  /** Ms since 1970. */
  readonly started: number;
}

export const openWorld = (config: StandInConfig): World => {
  const exec = oneMountAtATime(execBehind(config.commandPrefix));
  const zfs = openZfs(exec);
  const state = new StateFile(join(config.stateDir, "truenas.json"), config.address);
  return {
    version: config.version,
    release: releaseOf(config.version),
    zfs,
    exec,
    identities: new Identities(zfs),
    remounts: new Remounts(zfs),
    mountRoot: config.mountRoot,
    exports: openFileExports(config.exportsDir),
    state,
    accounts: new Accounts(config.users, state),
    jobs: new Jobs(),
    faults: new Faults(),
    started: Date.now(),
  };
};
