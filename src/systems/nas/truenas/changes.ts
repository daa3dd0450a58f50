/** What changes datasets and snapshots. Each change can be looked up when its answer is lost. */
import { isBelow, isDatasetName, isPropertyName, isSnapshotName, parentOf, poolOf } from "../names.ts";
import type { Dataset, DatasetChange, Identity, NewSnapshot, Snapshot } from "../port.ts";
import { invalid, missing, otherGuid, taken, unsupported } from "../refusals.ts";
import type { Api } from "./api.ts";
import { worded } from "./errors.ts";
import { withLookUp } from "./lost-answers.ts";
import { canRename, snapshotMethod } from "./methods.ts";
import { isDataset, readDataset, readSnapshot } from "./reading.ts";

/** Throws NAS_MISSING and NAS_EXISTS beside what the NAS refuses. */
export const createSnapshot = async (api: Api, wanted: NewSnapshot): Promise<Snapshot> => {
  const { dataset, snapshot, recursive = false, exclude = [] } = wanted;
  const name = `${dataset}@${snapshot}`;
  if (!isSnapshotName(name)) throw invalid(name, "it is no snapshot's name");
  const stray = exclude.find((one) => !isBelow(one, dataset));
  if (stray !== undefined || (exclude.length > 0 && !recursive))
    throw invalid(stray ?? dataset, "only what is below a recursive snapshot's dataset can be left out");
  // Seen before the change: what is there after a lost answer is then its work.
  const [hasDataset, present] = await Promise.all([isDataset(api, dataset), readSnapshot(api, name)]);
  if (!hasDataset) throw missing(dataset);
  if (present !== undefined) throw taken(name);
  const look = (): Promise<Snapshot | undefined> => readSnapshot(api, name);
  const data = { dataset, name: snapshot, recursive, ...(exclude.length === 0 ? {} : { exclude }) };
  return await worded(`Cannot take the snapshot "${name}".`, () =>
    withLookUp(async () => {
      await api.change(snapshotMethod(api.version, "create"), [data]);
      return await look().then((made) => orMissing(made, name));
    }, look),
  );
};

const orMissing = <T>(found: T | undefined, name: string): T => {
  if (found === undefined) throw missing(name, "it was there a moment ago: somebody removed it");
  return found;
};

/** The dataset that is meant and no other with its name. Throws NAS_MISSING. */
const sameDataset = async (api: Api, wanted: Identity): Promise<Dataset> => {
  const present = await readDataset(api, wanted.name);
  if (present === undefined) throw missing(wanted.name);
  if (present.guid !== wanted.guid) throw otherGuid(wanted, present);
  return present;
};

const checkProperties = ({ properties = {} }: DatasetChange): void => {
  const odd = Object.keys(properties).find((property) => !isPropertyName(property));
  if (odd !== undefined) throw invalid(odd, "user properties have a colon in their name, and no capitals");
};

/** What a new clone gets in the same transaction. Its size can only be changed once it is there. */
const cloneProperties = ({ refquota = 0, properties = {} }: DatasetChange): Readonly<Record<string, string>> =>
  Object.fromEntries([
    ...Object.entries(properties).filter(([, value]) => value !== null),
    ...(refquota === 0 ? [] : [["refquota", String(refquota)]]),
  ]) as Readonly<Record<string, string>>;

export const clone = async (api: Api, from: Identity, target: string, change: DatasetChange): Promise<Dataset> => {
  if (!isDatasetName(target)) throw invalid(target, "it is no dataset's name");
  if (poolOf(target) !== poolOf(from.name)) throw invalid(target, "it is in another pool than the snapshot");
  checkProperties(change);
  const parent = parentOf(target) ?? target;
  const [snapshot, present, hasParent] = await Promise.all([
    readSnapshot(api, from.name),
    isDataset(api, target),
    isDataset(api, parent),
  ]);
  if (snapshot === undefined) throw missing(from.name);
  if (snapshot.guid !== from.guid) throw otherGuid(from, snapshot);
  if (present) throw taken(target);
  if (!hasParent) throw missing(parent);
  const look = async (): Promise<Dataset | undefined> => {
    const found = await readDataset(api, target);
    return found?.origin === from.name ? found : undefined;
  };
  const data = { snapshot: from.name, dataset_dst: target, dataset_properties: cloneProperties(change) };
  const made = await worded(`Cannot clone "${from.name}" to "${target}".`, () =>
    withLookUp(async () => {
      await api.change(snapshotMethod(api.version, "clone"), [data]);
      return orMissing(await look(), target);
    }, look),
  );
  return fits(made, change) ? made : await changeDataset(api, target, change);
};

/** Whether a dataset already is as the change wants it. */
const fits = (dataset: Dataset, { refquota, volsize, properties = {} }: DatasetChange): boolean =>
  (refquota === undefined || (dataset.refquota ?? 0) === refquota) &&
  (volsize === undefined || dataset.volsize === volsize) &&
  Object.entries(properties).every(([name, value]) => (dataset.properties[name] ?? null) === value);

/** Throws NAS_MISSING, and NAS_REFUSED for what is no user property or does not belong to this kind of dataset. */
export const changeDataset = async (api: Api, name: string, change: DatasetChange): Promise<Dataset> => {
  checkProperties(change);
  const before = await readDataset(api, name);
  if (before === undefined) throw missing(name);
  if (change.refquota !== undefined && before.kind === "volume") throw invalid(name, "a volume has no refquota");
  if (change.volsize !== undefined && before.kind === "filesystem") throw invalid(name, "a filesystem has no volsize");
  if (fits(before, change)) return before;
  const { properties = {}, ...sizes } = change;
  const update = Object.entries(properties)
    .filter(([key, value]) => value !== null || before.properties[key] !== undefined)
    .map(([key, value]) => (value === null ? { key, remove: true } : { key, value }));
  const data = { ...sizes, ...(update.length === 0 ? {} : { user_properties_update: update }) };
  const look = (): Promise<Dataset | undefined> => readDataset(api, name);
  return await worded(`Cannot change "${name}".`, () =>
    withLookUp(
      async () => {
        await api.change("pool.dataset.update", [name, data]);
        return orMissing(await look(), name);
      },
      async () => {
        const now = await look();
        return now?.guid === before.guid && fits(now, change) ? now : undefined;
      },
    ),
  );
};

export const promote = async (api: Api, wanted: Identity): Promise<void> => {
  const { origin } = await sameDataset(api, wanted);
  if (origin === undefined) return;
  await worded(`Cannot promote "${wanted.name}".`, () =>
    withLookUp(
      async () => {
        await api.change("pool.dataset.promote", [wanted.name]);
        return true;
      },
      async () => ((await sameDataset(api, wanted)).origin === undefined ? true : undefined),
    ),
  );
};

export const rename = async (api: Api, wanted: Identity, name: string): Promise<void> => {
  if (!canRename(api.version))
    throw unsupported(
      "This NAS cannot rename datasets.",
      "TrueNAS can from 25.10; `zfs rename` on the NAS itself does.",
    );
  if (!isDatasetName(name)) throw invalid(name, "it is no dataset's name");
  const parent = parentOf(name) ?? name;
  const [, present, hasParent] = await Promise.all([
    sameDataset(api, wanted),
    isDataset(api, name),
    isDataset(api, parent),
  ]);
  if (present) throw taken(name);
  if (!hasParent) throw missing(parent);
  await worded(`Cannot rename "${wanted.name}" to "${name}".`, () =>
    withLookUp(
      async () => {
        // "force" only says that one has read that nothing is checked.
        await api.change("pool.dataset.rename", [wanted.name, { new_name: name, force: true }]);
        return true;
      },
      async () => ((await readDataset(api, name))?.guid === wanted.guid ? true : undefined),
    ),
  );
};
