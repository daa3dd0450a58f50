/** `holdfast doctor`: everything that has to be right before a backup or a restore can be. */
import { bucketChecks } from "./bucket.ts";
import type { Check, CheckResult } from "./check.ts";
import { clusterChecks } from "./cluster.ts";
import { kitChecks } from "./kit.ts";
import { locationChecks } from "./location.ts";
import { nasChecks } from "./nas.ts";
import { nodeAgentChecks } from "./node-agent.ts";
import { passwordChecks } from "./password.ts";
import { rightsChecks } from "./rights.ts";
import { runChecks } from "./run.ts";
import { unfinishedChecks } from "./unfinished.ts";
import { veleroChecks } from "./velero.ts";
import { versionChecks } from "./versions.ts";
import type { DoctorWorld } from "./world.ts";

/** All checks, in the order in which they are shown. `holdfastVersion` is shown as it is. */
export const allChecks = (world: DoctorWorld, holdfastVersion: string): readonly Check[] => [
  ...clusterChecks(world),
  ...rightsChecks(world),
  ...veleroChecks(world),
  ...nodeAgentChecks(world),
  ...bucketChecks(world),
  ...locationChecks(world),
  ...passwordChecks(world),
  ...kitChecks(world),
  ...unfinishedChecks(world),
  ...nasChecks(world),
  ...versionChecks(world, holdfastVersion),
];

/** Looks at everything. Writes one ServerStatusRequest and one object in our part of the bucket, and removes both. */
export const examine = (world: DoctorWorld, holdfastVersion: string): Promise<readonly CheckResult[]> =>
  runChecks(allChecks(world, holdfastVersion));
