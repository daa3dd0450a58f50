/** What both credentials look at: datasets, snapshots, exports. */
import type { Dataset, Exports, Identity, Snapshot } from "../port.ts";
import { isDatasetName, isSnapshotName, parentOf, poolOf } from "../names.ts";
import { type Api, ApiRefusal, type Params } from "./api.ts";
import {
  datasetOf,
  datasetProperties,
  type Entry,
  entriesOf,
  extentOf,
  iqnBaseOf,
  shareOf,
  resourceProperties,
  snapshotOf,
  snapshotProperties,
  targetExtentOf,
  targetOf,
  userPropertiesOf,
} from "./entries.ts";
import { errno, worded } from "./errors.ts";
import { hasSnapshotResources, snapshotMethod, snapshotResourceQuery, tellsInheritance } from "./methods.ts";

const list = async (api: Api, method: string, params: Params): Promise<readonly Entry[]> =>
  entriesOf(await worded(`TrueNAS does not answer ${method}.`, () => api.read(method, params)), method);

/** All entries of a table. */
export const table = async (api: Api, method: string): Promise<readonly Entry[]> => await list(api, method, [[], {}]);

const datasetEntry = async (api: Api, name: string, withChildren: boolean): Promise<Entry | undefined> => {
  if (!isDatasetName(name)) return undefined;
  const extra = { flat: false, retrieve_children: withChildren, properties: datasetProperties };
  const [entry] = await list(api, "pool.dataset.query", [[["id", "=", name]], { extra }]);
  return entry;
};

/** What a dataset would have anyway, where TrueNAS does not tell inherited properties from own ones. */
const inheritedBy = async (api: Api, name: string): Promise<Readonly<Record<string, string>>> => {
  const parent = parentOf(name);
  if (tellsInheritance(api.version) || parent === undefined) return {};
  const entry = await datasetEntry(api, parent, false);
  return entry === undefined ? {} : userPropertiesOf(entry);
};

/** A property that has the parent's value counts as inherited: it would have it without being set. */
const ownProperties = (entry: Entry, inherited: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(userPropertiesOf(entry)).filter(([name, value]) => inherited[name] !== value));

/** Whether there is a dataset of this name. */
export const isDataset = async (api: Api, name: string): Promise<boolean> =>
  (await datasetEntry(api, name, false)) !== undefined;

export const readDataset = async (api: Api, name: string): Promise<Dataset | undefined> => {
  const entry = await datasetEntry(api, name, false);
  return entry === undefined ? undefined : datasetOf(entry, ownProperties(entry, await inheritedBy(api, name)));
};

/** A dataset and everything below it, parents first. */
export const readDatasets = async (api: Api, under: string): Promise<readonly Dataset[]> => {
  const top = await datasetEntry(api, under, true);
  if (top === undefined) return [];
  const found: Dataset[] = [];
  const visit = (entry: Entry, inherited: Readonly<Record<string, string>>): void => {
    found.push(datasetOf(entry, ownProperties(entry, inherited)));
    const below = tellsInheritance(api.version) ? {} : userPropertiesOf(entry);
    for (const child of entriesOf(entry["children"] ?? [], "the children of a dataset")) visit(child, below);
  };
  visit(top, await inheritedBy(api, under));
  return found;
};

const snapshotEntries = async (
  api: Api,
  name: string,
  options: { readonly recursive: boolean },
): Promise<readonly Entry[]> => {
  if (!isDatasetName(name) && !isSnapshotName(name)) return [];
  if (hasSnapshotResources(api.version)) {
    const query = { paths: [name], recursive: options.recursive, properties: resourceProperties, get_holds: true };
    return entriesOf(await api.read(snapshotResourceQuery, [query]).catch(noneWhereAbsent), snapshotResourceQuery);
  }
  const field = name.includes("@") ? "id" : "dataset";
  const itself = [field, "=", name];
  const filters = options.recursive ? [["OR", [itself, ["dataset", "^", `${name}/`]]]] : [itself];
  const method = snapshotMethod(api.version, "query");
  const answer = await api.read(method, [filters, { extra: { properties: snapshotProperties } }]);
  return entriesOf(answer, method);
};

/** From 26 a path that is not there is refused; the older methods give an empty list. */
const noneWhereAbsent = (error: unknown): readonly [] => {
  if (error instanceof ApiRefusal && error.errno === errno.ENOENT) return [];
  throw error;
};

/** One snapshot by its full name. */
export const readSnapshot = async (api: Api, name: string): Promise<Snapshot | undefined> => {
  const [entry] = await worded(`Cannot look at "${name}".`, () => snapshotEntries(api, name, { recursive: false }));
  return entry === undefined ? undefined : snapshotOf(entry);
};

const inOrder = (a: Identity, b: Identity): number => {
  const difference = BigInt(a.createtxg) - BigInt(b.createtxg);
  return difference === 0n ? (a.name < b.name ? -1 : 1) : difference < 0n ? -1 : 1;
};

/** Snapshots of a dataset, oldest first. */
export const readSnapshots = async (
  api: Api,
  dataset: string,
  options: { readonly recursive: boolean },
): Promise<readonly Snapshot[]> => {
  const entries = await worded(`Cannot list the snapshots of "${dataset}".`, () =>
    snapshotEntries(api, dataset, options),
  );
  return entries.map(snapshotOf).toSorted(inOrder);
};

/** Names of the clones of each snapshot of a pool that has some. TrueNAS' own hidden datasets are not among them. */
export const readClones = async (api: Api, name: string): Promise<ReadonlyMap<string, readonly string[]>> => {
  const clones = new Map<string, string[]>();
  for (const { origin, name: clone } of await readDatasets(api, poolOf(name))) {
    if (origin !== undefined) clones.set(origin, [...(clones.get(origin) ?? []), clone]);
  }
  return clones;
};

export const readExports = async (api: Api): Promise<Exports> => {
  const [nfs, global, targets, extents, targetExtents] = await Promise.all([
    table(api, "sharing.nfs.query"),
    worded("TrueNAS does not tell its iSCSI settings.", () => api.read("iscsi.global.config", [])),
    table(api, "iscsi.target.query"),
    table(api, "iscsi.extent.query"),
    table(api, "iscsi.targetextent.query"),
  ]);
  return {
    nfs: nfs.map(shareOf),
    iqnBase: iqnBaseOf(global),
    targets: targets.map(targetOf),
    extents: extents.map(extentOf),
    targetExtents: targetExtents.map(targetExtentOf),
  };
};
