/** The NAS as commands see it, and what it adds to what is known of volumes. */
import type { Config } from "../config/schema.ts";
import { type Continuations } from "../model/lineage.ts";
import { Failure, isFailure } from "../model/failure.ts";
import type { Volume } from "../model/volume.ts";
import { continuationsOf } from "../inventory/continuations.ts";
import type { NasView } from "../inventory/datasets/answer.ts";
import { mapVolumes, withGuids } from "../inventory/datasets/volume-map.ts";
import type { PersistentVolume } from "../inventory/raw.ts";
import { readNasView } from "../inventory/read-nas.ts";
import { persistentVolumesOf, readRecordedKinds } from "../inventory/record/content.ts";
import { type Inventory, inventoriesBackwards, writeInventory } from "../inventory/record/store.ts";
import type { World } from "./world.ts";

/** The section `nas` of holdfast.yaml. Throws NAS_UNSUPPORTED when there is none. */
export const configuredNas = ({ loaded }: Pick<World, "loaded">): NonNullable<Config["nas"]> => {
  const { nas } = loaded.config;
  if (nas !== undefined) return nas;
  throw new Failure("NAS_UNSUPPORTED", {
    what: "holdfast.yaml names no NAS.",
    todo: "Add the section nas to it; docs/set-up.md shows every setting.",
  });
};

/**
 * Undefined where there is no NAS, or it cannot be asked: backups and their verdicts do not depend on it. That it cannot
 * is for `doctor` to tell.
 */
export const liveNasView = async (world: World): Promise<NasView | undefined> => {
  const { nas } = world.loaded.config;
  if (nas === undefined) return undefined;
  try {
    return await readNasView(await world.nas(), nas);
  } catch (error) {
    if (isFailure(error) && (error.code.startsWith("NAS_") || error.code === "SECRET_UNREADABLE")) return undefined;
    throw error;
  }
};

export interface Lineages {
  /** The same volumes, with the GUIDs of those datasets that were found. */
  readonly volumes: readonly Volume[];
  readonly continuations: Continuations;
}

/**
 * `pvs` are the cluster's and `live` what the NAS shows (`liveNasView`), each undefined when it does not answer. What they
 * do not say now is taken from the newest inventory that has it (docs/design/lineage.md).
 */
export const lineagesOf = async (
  world: World,
  volumes: readonly Volume[],
  pvs: readonly PersistentVolume[] | undefined,
  live: NasView | undefined,
): Promise<Lineages> => {
  const nothing = { volumes, continuations: new Map() };
  if (world.loaded.config.nas === undefined) return nothing;
  const recorded = live === undefined || pvs === undefined ? await newestWithNas(world) : undefined;
  const view = live ?? recorded?.nas;
  if (view === undefined) return nothing;
  const known = pvs ?? (recorded === undefined ? [] : persistentVolumesOf(recorded));
  return { volumes: withGuids(volumes, mapVolumes(known, view)), continuations: continuationsOf(view.datasets) };
};

const newestWithNas = async (world: World): Promise<Inventory | undefined> => {
  const { bucket, cluster } = await world.points();
  for await (const { inventory } of inventoriesBackwards(bucket, cluster))
    if (inventory.nas !== undefined) return inventory;
  return undefined;
};

/**
 * Writes the inventory when something has changed; `nas` is what `liveNasView` gave. Throws what keeps the cluster from
 * being read and the bucket from being written.
 */
export const recordInventory = async (world: World, nas: NasView | undefined): Promise<void> => {
  const { cluster } = world.loaded.config.holdfast;
  const [{ uid }, kubernetes] = await Promise.all([world.self(), world.kubernetes()]);
  const content = { kubernetes: await readRecordedKinds(kubernetes), nas };
  await writeInventory(await world.bucket(), { cluster, uid }, content, world.context.clock.now());
};
