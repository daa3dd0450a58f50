/** `holdfast adopt`: settles a fence. */
import { foreignOwner, ownershipOf, takeOver } from "../inventory/identity.ts";
import { recordsPrefix } from "../inventory/records.ts";
import { commandBody } from "./body.ts";
import { confirmByName } from "./confirm.ts";
import type { WorldFlags } from "./flags.ts";
import type { World } from "./world.ts";
import type { CliContext } from "./cli-context.ts";

export const adopt = commandBody<WorldFlags, []>((cli, world) => adoptBucket(cli, world));

/** Throws BUCKET_CONFLICT when somebody else settles it between the question and the answer. */
export const adoptBucket = async (cli: CliContext, world: World): Promise<void> => {
  const { stdout, clock } = cli.context;
  const { cluster } = world.loaded.config.holdfast;
  const [self, bucket] = [await world.self(), await world.bucketWithoutFence()];
  const place = recordsPrefix(cluster);
  const seen = await ownershipOf(bucket, cluster, self.uid);
  const owner = foreignOwner(seen);
  if (owner === undefined) {
    stdout.write(
      seen.state === "ours"
        ? `${place} is already of this cluster (${self.uid}). Nothing to do.\n`
        : `${place} is nobody's. The first backup writes this cluster's UID there; nothing to do.\n`,
    );
    return;
  }
  const question = [
    `${place} is not this cluster's:`,
    `  there: ${owner}`,
    `  this cluster: ${self.uid} (kube-system)`,
    "From now on it would be this cluster's, and the other one would write nothing there any more.",
    "If the other cluster still lives, answer no and give this one a bucket or a name (holdfast.cluster) of its own.",
  ].join("\n");
  await confirmByName(cli.context, question, cluster);
  await takeOver(bucket, { cluster, seen }, self, clock.now());
  stdout.write(
    `${place} is this cluster's now (${self.uid}). The earlier owner stays in the history of cluster.json.\n`,
  );
};
