/** The plan that frees volumes of the trash for good, and what forbids it. Pure. */
import type { NasView } from "../../inventory/datasets/answer.ts";
import { mapVolumes } from "../../inventory/datasets/volume-map.ts";
import type { PersistentVolume } from "../../inventory/raw.ts";
import { Failure } from "../../model/failure.ts";
import type { Plan, PlannedStep } from "../../model/plan.ts";
import { formatBytes } from "../../model/units.ts";
import type { FreeInput } from "./steps/free-volume.ts";
import type { TrashItem } from "./trash.ts";

export interface EmptyWorld {
  /** Every PV of the cluster. */
  readonly persistentVolumes: readonly PersistentVolume[];
  /** Names of the CSI drivers that are registered on a node. */
  readonly drivers: ReadonlySet<string>;
  /** Undefined where holdfast.yaml names no NAS. */
  readonly nas: NasView | undefined;
  /** Whether a verified copy is left. */
  readonly hasCopy: (item: TrashItem) => boolean;
}

interface Known extends EmptyWorld {
  /** By dataset: the names of the PVs on it. */
  readonly pointedAt: ReadonlyMap<string, readonly string[]> | undefined;
}

const provisionedKey = "pv.kubernetes.io/provisioned-by";

/** Why no driver would delete it; undefined when one does. */
const withoutDriver = ({ spec, metadata }: PersistentVolume, drivers: ReadonlySet<string>): string | undefined => {
  const driver = spec.csi?.driver;
  if (driver === undefined) return `no CSI driver has made PersistentVolume ${metadata.name}: nobody deletes its bytes`;
  if (metadata.annotations?.[provisionedKey] !== driver)
    return `PersistentVolume ${metadata.name} was made by hand: ${driver} does not delete its bytes`;
  return drivers.has(driver) ? undefined : `its CSI driver ${driver} runs on no node of this cluster`;
};

/** Others who live on the same bytes. */
const sharedBy = ({ pv, dataset }: TrashItem, { nas, pointedAt }: Known): string | undefined => {
  if (dataset === undefined || nas === undefined) return undefined;
  const other = pointedAt?.get(dataset.name)?.find((name) => name !== pv.metadata.name);
  if (other !== undefined) return `PersistentVolume ${other} is on its dataset ${dataset.name} too`;
  const clone = nas.datasets.find(({ origin }) => origin?.startsWith(`${dataset.name}@`) === true);
  return clone === undefined ? undefined : `${clone.name} is a clone of its dataset ${dataset.name}`;
};

const hindranceOf = (item: TrashItem, world: Known): string | undefined => {
  if (item.claim !== undefined) return "its claim is still there, and waits for your commit";
  return withoutDriver(item.pv, world.drivers) ?? sharedBy(item, world);
};

const refusal = (item: TrashItem, why: string, todo?: string): Failure =>
  new Failure("TRASH_KEPT", {
    what: `${item.volume} (PersistentVolume ${item.pv.metadata.name}) cannot be freed.`,
    why,
    ...(todo === undefined ? {} : { todo }),
  });

/** Throws TRASH_KEPT for the first that no driver frees, that others live on, or of which no verified copy is left. Cost: PVs × datasets. */
export const planEmpty = (
  items: readonly TrashItem[],
  world: EmptyWorld,
  { withoutCopy }: { readonly withoutCopy: boolean },
): Plan => {
  const { persistentVolumes, nas } = world;
  const pointedAt = nas === undefined ? undefined : mapVolumes(persistentVolumes, nas).pointedAt;
  for (const item of items) {
    const why = hindranceOf(item, { ...world, pointedAt });
    if (why !== undefined) throw refusal(item, why);
    if (!withoutCopy && !world.hasCopy(item))
      throw refusal(
        item,
        "no verified copy of it is left",
        `\`holdfast trash restore ${item.volume}\` and \`holdfast backup --wait\` make one; with --no-copy its bytes go all the same.`,
      );
  }
  const names = [...new Set(items.map(({ volume }) => volume))];
  return {
    version: 1,
    verb: "empty-trash",
    title: `frees ${names.join(", ")}`,
    locks: names,
    steps: items.map(freeStep),
    undo: { kind: "none", text: "NO UNDO: what is freed is gone, with its snapshots; what is left of it are copies." },
    warnings: items.flatMap((item) => [
      ...(world.hasCopy(item) ? [] : [`no verified copy of ${item.volume} is left: its data is lost for good`]),
      ...(item.dataset === undefined
        ? [
            `which dataset is behind ${item.pv.metadata.name} is not known: only the end of the PersistentVolume is waited for`,
          ]
        : []),
    ]),
  };
};

const freeStep = ({ pv, volume, dataset, bytes }: TrashItem, index: number): PlannedStep => {
  const { name, uid = "" } = pv.metadata;
  const size = bytes === undefined ? "" : `, ${formatBytes(bytes)}`;
  const input: FreeInput = {
    pv: name,
    uid,
    dataset: dataset === undefined ? null : { name: dataset.name, guid: dataset.guid },
  };
  return {
    id: `free-${index}`,
    kind: "free-volume",
    title: `let ${pv.spec.csi?.driver} delete PersistentVolume ${name}, which was ${volume}${size}`,
    why: "nothing else frees what was retired",
    back: `keep what is left of PersistentVolume ${name}`,
    touches: [`PersistentVolume ${name}`, ...(dataset === undefined ? [] : [`dataset ${dataset.name}`])],
    repeat: "safe",
    does: "apply",
    // What one step has freed is no reason to go back over nothing.
    decides: true,
    input,
  };
};
