/** Looks for deleted volumes where they may be found: in the cluster first, then in the bucket, then on the NAS. */
import { findDeleted, wantsNas, type DeletionTraces } from "../guard/undelete/find.ts";
import type { DeletedVolume, VolumeRecord } from "../guard/undelete/deleted.ts";
import { readRecords } from "../guard/undelete/records.ts";
import type { ClusterObjects } from "../inventory/volumes.ts";
import { Failure, isFailure } from "../model/failure.ts";
import { volumeName } from "../model/volume.ts";
import { resolveName } from "../restore/scope.ts";
import { keyOf } from "../systems/kubernetes/object-key.ts";
import { isBucketTrouble } from "./bucket-trouble.ts";
import { liveNasView } from "./nas-view.ts";
import type { World } from "./world.ts";

type Records = DeletionTraces["records"];
const none: Records = new Map();

/**
 * The deleted volumes that `references` mean; without any, all of them. What the cluster alone shows for certain is not
 * looked for elsewhere. Throws VOLUME_UNKNOWN and its like.
 */
export const findDeletions = async (
  world: World,
  objects: ClusterObjects,
  references: readonly string[],
): Promise<readonly DeletedVolume[]> => {
  const { claims } = objects;
  const inCluster = chosen(findDeleted({ ...objects, records: none, nas: "not asked" }), references, claims);
  const isEnough =
    inCluster.length === new Set(references).size && inCluster.every(({ remains }) => remains === "claim");
  if (references.length > 0 && isEnough) return inCluster;
  const near = await recordsFor(world, references);
  const last = await findKnown(world, { objects, references, records: near });
  if (isAll(last, references)) return last.found;
  // Inventories older than the last one that has it may know of an earlier volume that still has its bytes.
  const known = hasAll(near, references)
    ? await findKnown(world, { objects, references, records: await recordsFor(world, []) })
    : last;
  demandAll(known, references, claims);
  return known.found;
};

interface Search {
  readonly objects: ClusterObjects;
  readonly references: readonly string[];
  readonly records: Records;
}

interface Known {
  readonly found: readonly DeletedVolume[];
  /** Names that an inventory has. */
  readonly recorded: readonly string[];
}

/** The NAS is asked only when it matters. */
const findKnown = async (world: World, { objects, references, records }: Search): Promise<Known> => {
  const look = (nas: DeletionTraces["nas"]): readonly DeletedVolume[] =>
    chosen(findDeleted({ ...objects, records, nas }), references, objects.claims);
  const known = look("not asked");
  return { found: known.some(wantsNas) ? look(await nasOf(world)) : known, recorded: [...records.keys()] };
};

/** Whether everything that was asked for is found, with its bytes. */
const isAll = ({ found }: Known, references: readonly string[]): boolean =>
  references.length === 0 ||
  (found.length === new Set(references).size && found.every(({ remains }) => remains !== "copy"));

/** A reference that is not found here may be found elsewhere. */
const chosen = (
  found: readonly DeletedVolume[],
  references: readonly string[],
  claims: ClusterObjects["claims"],
): readonly DeletedVolume[] => {
  // Claims that GitOps has made again are replaced only on demand.
  if (references.length === 0) return found.filter(({ successor }) => successor === undefined);
  const names = [...new Set([...found.map(volumeName), ...claims.map(keyOf)])];
  const wanted = new Set(references.flatMap((reference) => nameIfKnown(reference, names) ?? []));
  return found.filter((deleted) => wanted.has(volumeName(deleted)));
};

const nameIfKnown = (reference: string, names: readonly string[]): string | undefined => {
  try {
    return resolveName(reference, names);
  } catch (error) {
    if (isFailure(error, "VOLUME_UNKNOWN", "NAMESPACE_UNKNOWN")) return undefined;
    throw error;
  }
};

const demandAll = (
  { found, recorded }: Known,
  references: readonly string[],
  claims: ClusterObjects["claims"],
): void => {
  const names = [...new Set([...found.map(volumeName), ...claims.map(keyOf), ...recorded])];
  const present = new Set(found.map(volumeName));
  for (const reference of references) {
    const name = resolveName(reference, names);
    if (!present.has(name))
      throw new Failure("NOT_DELETED", {
        what: `${name} is not deleted: its claim is there, and nothing is left of an earlier volume of it.`,
        todo: `To have older files of it, \`holdfast restore ${name}\`.`,
      });
  }
};

/** What was deleted comes back without a bucket too, as long as the cluster or the NAS has it. */
const recordsFor = async (world: World, references: readonly string[]): Promise<Records> => {
  try {
    const { bucket, cluster } = await world.points();
    return await readRecords(bucket, cluster, (found) => hasAll(found, references));
  } catch (error) {
    if (!isBucketTrouble(error)) throw error;
    world.context.stderr.write(`note: without the inventories in the bucket less is known: ${error.what}\n`);
    return none;
  }
};

const hasAll = (found: ReadonlyMap<string, readonly VolumeRecord[]>, references: readonly string[]): boolean =>
  references.length > 0 && references.every((reference) => nameIfKnown(reference, [...found.keys()]) !== undefined);

const nasOf = async (world: World): Promise<DeletionTraces["nas"]> =>
  world.loaded.config.nas === undefined ? "none" : ((await liveNasView(world)) ?? "silent");
