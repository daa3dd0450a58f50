/** The recovery points, for commands that are of use without the bucket too. */
import { readPoints } from "../inventory/points.ts";
import type { PointDetails } from "../model/point.ts";
import { isBucketTrouble } from "./bucket-trouble.ts";
import type { World } from "./world.ts";

/** Newest first; undefined, with a note, when the bucket cannot be read. */
export const pointsIfPossible = async (world: World): Promise<readonly PointDetails[] | undefined> => {
  try {
    return await readPoints(await world.points());
  } catch (error) {
    if (!isBucketTrouble(error)) throw error;
    world.context.stderr.write(`note: nobody knows what copies there are: ${error.what}\n`);
    return undefined;
  }
};
