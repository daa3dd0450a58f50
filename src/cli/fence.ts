/** What commands say and do about a bucket that belongs to another cluster. */
import { ownershipOf, refuseForeign } from "../inventory/identity.ts";
import { type Failure, isFailure } from "../model/failure.ts";
import { cannotAsk } from "./survey.ts";
import type { World } from "./world.ts";

/** Throws FENCED before anything is begun whose end could not be written down. */
export const requireOwnBucket = async (world: World): Promise<void> => {
  const { cluster } = world.loaded.config.holdfast;
  const { uid } = await world.self();
  refuseForeign(await ownershipOf(await world.bucket(), cluster, uid), cluster, uid);
};

/** The FENCED failure, to be shown by what only looks; undefined when there is none, or the cluster cannot be asked. */
export const fenceOf = async (world: World): Promise<Failure | undefined> => {
  try {
    await requireOwnBucket(world);
    return undefined;
  } catch (error) {
    if (isFailure(error, "FENCED")) return error;
    if (cannotAsk(error)) return undefined;
    throw error;
  }
};
