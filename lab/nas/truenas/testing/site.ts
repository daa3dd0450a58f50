/** A throwaway ZFS pool for the stand-in's own tests: zfs-fuse in namespaces of its own, on a file. */
import { join } from "node:path";
import { openPoolSandbox, poolScript } from "../../../zfs/pool-sandbox.ts";
import { withoutSync } from "../../fuse.ts";
import { parseConfig, type StandInConfigInput } from "../config.ts";
import { type StandIn, startStandIn } from "../server.ts";

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
  const sandbox = await openPoolSandbox({
    prefix: "hf-truenas-",
    withNetwork: true,
    script: [...poolScript("4G"), 'for d in nfs iscsi; do "$@" zfs create -p tank/k8s/$d/v; done'],
  });
  const { dir, pid } = sandbox;
  const inside = ["nsenter", "-t", pid, "-m", "-p", "--", ...withoutSync()];
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
      await sandbox.close();
    },
  };
};
