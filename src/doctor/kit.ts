/** The kit: something outside the cluster that opens the backups, and was seen to do so. */
import { kitStanding } from "../kit/standing.ts";
import { type Check, type Finding, ok, warning } from "./check.ts";
import type { DoctorWorld } from "./world.ts";

export const kitChecks = (world: DoctorWorld): readonly Check[] => [
  { id: "kit", title: "Kit outside the cluster", needs: ["password", "bucket"], look: () => kitFinding(world) },
];

const kitFinding = async (world: DoctorWorld): Promise<Finding> => {
  const standing = await kitStanding({
    bucket: await world.bucket(),
    cluster: world.loaded.config.holdfast.cluster,
    password: () => world.password(),
    now: world.context.clock.now(),
  });
  if (!standing.proven) throw standing.because;
  if (!standing.old) return ok(standing.text);
  return warning(standing.text, "Check it again, on a machine outside the cluster: holdfast kit check FILE");
};
