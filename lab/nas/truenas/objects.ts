/**
 * Datasets and snapshots as they are on the pool, with what zfs-fuse lacks: identities (lab/zfs/identities.ts), and
 * volumes. A volume is a filesystem with a sparse image in it and a property of the lab that holds its size; its
 * snapshots keep the size that it had.
 */
import { isLabProperty, type ZfsIdentity } from "../../zfs/identities.ts";
import { isZfsError } from "../../zfs/zfs-error.ts";
import type { PropertyValue, TreeOptions, ZfsObject } from "../../zfs/zfs.ts";
import type { World } from "./world.ts";

/** A local property that makes a filesystem a volume: its size in bytes. */
export const volsizeProperty = "lab.holdfast:volsize";

type PropertyMap = ReadonlyMap<string, PropertyValue>;

interface Common extends ZfsIdentity {
  readonly name: string;
  readonly pool: string;
  /** All that the NAS would know: the lab's own are left out. */
  readonly properties: PropertyMap;
  /** Of a volume, or of a volume's snapshot; undefined otherwise. */
  readonly volsize: number | undefined;
}

export interface DatasetObject extends Common {
  readonly type: "FILESYSTEM" | "VOLUME";
}

export interface SnapshotObject extends Common {
  readonly dataset: string;
  /** The part after the "@". */
  readonly snapshot: string;
}

export interface Objects {
  /** Parents first. */
  readonly datasets: readonly DatasetObject[];
  /** Of one dataset oldest first. */
  readonly snapshots: readonly SnapshotObject[];
}

const isSnapshot = ({ name }: ZfsObject): boolean => name.includes("@");

const creation = ({ properties }: ZfsObject): number => Number(properties.get("creation")?.value ?? 0);

/** In the order in which they were made, as far as seconds tell: identities count up. */
const byAge = (objects: readonly ZfsObject[]): readonly ZfsObject[] =>
  [...objects].sort((a, b) => creation(a) - creation(b) || Number(isSnapshot(a)) - Number(isSnapshot(b)));

/** Keeps a volume's present size on a snapshot that has just been seen for the first time. */
const keepVolsize = async ({ zfs }: World, { name, properties }: ZfsObject): Promise<void> => {
  const volsize = properties.get(volsizeProperty);
  if (volsize !== undefined && volsize.source !== "local") await zfs.set(name, { [volsizeProperty]: volsize.value });
};

/** Undefined when it has gone meanwhile. */
const identify = async (world: World, object: ZfsObject): Promise<ZfsIdentity | undefined> => {
  const isKnown = [...object.properties].some(([name, { source }]) => isLabProperty(name) && source === "local");
  try {
    const identity = await world.identities.of(object.name, object.properties);
    if (!isKnown && isSnapshot(object)) await keepVolsize(world, object);
    return identity;
  } catch (error) {
    if (isZfsError(error, "missing")) return undefined;
    throw error;
  }
};

const volsizeOf = (object: ZfsObject): number | undefined => {
  const property = object.properties.get(volsizeProperty);
  if (property === undefined || (!isSnapshot(object) && property.source !== "local")) return undefined;
  return Number(property.value);
};

const commonOf = (object: ZfsObject, identity: ZfsIdentity): Common => ({
  ...identity,
  name: object.name,
  pool: object.name.split(/[/@]/)[0] ?? object.name,
  properties: new Map([...object.properties].filter(([name]) => !isLabProperty(name))),
  volsize: volsizeOf(object),
});

const treeOf = async ({ zfs }: World, options: TreeOptions): Promise<readonly ZfsObject[]> => {
  try {
    return await zfs.tree(options);
  } catch (error) {
    if (isZfsError(error, "missing")) return [];
    throw error;
  }
};

/** Everything at and below `under`, or on every pool. Empty when it is not there. */
export const readObjects = async (world: World, options: TreeOptions = {}): Promise<Objects> => {
  const tree = await treeOf(world, options);
  const identities = new Map<string, ZfsIdentity>();
  for (const object of byAge(tree)) {
    const identity = await identify(world, object);
    if (identity !== undefined) identities.set(object.name, identity);
  }
  const datasets: DatasetObject[] = [];
  const snapshots: SnapshotObject[] = [];
  for (const object of tree) {
    const identity = identities.get(object.name);
    if (identity === undefined) continue;
    const common = commonOf(object, identity);
    const [dataset = "", snapshot] = object.name.split("@");
    if (snapshot === undefined)
      datasets.push({ ...common, type: common.volsize === undefined ? "FILESYSTEM" : "VOLUME" });
    else snapshots.push({ ...common, dataset, snapshot });
  }
  return { datasets, snapshots };
};

/** One dataset, or undefined. */
export const readDataset = async (world: World, name: string): Promise<DatasetObject | undefined> =>
  name.includes("@") ? undefined : (await readObjects(world, { under: name, depth: 0 })).datasets[0];

/** One snapshot, or undefined. */
export const readSnapshot = async (world: World, name: string): Promise<SnapshotObject | undefined> =>
  name.includes("@") ? (await readObjects(world, { under: name, depth: 0 })).snapshots[0] : undefined;

/** A dataset's own snapshots, oldest first. */
export const readSnapshotsOf = async (world: World, dataset: string): Promise<readonly SnapshotObject[]> =>
  (await readObjects(world, { under: dataset, depth: 1 })).snapshots.filter((one) => one.dataset === dataset);

/** The datasets that are clones of a snapshot. */
export const clonesOf = (datasets: readonly DatasetObject[], snapshot: string): readonly string[] =>
  datasets.filter(({ properties }) => properties.get("origin")?.value === snapshot).map(({ name }) => name);
