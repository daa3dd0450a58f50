/** A NAS in memory, true to the port's contract: two credentials on one `MemoryZfs`, which has the hooks that tests need. */
import { diskOf, fittingIscsi, fittingShare, removableOf } from "./export-fit.ts";
import type { NasCall, NasMethod } from "./memory-gate.ts";
import { fullName, type MemoryDataset, type MemorySnapshot, type MemoryZfs } from "./memory-zfs.ts";
import { isBelow, isPropertyName, poolOf } from "./names.ts";
import type {
  Dataset,
  DatasetChange,
  Exports,
  Identity,
  Nas,
  NasDescription,
  NasRemover,
  NewExport,
  NewIscsiExport,
  NewNfsExport,
  NewSnapshot,
  Pool,
  ReplicationTask,
  Rights,
  Snapshot,
  SnapshotTask,
  VolumeExport,
} from "./port.ts";
import { busy, invalid, otherGuid, unsupported } from "./refusals.ts";
import {
  checkDatasetName,
  checkDatasetRemoval,
  checkSnapshotName,
  checkSnapshotRemoval,
  type SeenSnapshot,
} from "./removal.ts";

export interface MemoryNasOptions {
  /** What differs from a TrueNAS of today, which can do everything. */
  readonly description?: Partial<Omit<NasDescription, "can">> & { readonly can?: Partial<NasDescription["can"]> };
  /** What `rights` answers; all that is needed and nothing more, when absent. */
  readonly rights?: Partial<Rights>;
}

const everything: NasDescription["can"] = { rename: true, exclude: true, nfs: true, iscsi: true };

export class MemoryNas implements Nas {
  readonly #zfs: MemoryZfs;
  readonly #description: NasDescription;
  readonly #rights: Rights;

  constructor(zfs: MemoryZfs, { description = {}, rights = {} }: MemoryNasOptions = {}) {
    this.#zfs = zfs;
    this.#description = {
      product: "truenas",
      version: "25.10.1",
      transport: "json-rpc",
      ...description,
      can: { ...everything, ...description.can },
    };
    this.#rights = { user: "holdfast", granted: [], missing: [], excessive: [], ...rights };
  }

  async describe(): Promise<NasDescription> {
    return this.#do("describe", undefined, () => structuredClone(this.#description));
  }

  async pools(): Promise<readonly Pool[]> {
    return this.#do("pools", undefined, () => this.#zfs.pools());
  }

  async dataset(name: string): Promise<Dataset | undefined> {
    return this.#do("dataset", name, () => {
      const found = this.#zfs.find(name);
      return found === undefined ? undefined : this.#seen(found);
    });
  }

  async datasets(under: string): Promise<readonly Dataset[]> {
    return this.#do("datasets", under, () => this.#zfs.below(under).map((dataset) => this.#seen(dataset)));
  }

  async snapshots(dataset: string, options: { readonly recursive?: boolean } = {}): Promise<readonly Snapshot[]> {
    return this.#do("snapshots", dataset, () => {
      const datasets = this.#zfs.below(dataset).filter(({ name }) => options.recursive === true || name === dataset);
      const found = datasets.flatMap(({ snapshots }) => snapshots.map(seenSnapshot));
      return found.toSorted((a, b) => Number(BigInt(a.createtxg) - BigInt(b.createtxg)));
    });
  }

  async createSnapshot(wanted: NewSnapshot): Promise<Snapshot> {
    const { dataset, snapshot, recursive = false, exclude = [] } = wanted;
    return this.#do("createSnapshot", `${dataset}@${snapshot}`, () => {
      if (exclude.length > 0 && !this.#description.can.exclude)
        throw unsupported("This NAS takes recursive snapshots of everything or nothing.", "Name no exceptions.");
      const stray = exclude.find((name) => !isBelow(name, dataset));
      if (stray !== undefined || (exclude.length > 0 && !recursive))
        throw invalid(stray ?? dataset, "only what is below a recursive snapshot's dataset can be left out");
      this.#zfs.dataset(dataset);
      this.#zfs.checkWritable(dataset, true);
      const isLeftOut = (name: string): boolean => exclude.some((one) => name === one || isBelow(name, one));
      const datasets = this.#zfs
        .below(dataset)
        .filter(({ name }) => name === dataset || (recursive && !isLeftOut(name)));
      this.#zfs.takeSnapshots(datasets, snapshot);
      return seenSnapshot(this.#zfs.snapshot(`${dataset}@${snapshot}`));
    });
  }

  async clone(snapshot: Identity, target: string, change: DatasetChange): Promise<Dataset> {
    return this.#do("clone", target, () => {
      const source = this.#zfs.snapshot(snapshot.name);
      if (source.guid !== snapshot.guid) throw otherGuid(snapshot, seenSnapshot(source));
      this.#zfs.checkFree(target);
      if (poolOf(target) !== poolOf(snapshot.name)) throw invalid(target, "it is in another pool than the snapshot");
      this.#zfs.checkWritable(target, true);
      checkChange(source.dataset.kind, target, change);
      const made = this.#zfs.cloneOf(source, target);
      applyChange(made, change);
      return this.#seen(made);
    });
  }

  async change(dataset: string, change: DatasetChange): Promise<Dataset> {
    return this.#do("change", dataset, () => {
      const changed = this.#zfs.dataset(dataset);
      this.#zfs.checkWritable(dataset, true);
      checkChange(changed.kind, dataset, change);
      applyChange(changed, change);
      return this.#seen(changed);
    });
  }

  async promote(dataset: Identity): Promise<void> {
    this.#do("promote", dataset.name, () => {
      const clone = this.#same(dataset);
      this.#zfs.checkWritable(dataset.name, true);
      this.#zfs.promote(clone);
    });
  }

  async rename(dataset: Identity, name: string): Promise<void> {
    this.#do("rename", dataset.name, () => {
      if (!this.#description.can.rename)
        throw unsupported("This NAS cannot rename datasets.", "`zfs rename` on the NAS itself does.");
      const renamed = this.#same(dataset);
      this.#zfs.checkWritable(dataset.name, true);
      this.#zfs.rename(renamed, name);
    });
  }

  async exports(): Promise<Exports> {
    return this.#do("exports", undefined, () => {
      const { nfs, iqnBase, targets, extents, targetExtents } = structuredClone(this.#zfs.network.exports);
      const { can } = this.#description;
      const iscsi = can.iscsi ? { iqnBase, targets, extents, targetExtents } : noIscsi;
      return { nfs: can.nfs ? nfs : [], ...iscsi };
    });
  }

  async createExport(wanted: NewExport): Promise<VolumeExport> {
    return this.#do("createExport", wanted.dataset, () => {
      this.#checkExports(wanted.kind);
      const { kind } = this.#zfs.dataset(wanted.dataset);
      if ((kind === "volume") !== (wanted.kind === "iscsi"))
        throw invalid(wanted.dataset, `a ${kind} has no export over ${wanted.kind}`);
      return wanted.kind === "nfs" ? this.#exportNfs(wanted) : this.#exportIscsi(wanted);
    });
  }

  async removeExport(made: VolumeExport): Promise<void> {
    this.#do("removeExport", made.kind === "nfs" ? made.path : made.name, () => {
      this.#checkExports(made.kind);
      const { network } = this.#zfs;
      const removable = removableOf(network.exports, made);
      const initiators = made.kind === "iscsi" && removable.target !== undefined ? network.sessions(made.name) : [];
      if (made.kind === "iscsi" && initiators.length > 0) throw busy(made.name, `logged in: ${initiators.join(", ")}`);
      for (const part of exportParts) network.remove(part, removable[part]);
    });
  }

  async sessions(target: string): Promise<readonly string[]> {
    return this.#do("sessions", target, () => {
      this.#checkExports("iscsi");
      return this.#zfs.network.sessions(target);
    });
  }

  async snapshotTasks(): Promise<readonly SnapshotTask[]> {
    return this.#do("snapshotTasks", undefined, () => structuredClone(this.#zfs.snapshotTasks));
  }

  async replicationTasks(): Promise<readonly ReplicationTask[]> {
    return this.#do("replicationTasks", undefined, () => structuredClone(this.#zfs.replicationTasks));
  }

  async rights(): Promise<Rights> {
    return this.#do("rights", undefined, () => structuredClone(this.#rights));
  }

  async close(): Promise<void> {
    this.#do("close", undefined, () => undefined);
  }

  #do<T>(method: NasMethod, name: string | undefined, effect: () => T): T {
    const call: NasCall = { by: "nas", method, name };
    return this.#zfs.gate.do(call, effect);
  }

  #checkExports(kind: VolumeExport["kind"]): void {
    if (!this.#description.can[kind])
      throw unsupported(`This NAS knows nothing of exports over ${kind}.`, "Look after them on the NAS itself.");
  }

  /** The dataset that is meant and no other with its name. Throws NAS_MISSING. */
  #same(wanted: Identity): MemoryDataset {
    const found = this.#zfs.dataset(wanted.name);
    if (found.guid !== wanted.guid) throw otherGuid(wanted, found);
    return found;
  }

  #exportNfs({ dataset, like }: NewNfsExport): VolumeExport {
    const { network } = this.#zfs;
    const path = network.mountpointOf(dataset);
    const { settings, comment } = like;
    const share = fittingShare(network.exports, path) ?? network.addShare({ path, comment, settings });
    return { kind: "nfs", share: share.id, path };
  }

  #exportIscsi(wanted: NewIscsiExport): VolumeExport {
    const { network } = this.#zfs;
    const { name, dataset } = wanted;
    const disk = diskOf(dataset);
    const present = fittingIscsi(network.exports, wanted);
    const target = (present.target ?? network.addTarget({ name, groups: wanted.likeTarget.groups })).id;
    const extent = (present.extent ?? network.addExtent({ name, disk, settings: wanted.likeExtent.settings })).id;
    const targetExtent = (present.targetExtent ?? network.addTargetExtent({ target, extent, lun: 0 })).id;
    return { kind: "iscsi", target, extent, targetExtent, name, iqn: `${network.iqnBase}:${name}`, disk };
  }

  #seen(dataset: MemoryDataset): Dataset {
    const { name, guid, createtxg, kind, origin, refquota, volsize, readOnly, created, content } = dataset;
    const free = this.#zfs.free(poolOf(name));
    return {
      name,
      guid,
      createtxg,
      kind,
      mountpoint: kind === "filesystem" ? this.#zfs.network.mountpointOf(name) : undefined,
      origin: origin === undefined ? undefined : fullName(origin),
      used: this.#zfs.below(name).reduce((sum, one) => sum + this.#zfs.ownBytes(one), 0),
      available: refquota === undefined ? free : Math.max(0, Math.min(free, refquota - content.bytes)),
      refquota,
      volsize,
      readOnly,
      created,
      properties: Object.fromEntries(dataset.properties),
    };
  }
}

/** The credential that destroys. */
export class MemoryRemover implements NasRemover {
  readonly #zfs: MemoryZfs;
  readonly #rights: Rights;

  constructor(zfs: MemoryZfs, rights: Partial<Rights> = {}) {
    this.#zfs = zfs;
    this.#rights = { user: "holdfast-remover", granted: [], missing: [], excessive: [], ...rights };
  }

  async destroySnapshot(snapshot: Identity): Promise<void> {
    this.#do("destroySnapshot", snapshot.name, () => {
      checkSnapshotName(snapshot.name);
      const found = this.#zfs.findSnapshot(snapshot.name);
      if (found === undefined) return;
      checkSnapshotRemoval(snapshot, this.#seenBefore(found));
      this.#zfs.checkWritable(snapshot.name, false);
      this.#zfs.destroySnapshot(found);
    });
  }

  async destroyDataset(dataset: Identity, snapshots: readonly Identity[]): Promise<void> {
    this.#do("destroyDataset", dataset.name, () => {
      checkDatasetName(dataset.name);
      const found = this.#zfs.find(dataset.name);
      if (found === undefined) return;
      const [, ...children] = this.#zfs.below(dataset.name).map(({ name }) => name);
      const own = found.snapshots.map((snapshot) => this.#seenBefore(snapshot));
      checkDatasetRemoval(dataset, snapshots, { dataset: found, snapshots: own, children });
      this.#zfs.checkWritable(dataset.name, false);
      this.#zfs.destroyDataset(found);
    });
  }

  async rights(): Promise<Rights> {
    return this.#do("rights", undefined, () => structuredClone(this.#rights));
  }

  async close(): Promise<void> {
    this.#do("close", undefined, () => undefined);
  }

  #seenBefore(snapshot: MemorySnapshot): SeenSnapshot {
    return { ...seenSnapshot(snapshot), clones: this.#zfs.clonesOf(snapshot).map(({ name }) => name) };
  }

  #do<T>(method: NasMethod, name: string | undefined, effect: () => T): T {
    return this.#zfs.gate.do({ by: "remover", method, name }, effect);
  }
}

const exportParts = ["share", "targetExtent", "target", "extent"] as const;

const noIscsi = { iqnBase: undefined, targets: [], extents: [], targetExtents: [] };

const seenSnapshot = (snapshot: MemorySnapshot): Snapshot => {
  const { guid, createtxg, created, content, dataset, holds } = snapshot;
  return {
    name: fullName(snapshot),
    guid,
    createtxg,
    dataset: dataset.name,
    snapshot: snapshot.snapshot,
    created,
    used: content === dataset.content ? 0 : content.bytes,
    referenced: content.bytes,
    held: holds.size > 0,
  };
};

/** Throws NAS_REFUSED for what ZFS does not take. */
const checkChange = (kind: Dataset["kind"], name: string, change: DatasetChange): void => {
  if (change.refquota !== undefined && kind === "volume") throw invalid(name, "a volume has no refquota");
  if (change.volsize !== undefined && kind === "filesystem") throw invalid(name, "a filesystem has no volsize");
  const odd = Object.keys(change.properties ?? {}).find((property) => !isPropertyName(property));
  if (odd !== undefined) throw invalid(odd, "user properties have a colon in their name, and no capitals");
};

const applyChange = (dataset: MemoryDataset, { refquota, volsize, properties = {} }: DatasetChange): void => {
  if (refquota !== undefined) dataset.refquota = refquota === 0 ? undefined : refquota;
  if (volsize !== undefined) dataset.volsize = volsize;
  for (const [name, value] of Object.entries(properties)) {
    if (value === null) dataset.properties.delete(name);
    else dataset.properties.set(name, value);
  }
};
