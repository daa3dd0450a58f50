/**
 * The pools of a NAS in memory: datasets, snapshots, clones, holds, as ZFS keeps them. `MemoryNas` and `MemoryRemover`
 * are two credentials on one of these. A test puts things in place here, and plays everybody else who uses the NAS.
 */
import type { Clock } from "../../context.ts";
import { Failure } from "../../model/failure.ts";
import { MemoryGate } from "./memory-gate.ts";
import { MemoryNetwork } from "./memory-network.ts";
import { isBelow, isDatasetName, isSnapshotName, parentOf, partsOf, poolOf } from "./names.ts";
import type { Identity, Pool, ReplicationTask, SnapshotTask } from "./port.ts";
import { busy, hasChildren, hasClones, held, invalid, missing, taken } from "./refusals.ts";

/** What is in a dataset: tests compare `id`. Never changed in place, so snapshots and clones share it. */
interface Content {
  readonly id: string;
  readonly bytes: number;
}

/** One dataset in the store. */
export interface MemoryDataset {
  name: string;
  readonly guid: string;
  readonly createtxg: string;
  readonly created: number;
  readonly kind: "filesystem" | "volume";
  content: Content;
  origin: MemorySnapshot | undefined;
  refquota: number | undefined;
  volsize: number | undefined;
  readOnly: boolean;
  readonly properties: Map<string, string>;
  snapshots: MemorySnapshot[];
  /** How many have it mounted or open. */
  users: number;
}

/** One snapshot in the store; `dataset` changes when a clone is promoted. */
export interface MemorySnapshot {
  dataset: MemoryDataset;
  readonly snapshot: string;
  readonly guid: string;
  readonly createtxg: string;
  readonly created: number;
  readonly content: Content;
  readonly volsize: number | undefined;
  readonly holds: Set<string>;
}

/** What a test may say of a dataset that somebody has made. */
export interface Seed {
  readonly kind?: "filesystem" | "volume";
  readonly content?: string;
  readonly bytes?: number;
  readonly refquota?: number;
  /** Of a volume; 1 GiB by default. */
  readonly volsize?: number;
  readonly readOnly?: boolean;
  readonly properties?: Readonly<Record<string, string>>;
}

/** How a pool is. */
export interface PoolState {
  /** SUSPENDED refuses every change. */
  readonly health: string;
  readonly readOnly: boolean;
  readonly size: number;
  /** Space that others use, beside the datasets of the store. */
  readonly otherBytes: number;
}

const GiB = 1024 ** 3;

export const fullName = ({ dataset, snapshot }: MemorySnapshot): string => `${dataset.name}@${snapshot}`;

const byName = (a: { readonly name: string }, b: { readonly name: string }): number => {
  const [left, right] = [a.name.split("/"), b.name.split("/")];
  const at = left.findIndex((part, index) => part !== right[index]);
  if (at === -1) return left.length - right.length;
  return (left[at] ?? "") < (right[at] ?? "") ? -1 : 1;
};

export class MemoryZfs {
  /** Faults, and what was asked. */
  readonly gate = new MemoryGate();
  readonly network = new MemoryNetwork();
  readonly snapshotTasks: SnapshotTask[] = [];
  readonly replicationTasks: ReplicationTask[] = [];
  readonly #clock: Pick<Clock, "now">;
  readonly #pools = new Map<string, PoolState>();
  readonly #datasets = new Map<string, MemoryDataset>();
  #txg = 4000n;
  #guids = 0n;

  constructor(clock: Pick<Clock, "now">, pools: readonly string[] = ["tank"]) {
    this.#clock = clock;
    for (const pool of pools) {
      this.#pools.set(pool, { health: "ONLINE", readOnly: false, size: 1000 * GiB, otherBytes: 0 });
      this.#put(pool, {});
    }
  }

  // Hooks for tests: everything that somebody else does, without rights and faults.

  /** Makes a dataset, and those above it that are not there. Throws NAS_EXISTS. */
  create(name: string, seed: Seed = {}): Identity {
    const parent = parentOf(name);
    if (parent !== undefined && !this.#datasets.has(parent)) this.create(parent);
    this.checkFree(name);
    return this.#put(name, seed);
  }

  /** What is in a dataset or a snapshot. */
  content(name: string): string {
    return (name.includes("@") ? this.snapshot(name) : this.dataset(name)).content.id;
  }

  /** Changes what is in a dataset; its snapshots and clones keep theirs. */
  write(name: string, id: string, bytes = 0): void {
    this.dataset(name).content = { id, bytes };
  }

  hold(snapshot: string, tag = "somebody"): void {
    this.snapshot(snapshot).holds.add(tag);
  }

  release(snapshot: string, tag = "somebody"): void {
    this.snapshot(snapshot).holds.delete(tag);
  }

  /** Somebody has it mounted or open until the function that this gives is called. */
  use(dataset: string): () => void {
    const used = this.dataset(dataset);
    used.users += 1;
    return () => void (used.users -= 1);
  }

  setPool(pool: string, state: Partial<PoolState>): void {
    this.#pools.set(pool, { ...this.#pool(pool), ...state });
  }

  // What the two credentials do.

  pools(): readonly Pool[] {
    return [...this.#pools].map(([name, { health, readOnly, size }]) => {
      return { name, health, readOnly, size, free: this.free(name) };
    });
  }

  free(pool: string): number {
    const { size, otherBytes } = this.#pool(pool);
    const used = this.below(pool).reduce((sum, dataset) => sum + this.ownBytes(dataset), 0);
    return Math.max(0, size - otherBytes - used);
  }

  /** Bytes of a dataset and its snapshots that its origin does not have. */
  ownBytes(dataset: MemoryDataset): number {
    const contents = new Set([dataset.content, ...dataset.snapshots.map(({ content }) => content)]);
    if (dataset.origin !== undefined) contents.delete(dataset.origin.content);
    return [...contents].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  find(name: string): MemoryDataset | undefined {
    return this.#datasets.get(name);
  }

  /** Throws NAS_MISSING. */
  dataset(name: string): MemoryDataset {
    const dataset = this.#datasets.get(name);
    if (dataset === undefined) throw missing(name);
    return dataset;
  }

  findSnapshot(name: string): MemorySnapshot | undefined {
    const parts = partsOf(name);
    return this.#datasets.get(parts.dataset)?.snapshots.find(({ snapshot }) => snapshot === parts.snapshot);
  }

  /** Throws NAS_MISSING. */
  snapshot(name: string): MemorySnapshot {
    const snapshot = this.findSnapshot(name);
    if (snapshot === undefined) throw missing(name);
    return snapshot;
  }

  /** The dataset and everything below it, parents first. */
  below(name: string): readonly MemoryDataset[] {
    return [...this.#datasets.values()].filter((one) => one.name === name || isBelow(one.name, name)).sort(byName);
  }

  clonesOf(snapshot: MemorySnapshot): readonly MemoryDataset[] {
    return [...this.#datasets.values()].filter(({ origin }) => origin === snapshot);
  }

  /** Throws NAS_READ_ONLY, and NAS_FULL when the change needs space. */
  checkWritable(name: string, needsSpace: boolean): void {
    const pool = poolOf(name);
    const { health, readOnly } = this.#pool(pool);
    if (readOnly || health === "SUSPENDED")
      throw new Failure("NAS_READ_ONLY", {
        what: `The pool "${pool}" cannot be written.`,
        why: readOnly ? "it is imported read-only" : "its I/O is suspended",
      });
    if (needsSpace && this.free(pool) === 0)
      throw new Failure("NAS_FULL", { what: `The pool "${pool}" is full.`, why: "out of space" });
  }

  /** Throws NAS_EXISTS for a name that is taken, NAS_REFUSED for one that no dataset can have, NAS_MISSING without its parent. */
  checkFree(name: string): void {
    if (!isDatasetName(name)) throw invalid(name, "invalid dataset name");
    if (this.#datasets.has(name)) throw taken(name);
    const parent = parentOf(name);
    if (parent === undefined || !this.#datasets.has(parent)) throw missing(parent ?? name, "it would be its parent");
  }

  /** All in one transaction, or none. Throws NAS_EXISTS, NAS_REFUSED. */
  takeSnapshots(datasets: readonly MemoryDataset[], snapshot: string): void {
    for (const { name } of datasets) {
      const wanted = `${name}@${snapshot}`;
      if (!isSnapshotName(wanted)) throw invalid(wanted, "invalid snapshot name");
      if (this.findSnapshot(wanted) !== undefined) throw taken(wanted);
    }
    const { createtxg, created } = this.#moment();
    for (const dataset of datasets) {
      const { content, volsize } = dataset;
      const holds = new Set<string>();
      const guid = this.#guid();
      dataset.snapshots.push({ dataset, snapshot, guid, createtxg, created, content, volsize, holds });
    }
  }

  cloneOf(snapshot: MemorySnapshot, target: string): MemoryDataset {
    const { kind } = snapshot.dataset;
    const volume = snapshot.volsize === undefined ? {} : { volsize: snapshot.volsize };
    const made = this.#put(target, { kind, ...volume });
    made.content = snapshot.content;
    made.origin = snapshot;
    return made;
  }

  /** The origin snapshot and all earlier ones become those of the clone, and their old dataset a clone of it. */
  promote(clone: MemoryDataset): void {
    const { origin } = clone;
    if (origin === undefined) return;
    const parent = origin.dataset;
    const moving = parent.snapshots.filter(({ createtxg }) => BigInt(createtxg) <= BigInt(origin.createtxg));
    const clash = moving.find(({ snapshot }) => clone.snapshots.some((own) => own.snapshot === snapshot));
    if (clash !== undefined) throw taken(`${clone.name}@${clash.snapshot}`, "both the clone and its origin have one");
    parent.snapshots = parent.snapshots.filter((snapshot) => !moving.includes(snapshot));
    clone.snapshots = [...moving, ...clone.snapshots];
    for (const snapshot of moving) snapshot.dataset = clone;
    clone.origin = parent.origin;
    parent.origin = origin;
  }

  /** Everything below it comes along. Throws what `checkFree` throws, and NAS_BUSY. */
  rename(dataset: MemoryDataset, name: string): void {
    this.checkFree(name);
    if (poolOf(name) !== poolOf(dataset.name)) throw invalid(name, "it is in another pool");
    if (isBelow(name, dataset.name)) throw invalid(name, "it is below the dataset itself");
    const from = dataset.name;
    const moving = this.below(from);
    const used = moving.find(({ users }) => users > 0);
    if (used !== undefined) throw busy(used.name, "dataset is busy");
    for (const one of moving) {
      this.#datasets.delete(one.name);
      one.name = `${name}${one.name.slice(from.length)}`;
      this.#datasets.set(one.name, one);
    }
  }

  /** One snapshot. Throws NAS_BUSY, NAS_HAS_CLONES. */
  destroySnapshot(snapshot: MemorySnapshot): void {
    if (snapshot.holds.size > 0) throw held(fullName(snapshot));
    const clones = this.clonesOf(snapshot);
    if (clones.length > 0)
      throw hasClones(
        fullName(snapshot),
        clones.map(({ name }) => name),
      );
    snapshot.dataset.snapshots = snapshot.dataset.snapshots.filter((one) => one !== snapshot);
  }

  /** One dataset with all its snapshots, or nothing. Throws NAS_BUSY, NAS_HAS_CLONES, NAS_HAS_CHILDREN. */
  destroyDataset(dataset: MemoryDataset): void {
    const children = this.below(dataset.name).slice(1);
    if (children.length > 0)
      throw hasChildren(
        dataset.name,
        children.map(({ name }) => name),
      );
    if (dataset.users > 0) throw busy(dataset.name, "dataset is busy");
    if (this.network.isServed(dataset.name)) throw busy(dataset.name, "an iSCSI extent has its disk open");
    const { snapshots } = dataset;
    try {
      for (const snapshot of snapshots) this.destroySnapshot(snapshot);
    } catch (error) {
      dataset.snapshots = snapshots;
      throw error;
    }
    this.#datasets.delete(dataset.name);
    this.network.forget(dataset.name);
  }

  #pool(name: string): PoolState {
    const pool = this.#pools.get(name);
    if (pool === undefined) throw missing(name);
    return pool;
  }

  #put(name: string, seed: Seed): MemoryDataset {
    const { kind = "filesystem", content = "", bytes = 0, refquota, readOnly = false, properties = {} } = seed;
    const dataset: MemoryDataset = {
      name,
      guid: this.#guid(),
      ...this.#moment(),
      kind,
      content: { id: content, bytes },
      origin: undefined,
      refquota,
      volsize: kind === "volume" ? (seed.volsize ?? GiB) : undefined,
      readOnly,
      properties: new Map(Object.entries(properties)),
      snapshots: [],
      users: 0,
    };
    this.#datasets.set(name, dataset);
    return dataset;
  }

  /** Whole seconds, as ZFS stamps. */
  #moment(): { readonly createtxg: string; readonly created: number } {
    this.#txg += 1n;
    return { createtxg: String(this.#txg), created: Math.floor(this.#clock.now() / 1000) * 1000 };
  }

  /** Spread over 64 bits: nobody may take them for numbers. */
  #guid(): string {
    this.#guids += 1n;
    return BigInt.asUintN(64, this.#guids * 0xd1342543de82ef95n + 0x2545f491n).toString();
  }
}
