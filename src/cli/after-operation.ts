/** What follows an operation that has made or removed volumes: the inventory in the bucket tells of it. */
import { Failure } from "../model/failure.ts";
import type { OperationState } from "../operation/state.ts";
import { retiringKinds } from "../guard/retire/kinds.ts";
import { undeletingKinds } from "../guard/undelete/kinds.ts";
import { zfsKinds } from "../restore/zfs/steps.ts";
import { liveNasView, recordInventory } from "./nas-view.ts";
import type { World } from "./world.ts";

const changedTheSet = ({ steps }: OperationState): boolean =>
  steps.some(({ step }) => zfsKinds.has(step.kind) || undeletingKinds.has(step.kind) || retiringKinds.has(step.kind));

/**
 * Writes the inventory when the operation has changed the set of volumes. What keeps it from that is told and no failure of
 * the operation: the next backup writes it.
 */
export const recordChange = async (world: World, state: OperationState): Promise<void> => {
  if (changedTheSet(state)) await recordIfPossible(world);
};

/** Writes the inventory, or tells what keeps it from being written. */
export const recordIfPossible = async (world: World): Promise<void> => {
  try {
    await recordInventory(world, await liveNasView(world));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    world.context.stderr.write(`note: the inventory in the bucket is not up to date: ${error.what}\n`);
  }
};
