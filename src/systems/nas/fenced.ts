/** The NAS for a process that works under a lock: nothing is changed without it. Reading goes on. */
import type { Nas, NasRemover } from "./port.ts";

type Asynchronous<A extends readonly unknown[], R> = (...args: A) => Promise<R>;

const under =
  (demand: () => void) =>
  <A extends readonly unknown[], R>(change: Asynchronous<A, R>): Asynchronous<A, R> =>
  async (...args) => {
    demand();
    return await change(...args);
  };

/** `demand` throws when the lock is not certainly held. */
export const fencedNas = (inner: Nas, demand: () => void): Nas => {
  const held = under(demand);
  return {
    describe: () => inner.describe(),
    pools: () => inner.pools(),
    dataset: (name) => inner.dataset(name),
    datasets: (below) => inner.datasets(below),
    snapshots: (dataset, options) => inner.snapshots(dataset, options),
    createSnapshot: held((wanted) => inner.createSnapshot(wanted)),
    clone: held((snapshot, target, change) => inner.clone(snapshot, target, change)),
    change: held((dataset, change) => inner.change(dataset, change)),
    promote: held((dataset) => inner.promote(dataset)),
    rename: held((dataset, name) => inner.rename(dataset, name)),
    exports: () => inner.exports(),
    createExport: held((wanted) => inner.createExport(wanted)),
    removeExport: held((made) => inner.removeExport(made)),
    sessions: (target) => inner.sessions(target),
    snapshotTasks: () => inner.snapshotTasks(),
    replicationTasks: () => inner.replicationTasks(),
    rights: () => inner.rights(),
    close: () => inner.close(),
  };
};

/** The same for what destroys. */
export const fencedRemover = (inner: NasRemover, demand: () => void): NasRemover => {
  const held = under(demand);
  return {
    destroySnapshot: held((snapshot) => inner.destroySnapshot(snapshot)),
    destroyDataset: held((dataset, snapshots) => inner.destroyDataset(dataset, snapshots)),
    rights: () => inner.rights(),
    close: () => inner.close(),
  };
};
