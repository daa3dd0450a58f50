/**
 * What lies below the configured parents of the NAS and belongs to no volume any more: datasets that no PV points at, and
 * snapshots that CSI drivers made on the way to something else and left behind. Pure; nothing is removed by anybody here.
 */
import type { KubeObject } from "../../systems/kubernetes/port.ts";
import type { Dataset, Snapshot } from "../../systems/nas/port.ts";
import type { NasView } from "../datasets/answer.ts";
import { leafOf } from "../datasets/checks.ts";
import { mapVolumes } from "../datasets/volume-map.ts";
import type { PersistentVolume } from "../raw.ts";
import { datasetOrigin, type PastVolumes } from "./origin.ts";

export interface VolumeSnapshotContent extends KubeObject {
  /** Of a content that somebody made for a snapshot that was already there. */
  readonly spec?: { readonly source?: { readonly snapshotHandle?: string } };
  readonly status?: { readonly snapshotHandle?: string };
}

export interface OrphanInput {
  /** The storage drivers' parent datasets: never orphans themselves. */
  readonly parents: readonly string[];
  readonly view: NasView;
  /** Of everything below the parents. */
  readonly snapshots: readonly Snapshot[];
  /** Every PV of the cluster. */
  readonly pvs: readonly PersistentVolume[];
  readonly snapshotContents: readonly VolumeSnapshotContent[];
  readonly past: PastVolumes;
  /** ms since 1970 */
  readonly now: number;
}

export interface Orphan {
  readonly kind: "dataset" | "clone" | "snapshot";
  readonly name: string;
  readonly guid: string;
  /** What its removal would free, at the least. */
  readonly bytes: number;
  /** ms since 1970 */
  readonly created: number;
  /** Why nothing seems to need it. */
  readonly why: string;
  /** What it probably was. */
  readonly was: string;
  readonly todo: string;
}

/** ms. A driver that is at work has things lying about that will be needed in a moment. */
const graceForDrivers = 3_600_000;

/** Largest first. Cost: PVs × datasets. */
export const findOrphans = (input: OrphanInput): readonly Orphan[] => {
  const old = input.now - graceForDrivers;
  const datasets = orphanDatasets(input).filter(({ created }) => created <= old);
  const gone = new Set(datasets.map(({ name }) => name));
  const snapshots = input.snapshots
    .filter(({ dataset, created }) => created <= old && !gone.has(dataset))
    .flatMap((snapshot) => leakedSnapshot(snapshot, input));
  return [...datasets, ...snapshots].toSorted((a, b) => b.bytes - a.bytes || (a.name < b.name ? -1 : 1));
};

/** GUIDs of the datasets whose past is worth looking up. */
export const orphanGuids = (input: Omit<OrphanInput, "past">): ReadonlySet<string> =>
  new Set(orphanDatasets({ ...input, past: new Map() }).map(({ guid }) => guid));

const orphanDatasets = (input: OrphanInput): readonly Orphan[] => {
  const { parents, view, pvs } = input;
  const { pointedAt } = mapVolumes(pvs, view);
  // A dataset with others below it holds volumes; it is none.
  const holders = new Set(view.datasets.flatMap(({ name }) => ancestorsOf(name)));
  return view.datasets
    .filter(({ name }) => !parents.includes(name) && !holders.has(name) && !pointedAt.has(name))
    .filter((dataset) => !isKnownSnapshot(leafOf(dataset.name), input))
    .map((dataset) => orphanDataset(dataset, input));
};

const ancestorsOf = (name: string): readonly string[] => {
  const parts = name.split("/");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("/"));
};

const orphanDataset = (dataset: Dataset, { view, past }: OrphanInput): Orphan => {
  const { name, guid, used, created, origin, mountpoint } = dataset;
  const isExported =
    view.exports?.nfs.some(({ path }) => path === mountpoint) === true ||
    view.exports?.extents.some(({ disk }) => disk === `zvol/${name}`) === true;
  return {
    kind: origin === undefined ? "dataset" : "clone",
    name,
    guid,
    bytes: used,
    created,
    why: isExported ? "no PV points at it, but it is still exported" : "no PV points at it",
    was: datasetOrigin(dataset, past),
    todo: "Look at what is in it. To have it back, make a PV for it; to free the space, destroy it on the NAS.",
  };
};

/** Names that drivers give to snapshots from which they make a clone or a copy, and whose end they miss at times. */
const stepping: readonly (readonly [pattern: RegExp, was: string])[] = [
  [/^volume-source-for-volume-(.+)$/, "a CSI driver's step to a copy of the volume, "],
  [/^volume-source-for-snapshot-(.+)$/, "democratic-csi's step to the detached snapshot "],
  [/^csi-clone-(.+)-\d+$/, "TrueNAS' CSI driver's step to the clone "],
  [/^csi-restore-for-(.+)$/, "tns-csi's step to the restored volume "],
  [/^csi-detached-temp-(\d+)$/, "tns-csi's step to the detached snapshot of "],
];

const leakedSnapshot = (snapshot: Snapshot, input: OrphanInput): readonly Orphan[] => {
  // What has a clone is needed by it; a clone that nobody needs is listed itself.
  if (input.view.datasets.some(({ origin }) => origin === snapshot.name)) return [];
  const { name, guid, used, created } = snapshot;
  const orphan = { kind: "snapshot" as const, name, guid, bytes: used, created };
  const todo = `\`zfs get clones ${name}\` on the NAS: when it has none, destroy it there.`;
  for (const [pattern, was] of stepping) {
    const [, target] = pattern.exec(snapshot.snapshot) ?? [];
    if (target !== undefined)
      return [{ ...orphan, why: "nothing below the parents is a clone of it", was: was + target, todo }];
  }
  if (csiSnapshot.test(snapshot.snapshot) && !isKnownSnapshot(snapshot.snapshot, input)) {
    const was = `a CSI snapshot of ${leafOf(snapshot.dataset)}`;
    return [{ ...orphan, why: "no VolumeSnapshotContent names it", was, todo }];
  }
  return [];
};

/** As external-snapshotter names them, after the UID of the VolumeSnapshot. */
const csiSnapshot = /^snapshot-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** UIDs are unique, so a handle that has one in it is about it, whatever form a driver gives its handles. */
const isKnownSnapshot = (name: string, { snapshotContents }: Pick<OrphanInput, "snapshotContents">): boolean => {
  const [, uid] = csiSnapshot.exec(name) ?? [];
  return (
    uid !== undefined &&
    snapshotContents.some(
      ({ metadata, spec, status }) =>
        metadata.name === `snapcontent-${uid}` ||
        [status?.snapshotHandle, spec?.source?.snapshotHandle].some((handle) => handle?.includes(name) === true),
    )
  );
};
