/** Whether what was seen on the NAS may be destroyed: decided alike for every adapter, from what it has just looked at. */
import { isDatasetName, isSnapshotName, parentOf } from "./names.ts";
import type { Identity } from "./port.ts";
import { hasChildren, hasClones, held, invalid, notOurs } from "./refusals.ts";

export interface SeenSnapshot extends Identity {
  readonly held: boolean;
  /** Datasets that are clones of it. */
  readonly clones: readonly string[];
}

export interface SeenDataset {
  readonly dataset: Identity;
  /** All of its own. */
  readonly snapshots: readonly SeenSnapshot[];
  /** Datasets directly or farther below it. */
  readonly children: readonly string[];
}

/** Throws NAS_REFUSED for what can be no snapshot's name, before anybody looks at the NAS. */
export const checkSnapshotName = (name: string): void => {
  if (!isSnapshotName(name)) throw invalid(name, "it is no snapshot's name");
};

/** Throws NAS_REFUSED for what can be no dataset's name, and for a whole pool. */
export const checkDatasetName = (name: string): void => {
  if (!isDatasetName(name)) throw invalid(name, "it is no dataset's name");
  if (parentOf(name) === undefined) throw invalid(name, "it is a whole pool");
};

const checkIdentity = (wanted: Identity, seen: Identity): void => {
  const differences = (["guid", "createtxg"] as const).filter((field) => wanted[field] !== seen[field]);
  if (differences.length === 0 && wanted.name === seen.name) return;
  const texts = differences.map((field) => `its ${field} is ${seen[field]}, not ${wanted[field]}`);
  throw notOurs(wanted.name, texts.join(", and ") || `it is "${seen.name}"`);
};

/** Throws NAS_NOT_OURS, NAS_BUSY or NAS_HAS_CLONES when the snapshot that was seen must stay. */
export const checkSnapshotRemoval = (wanted: Identity, seen: SeenSnapshot): void => {
  checkIdentity(wanted, seen);
  if (seen.held) throw held(seen.name);
  if (seen.clones.length > 0) throw hasClones(seen.name, seen.clones);
};

/**
 * Throws NAS_NOT_OURS, NAS_HAS_CHILDREN, NAS_BUSY or NAS_HAS_CLONES when the dataset that was seen must stay. A snapshot
 * that was named and is gone is no matter: an earlier attempt may have ended between the two.
 */
export const checkDatasetRemoval = (wanted: Identity, named: readonly Identity[], seen: SeenDataset): void => {
  checkIdentity(wanted, seen.dataset);
  const byName = new Map(named.map((snapshot) => [snapshot.name, snapshot]));
  for (const snapshot of seen.snapshots) {
    const meant = byName.get(snapshot.name);
    if (meant === undefined) throw notOurs(wanted.name, `it has the snapshot "${snapshot.name}", which was not named`);
    checkIdentity(meant, snapshot);
  }
  if (seen.children.length > 0) throw hasChildren(wanted.name, seen.children);
  for (const snapshot of seen.snapshots) checkSnapshotRemoval(snapshot, snapshot);
};
