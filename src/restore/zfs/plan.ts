/** The plan of a restore from ZFS snapshots: a clone takes the place of each volume's dataset. Pure. */
import { continuesProperty, continuesValue } from "../../inventory/continuations.ts";
import type { Claim, PersistentVolume } from "../../inventory/raw.ts";
import type { Json, Plan, PlannedStep } from "../../model/plan.ts";
import { formatBytes } from "../../model/units.ts";
import { lastingMarks } from "../../guard/letting-go.ts";
import { lineageOf, type Volume, volumeName } from "../../model/volume.ts";
import type { Dataset, Exports, Identity, Snapshot } from "../../systems/nas/port.ts";
import { ownersOf, type Scalable } from "../owners.ts";
import { standstill, type Stop, stopsOf } from "../plan.ts";
import { claimManifest } from "./rebind.ts";
import type { BindInput, CloneInput, ExportInput, VolumeObjectInput } from "./steps.ts";
import { type Successor, successorOf } from "./successor.ts";

export interface ZfsItem {
  /** With the GUID of its dataset. */
  readonly target: Volume;
  readonly claim: Claim;
  readonly pv: PersistentVolume;
  readonly dataset: Dataset;
  readonly snapshot: Snapshot;
}

export interface ZfsInput {
  readonly items: readonly ZfsItem[];
  readonly exports: Exports;
  readonly keepFor: string;
  /** Six lower-case letters and digits: the new names end in it. */
  readonly suffix: string;
  readonly replicasOf: (owner: Scalable) => number | undefined;
}

export interface ZfsPlan {
  readonly stops: readonly Stop[];
  readonly blockers: ReturnType<typeof ownersOf>["unstoppable"];
  readonly plan: Plan;
}

/** Throws NAS_UNSUPPORTED for volumes of drivers whose volumes Holdfast cannot make. */
export const planZfsRestore = (input: ZfsInput): ZfsPlan => {
  const { items, keepFor } = input;
  const owners = ownersOf(items.map(({ target }) => target));
  const stops = stopsOf(owners, input.replicasOf);
  const names = items.map(({ target }) => volumeName(target));
  const snapshots = [...new Set(items.map(({ snapshot }) => snapshot.snapshot))];
  const plan: Plan = {
    version: 1,
    verb: "restore",
    title: `restore ${names.join(", ")} from the ZFS snapshot ${snapshots.join(", ")}`,
    locks: names,
    steps: stepsOf(input, stops),
    undo: {
      kind: "kept",
      text: `The present datasets and PersistentVolumes stay untouched for ${keepFor}: \`holdfast undo\` binds the claims to them again.`,
    },
    warnings: items.flatMap(warningsFor),
  };
  return { stops, blockers: owners.unstoppable, plan };
};

const warningsFor = ({ target, snapshot, dataset }: ZfsItem): readonly string[] => [
  ...(dataset.kind === "volume"
    ? [`${volumeName(target)}: the snapshot of a volume is like a power cut: its file system replays its journal`]
    : []),
  ...(snapshot.referenced === 0 ? [`${volumeName(target)}: the snapshot is empty`] : []),
];

const stepsOf = (input: ZfsInput, stops: readonly Stop[]): readonly PlannedStep[] => {
  const claims = input.items.map(({ target }) => ({ namespace: target.namespace, claim: target.claim }));
  const running = stops.filter(({ replicas }) => replicas > 0);
  // What only needs the NAS comes first: the app stands still for the claims alone.
  const made = input.items.map((item, index) => ({ item, index, successor: successorFor(input, item) }));
  const before = made.flatMap((one) => [cloneStep(one), exportStep(one), volumeStep(one)]);
  const swaps = made.map((one, index) => bindStep(one, index === made.length - 1));
  if (running.length === 0) return [...before, ...swaps];
  const [stop, start] = standstill(running, claims, "its pods hold the claim, which is bound anew");
  return [...before, stop, ...swaps, start];
};

interface Made {
  readonly item: ZfsItem;
  readonly index: number;
  readonly successor: Successor;
}

const successorFor = ({ exports, suffix }: ZfsInput, { target, pv, dataset }: ZfsItem): Successor =>
  successorOf({ volume: volumeName(target), pv, dataset, exports, suffix });

const identityOf = ({ name, guid, createtxg }: Identity) => ({ name, guid, createtxg });

const common = { repeat: "safe", does: "apply" } as const;

const cloneStep = ({ item, index, successor }: Made): PlannedStep => {
  const { target, dataset, snapshot, pv } = item;
  const lineage = lineageOf(target);
  const input: CloneInput = {
    volume: volumeName(target),
    origin: identityOf(dataset),
    snapshot: identityOf(snapshot),
    target: successor.dataset,
    refquota: dataset.refquota ?? null,
    volsize: dataset.volsize ?? null,
    properties: {
      ...successor.properties,
      ...(lineage === undefined ? {} : { [continuesProperty]: continuesValue({ lineage, pv: pv.metadata.name }) }),
    },
    bytes: dataset.used,
  };
  return {
    ...common,
    id: `clone-${index}`,
    kind: "clone-dataset",
    title: `clone ${snapshot.name} as ${successor.dataset}`,
    why: `nothing is copied: ${formatBytes(snapshot.referenced)} are there at once, and ${dataset.name} stays as it is`,
    back: `leave the clone ${successor.dataset} out of use`,
    touches: [`dataset ${successor.dataset}`],
    input,
  };
};

const exportStep = ({ index, successor }: Made): PlannedStep => {
  const { wanted, old, idProperties, dataset } = successor;
  const input: ExportInput = {
    wanted: wanted as unknown as Json,
    old: old as unknown as Json,
    idProperties: { ...idProperties },
  } as ExportInput;
  return {
    ...common,
    id: `export-${index}`,
    kind: "export-dataset",
    title: `export ${dataset} as ${wanted.kind === "nfs" ? "an NFS share" : `the iSCSI target ${wanted.name}`}`,
    why: "with the settings of the present one, so that the same nodes may use it",
    back: `take the export of ${dataset} away`,
    touches: [`exports of ${dataset}`],
    input,
  };
};

const volumeStep = ({ index, successor: { manifest } }: Made): PlannedStep => {
  const input: VolumeObjectInput = { manifest: manifest as unknown as Json } as VolumeObjectInput;
  const { name } = manifest.metadata;
  return {
    ...common,
    id: `volume-${index}`,
    kind: "create-volume",
    title: `make the PersistentVolume ${name}`,
    why: "with the reclaim policy Retain, of the same driver and class",
    back: `take the PersistentVolume ${name} away`,
    touches: [`PersistentVolume ${name}`],
    input,
  };
};

const bindStep = ({ item, index, successor }: Made, isLast: boolean): PlannedStep => {
  const { target, claim, pv } = item;
  const to = successor.manifest.metadata.name;
  const from = pv.metadata.name;
  const input: BindInput = {
    namespace: target.namespace,
    claim: target.claim,
    from: { name: from, uid: pv.metadata.uid ?? "", policy: pv.spec.persistentVolumeReclaimPolicy ?? "Retain" },
    to,
    manifest: claimManifest(claim) as unknown as Json,
    marks: lastingMarks(claim),
  } as BindInput;
  return {
    ...common,
    id: `bind-${index}`,
    kind: "rebind-claim",
    title: `bind ${volumeName(target)} to ${to}`,
    why: `a claim's volume cannot be changed: it is made again, while ${from} keeps its bytes (Retain)`,
    back: `bind ${volumeName(target)} to ${from} again`,
    touches: [`PersistentVolumeClaim ${volumeName(target)}`, `PersistentVolume ${from}`, `PersistentVolume ${to}`],
    ...(isLast ? { decides: true } : {}),
    input,
  };
};
