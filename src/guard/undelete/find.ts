/**
 * Finds what was deleted: in the cluster, in the inventories, on the NAS; and says of each volume what of it remains.
 * Pure. Facts: argocd-and-deletion §2.3.
 */
import { mapVolumes } from "../../inventory/datasets/volume-map.ts";
import type { NasView } from "../../inventory/datasets/answer.ts";
import type { Claim, Namespace, PersistentVolume } from "../../inventory/raw.ts";
import { madeByAnnotation } from "../../restore/zfs/steps.ts";
import type { Dataset } from "../../systems/nas/port.ts";
import { keyOf } from "../../systems/kubernetes/object-key.ts";
import type { DeletedVolume, NamespaceMeta, Remains, VolumeRecord } from "./deleted.ts";
import { exportOf, needsExport } from "./exported.ts";

export interface DeletionTraces {
  readonly namespaces: readonly Namespace[];
  readonly claims: readonly Claim[];
  readonly persistentVolumes: readonly PersistentVolume[];
  /** By claim, newest first. */
  readonly records: ReadonlyMap<string, readonly VolumeRecord[]>;
  /** "not asked": it was not needed so far. "silent": it does not answer. "none": there is no NAS. */
  readonly nas: NasView | "not asked" | "silent" | "none";
}

/** Ordered by name. A volume whose claim is bound to the PV that it always had is not among them. */
export const findDeleted = (traces: DeletionTraces): readonly DeletedVolume[] => {
  const index = new Index(traces);
  const keys = new Set([
    ...traces.claims.map(keyOf),
    ...traces.persistentVolumes.flatMap((pv) => keyOfPv(pv) ?? []),
    ...traces.records.keys(),
  ]);
  return [...keys].toSorted().flatMap((key) => index.deleted(key) ?? []);
};

/** True when what was found so far cannot be told for certain without the NAS. */
export const wantsNas = ({ remains, pv, isPvThere }: DeletedVolume): boolean => {
  if (remains === "dataset" || remains === "copy") return true;
  // A driver that was told to delete may have begun with the share, or be through.
  const isKept = pv?.spec.persistentVolumeReclaimPolicy === "Retain";
  return remains === "pv" && (!isKept || !isPvThere || phaseOf(pv) === "Failed");
};

const phaseOf = (pv: PersistentVolume | undefined): string | undefined =>
  (pv as { readonly status?: { readonly phase?: string } } | undefined)?.status?.phase;

const keyOfPv = ({ spec: { claimRef } }: PersistentVolume): string | undefined =>
  claimRef?.name === undefined ? undefined : `${claimRef.namespace ?? ""}/${claimRef.name}`;

const made = ({ metadata }: PersistentVolume): number => Date.parse(metadata.creationTimestamp ?? "") || 0;
const newestFirst = (pvs: readonly PersistentVolume[]): readonly PersistentVolume[] =>
  pvs.toSorted((a, b) => made(b) - made(a));

const byClaim = (pvs: readonly PersistentVolume[]): ReadonlyMap<string, readonly PersistentVolume[]> => {
  const result = new Map<string, PersistentVolume[]>();
  for (const pv of pvs) {
    const key = keyOfPv(pv);
    if (key !== undefined) result.set(key, [...(result.get(key) ?? []), pv]);
  }
  return result;
};

interface Place {
  readonly namespace: string;
  readonly claim: string;
}

class Index {
  readonly #traces: DeletionTraces;
  readonly #claims: ReadonlyMap<string, Claim>;
  readonly #pvs: ReadonlyMap<string, PersistentVolume>;
  readonly #pvsByClaim: ReadonlyMap<string, readonly PersistentVolume[]>;
  readonly #namespaces: ReadonlyMap<string, Namespace>;
  readonly #view: NasView | undefined;
  /** Names of the PVs that point at a dataset. */
  readonly #pointedAt: ReadonlyMap<string, readonly string[]>;

  constructor(traces: DeletionTraces) {
    const { claims, persistentVolumes, namespaces, nas } = traces;
    this.#traces = traces;
    this.#claims = new Map(claims.map((claim) => [keyOf(claim), claim]));
    this.#pvs = new Map(persistentVolumes.map((pv) => [pv.metadata.name, pv]));
    this.#pvsByClaim = byClaim(persistentVolumes);
    this.#namespaces = new Map(namespaces.map((namespace) => [namespace.metadata.name, namespace]));
    this.#view = typeof nas === "string" ? undefined : nas;
    this.#pointedAt = this.#view === undefined ? new Map() : mapVolumes(persistentVolumes, this.#view).pointedAt;
  }

  deleted(key: string): DeletedVolume | undefined {
    const [namespace = "", name = ""] = key.split("/");
    const place = { namespace, claim: name };
    const live = this.#claims.get(key);
    if (live !== undefined && this.#isGoing(live, namespace)) return this.#terminating(place, live);
    return live === undefined ? this.#gone(place, key) : this.#replaced(place, key, live);
  }

  /** What is in a namespace that is being deleted goes with it, also when nobody has come to delete it yet. */
  #isGoing({ metadata }: Claim, namespace: string): boolean {
    return metadata.deletionTimestamp !== undefined || this.#namespace(namespace).namespaceIs === "terminating";
  }

  /** A claim that never had a volume has nothing to come back to. */
  #terminating(place: Place, live: Claim): DeletedVolume | undefined {
    const pv = this.#pvs.get(live.spec.volumeName ?? "");
    return pv === undefined ? undefined : this.#volume(place, { remains: "claim", object: live, from: "cluster", pv });
  }

  /** Of several volumes that it had, the last one that has its bytes still. */
  #gone(place: Place, key: string): DeletedVolume | undefined {
    const records = this.#traces.records.get(key) ?? [];
    const released = newestFirst(this.#pvsByClaim.get(key) ?? []);
    const isLast = ({ metadata }: PersistentVolume): boolean => metadata.uid === records[0]?.pv.metadata.uid;
    const pvs = [...released.filter(isLast), ...released.filter((pv) => !isLast(pv))];
    const found = this.#candidates(place, key, { pvs, records });
    const [last] = found;
    const kept = found.find(({ remains }) => remains !== "copy") ?? last;
    if (kept === undefined || kept === last) return kept;
    return { ...kept, lostSince: last?.pv?.metadata.name };
  }

  /** An older volume of that name whose bytes are still there, while the claim has another one now. */
  #replaced(place: Place, key: string, live: Claim): DeletedVolume | undefined {
    const present = this.#pvs.get(live.spec.volumeName ?? "");
    // What a restore has put in its place goes on with it; `holdfast undo` leads back.
    if (present?.metadata.annotations?.[madeByAnnotation] !== undefined) return undefined;
    const isEarlier = (pv: PersistentVolume): boolean =>
      pv.metadata.uid !== present?.metadata.uid && (present === undefined || made(pv) < made(present));
    const found = this.#candidates(place, key, {
      pvs: newestFirst((this.#pvsByClaim.get(key) ?? []).filter(isEarlier)),
      records: (this.#traces.records.get(key) ?? []).filter(
        ({ pv }) => isEarlier(pv) && !this.#pvs.has(pv.metadata.name),
      ),
    });
    // When the bytes are gone, the claim that is there is one to restore into, and no deleted volume.
    const last = found.find(({ remains }) => remains !== "copy");
    return last === undefined ? undefined : { ...last, successor: live };
  }

  /** In their order; records of these PVs say nothing more. */
  #candidates(place: Place, key: string, { pvs, records }: Had): readonly DeletedVolume[] {
    const known = this.#traces.records.get(key);
    const names = new Set(pvs.map(({ metadata }) => metadata.name));
    return [
      ...pvs.map((pv) => this.#fromPv(place, pv, recordOf(known, pv))),
      ...records.filter(({ pv }) => !names.has(pv.metadata.name)).map((record) => this.#fromRecord(place, record)),
    ];
  }

  #fromPv(place: Place, pv: PersistentVolume, record: VolumeRecord | undefined): DeletedVolume {
    const object = record?.claim ?? claimOf(place, pv);
    return this.#volume(place, { remains: "pv", object, from: record === undefined ? "pv" : "inventory", pv, record });
  }

  #fromRecord(place: Place, record: VolumeRecord): DeletedVolume {
    return this.#volume(place, { remains: "dataset", object: record.claim, from: "inventory", pv: record.pv, record });
  }

  #volume(place: Place, about: About): DeletedVolume {
    const { object, from, pv, record } = about;
    const dataset = this.#dataset(pv, record);
    const [remains, unknown] = this.#judged(about, dataset);
    const isLost = remains !== "copy" && this.#lacksExport(pv, dataset);
    const missingExport = isLost ? record?.exported : undefined;
    const unexported =
      isLost && missingExport === undefined
        ? `${dataset?.name} is not exported any more, and no inventory says how it was`
        : undefined;
    return {
      ...place,
      remains,
      object,
      knownFrom: from,
      pv,
      isPvThere: this.#isLive(pv) && this.#pvs.get(pv.metadata.name)?.metadata.deletionTimestamp === undefined,
      dataset,
      missingExport,
      ...this.#namespace(place.namespace),
      successor: undefined,
      lostSince: undefined,
      obstacle: unknown ?? this.#takenBy(place, pv, dataset) ?? unexported,
    };
  }

  #lacksExport(pv: PersistentVolume, dataset: Dataset | undefined): boolean {
    const exports = this.#view?.exports;
    if (dataset === undefined || exports === undefined || !needsExport(pv)) return false;
    return exportOf(pv, dataset, exports) === undefined;
  }

  /** Two claims on the same bytes would destroy them. */
  #takenBy({ namespace, claim }: Place, pv: PersistentVolume, dataset: Dataset | undefined): string | undefined {
    const now = this.#pvs.get(pv.metadata.name);
    const user = now === undefined ? undefined : keyOfPv(now);
    if (user !== undefined && user !== `${namespace}/${claim}`)
      return `PersistentVolume ${pv.metadata.name} belongs to ${user} now`;
    const other = this.#pointedAt.get(dataset?.name ?? "")?.find((name) => name !== pv.metadata.name);
    return other === undefined ? undefined : `PersistentVolume ${other} has its dataset ${dataset?.name} now`;
  }

  #isLive(pv: PersistentVolume): boolean {
    return this.#pvs.get(pv.metadata.name)?.metadata.uid === pv.metadata.uid;
  }

  #dataset(pv: PersistentVolume, record: VolumeRecord | undefined): Dataset | undefined {
    if (this.#view === undefined) return undefined;
    // The GUID is the dataset's own; a name can be taken again.
    const guid = record?.dataset?.guid;
    const known = guid === undefined ? undefined : this.#view.datasets.find((dataset) => dataset.guid === guid);
    if (known !== undefined || guid !== undefined) return known;
    const answer = mapVolumes([pv], this.#view).answers.get(pv.metadata.name);
    return answer !== undefined && "found" in answer ? answer.found : undefined;
  }

  #judged({ remains, pv, record }: About, dataset: Dataset | undefined): readonly [Remains, string | undefined] {
    const { nas } = this.#traces;
    if (remains === "claim") return [remains, undefined];
    if (nas === "silent" && remains === "dataset")
      return [remains, "the NAS does not answer: nobody knows what is left"];
    if (nas === "not asked" || nas === "silent") return [remains, undefined];
    if (dataset !== undefined) return [this.#isLive(pv) ? remains : "dataset", undefined];
    // That a PV's dataset is gone is known only of one that was known.
    return [remains === "pv" && record?.dataset === undefined ? remains : "copy", undefined];
  }

  #namespace(name: string): Pick<DeletedVolume, "namespaceIs" | "namespaceMeta"> {
    const found = this.#namespaces.get(name);
    const { labels = {}, annotations = {} } = found?.metadata ?? {};
    const namespaceMeta: NamespaceMeta = { labels, annotations };
    if (found === undefined) return { namespaceIs: "gone", namespaceMeta };
    return { namespaceIs: found.metadata.deletionTimestamp === undefined ? "there" : "terminating", namespaceMeta };
  }
}

/** Volumes that a claim had: in the cluster, and in the inventories. */
interface Had {
  readonly pvs: readonly PersistentVolume[];
  readonly records: readonly VolumeRecord[];
}

interface About {
  readonly remains: Remains;
  readonly object: Claim;
  readonly from: DeletedVolume["knownFrom"];
  readonly pv: PersistentVolume;
  readonly record?: VolumeRecord | undefined;
}

const recordOf = (
  records: readonly VolumeRecord[] | undefined,
  { metadata }: PersistentVolume,
): VolumeRecord | undefined => records?.find(({ pv }) => pv.metadata.uid === metadata.uid);

/** What a PV says of the claim that it had: all but its labels and annotations. */
const claimOf = ({ namespace, claim }: Place, { spec }: PersistentVolume): Claim => {
  const { accessModes, capacity, storageClassName, volumeMode } = spec as {
    readonly accessModes?: readonly string[];
    readonly capacity?: { readonly storage?: string };
    readonly storageClassName?: string;
    readonly volumeMode?: string;
  };
  const { storage } = capacity ?? {};
  return {
    metadata: { name: claim, namespace },
    spec: {
      ...(accessModes === undefined ? {} : { accessModes }),
      // Without a class the default one would be put in.
      storageClassName: storageClassName ?? "",
      ...(volumeMode === undefined ? {} : { volumeMode }),
      ...(storage === undefined ? {} : { resources: { requests: { storage } } }),
    },
  };
};
