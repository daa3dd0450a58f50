/** The port over TrueNAS, whichever transport carries it. */
import type {
  Dataset,
  DatasetChange,
  Exports,
  Identity,
  Nas,
  NasDescription,
  NewExport,
  NewSnapshot,
  Pool,
  ReplicationTask,
  Rights,
  Snapshot,
  SnapshotTask,
  VolumeExport,
} from "../port.ts";
import type { Api } from "./api.ts";
import { changeDataset, clone, createSnapshot, promote, rename } from "./changes.ts";
import { poolOf, replicationTaskOf, snapshotTaskOf } from "./entries.ts";
import { createExport, readSessions, removeExport } from "./exporting.ts";
import { canRename } from "./methods.ts";
import { readDataset, readDatasets, readExports, readSnapshots, table } from "./reading.ts";
import { type Asker, readRights } from "./rights.ts";

export class TrueNas implements Nas {
  readonly #api: Api;
  readonly #asker: Asker;

  /** `api` is this object's own from now on. */
  constructor(api: Api, asker: Asker) {
    this.#api = api;
    this.#asker = asker;
  }

  async describe(): Promise<NasDescription> {
    const { version, transport } = this.#api;
    return {
      product: "truenas",
      version: version.text,
      transport,
      can: { rename: canRename(version), exclude: true, nfs: true, iscsi: true },
    };
  }

  async pools(): Promise<readonly Pool[]> {
    const pools = await table(this.#api, "pool.query");
    return await Promise.all(
      pools.map(async (entry) => {
        const top = await readDataset(this.#api, String(entry["name"]));
        return poolOf(entry, top?.readOnly ?? false);
      }),
    );
  }

  async dataset(name: string): Promise<Dataset | undefined> {
    return await readDataset(this.#api, name);
  }

  async datasets(under: string): Promise<readonly Dataset[]> {
    return await readDatasets(this.#api, under);
  }

  async snapshots(dataset: string, options: { readonly recursive?: boolean } = {}): Promise<readonly Snapshot[]> {
    return await readSnapshots(this.#api, dataset, { recursive: options.recursive ?? false });
  }

  async createSnapshot(wanted: NewSnapshot): Promise<Snapshot> {
    return await createSnapshot(this.#api, wanted);
  }

  async clone(snapshot: Identity, target: string, change: DatasetChange): Promise<Dataset> {
    return await clone(this.#api, snapshot, target, change);
  }

  async change(dataset: string, change: DatasetChange): Promise<Dataset> {
    return await changeDataset(this.#api, dataset, change);
  }

  async promote(dataset: Identity): Promise<void> {
    await promote(this.#api, dataset);
  }

  async rename(dataset: Identity, name: string): Promise<void> {
    await rename(this.#api, dataset, name);
  }

  async exports(): Promise<Exports> {
    return await readExports(this.#api);
  }

  async createExport(wanted: NewExport): Promise<VolumeExport> {
    return await createExport(this.#api, wanted);
  }

  async removeExport(made: VolumeExport): Promise<void> {
    await removeExport(this.#api, made);
  }

  async sessions(target: string): Promise<readonly string[]> {
    return await readSessions(this.#api, target);
  }

  async snapshotTasks(): Promise<readonly SnapshotTask[]> {
    return (await table(this.#api, "pool.snapshottask.query")).map(snapshotTaskOf);
  }

  async replicationTasks(): Promise<readonly ReplicationTask[]> {
    return (await table(this.#api, "replication.query")).map(replicationTaskOf);
  }

  async rights(): Promise<Rights> {
    return await readRights(this.#api, this.#asker, "routine");
  }

  async close(): Promise<void> {
    await this.#api.close();
  }
}
