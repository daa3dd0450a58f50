/** What destroys on TrueNAS. Nothing here ever says "recursive": from 26 that releases holds and takes clones along. */
import { diskOf } from "../export-fit.ts";
import { isBelow } from "../names.ts";
import type { Identity, NasRemover, Rights } from "../port.ts";
import { busy } from "../refusals.ts";
import { checkDatasetName, checkDatasetRemoval, checkSnapshotName, checkSnapshotRemoval } from "../removal.ts";
import type { Api } from "./api.ts";
import { worded } from "./errors.ts";
import { withLookUp } from "./lost-answers.ts";
import { snapshotMethod } from "./methods.ts";
import { isDataset, readClones, readDatasets, readExports, readSnapshot, readSnapshots } from "./reading.ts";
import { type Asker, readRights } from "./rights.ts";

export class TrueNasRemover implements NasRemover {
  readonly #api: Api;
  readonly #asker: Asker;

  /** `api` is this object's own from now on. */
  constructor(api: Api, asker: Asker) {
    this.#api = api;
    this.#asker = asker;
  }

  async destroySnapshot(snapshot: Identity): Promise<void> {
    checkSnapshotName(snapshot.name);
    await worded(`Cannot destroy the snapshot "${snapshot.name}".`, () =>
      withLookUp(
        () => this.#destroySnapshot(snapshot),
        async () => ((await readSnapshot(this.#api, snapshot.name)) === undefined ? true : undefined),
      ),
    );
  }

  async destroyDataset(dataset: Identity, snapshots: readonly Identity[]): Promise<void> {
    checkDatasetName(dataset.name);
    if (!(await this.#mayGo(dataset, snapshots))) return;
    for (const snapshot of snapshots) await this.destroySnapshot(snapshot);
    await worded(`Cannot destroy "${dataset.name}".`, () =>
      withLookUp(
        () => this.#destroyEmpty(dataset),
        async () => ((await isDataset(this.#api, dataset.name)) ? undefined : true),
      ),
    );
  }

  async rights(): Promise<Rights> {
    return await readRights(this.#api, this.#asker, "remover");
  }

  async close(): Promise<void> {
    await this.#api.close();
  }

  /** Looks and destroys, each time anew: between two attempts somebody may have taken the name. */
  async #destroySnapshot(wanted: Identity): Promise<true> {
    const [seen, clones] = await Promise.all([
      readSnapshot(this.#api, wanted.name),
      readClones(this.#api, wanted.name),
    ]);
    if (seen === undefined) return true;
    checkSnapshotRemoval(wanted, { ...seen, clones: clones.get(wanted.name) ?? [] });
    const options = { defer: false, recursive: false };
    await this.#api.change(snapshotMethod(this.#api.version, "delete"), [wanted.name, options]);
    return true;
  }

  /** Whether the dataset is there. Throws when it, or anything of it, must stay. */
  async #mayGo(wanted: Identity, named: readonly Identity[]): Promise<boolean> {
    const [[dataset, ...children], snapshots, clones, exports] = await Promise.all([
      readDatasets(this.#api, wanted.name),
      readSnapshots(this.#api, wanted.name, { recursive: false }),
      readClones(this.#api, wanted.name),
      readExports(this.#api),
    ]);
    if (dataset === undefined) return false;
    checkDatasetRemoval(wanted, named, {
      dataset,
      snapshots: snapshots.map(({ name, guid, createtxg, held }) => ({
        name,
        guid,
        createtxg,
        held,
        clones: clones.get(name) ?? [],
      })),
      children: children.map(({ name }) => name).filter((name) => isBelow(name, wanted.name)),
    });
    const extent = exports.extents.find(({ disk }) => disk === diskOf(wanted.name));
    if (extent !== undefined) throw busy(wanted.name, `the extent "${extent.name}" has its disk`);
    return true;
  }

  async #destroyEmpty(wanted: Identity): Promise<true> {
    if (!(await this.#mayGo(wanted, []))) return true;
    await this.#api.change("pool.dataset.delete", [wanted.name, { recursive: false, force: false }]);
    // 26 answers with success whatever became of it.
    if (!(await isDataset(this.#api, wanted.name))) return true;
    throw busy(wanted.name, "TrueNAS said that it was destroyed, and it is still there");
  }
}
