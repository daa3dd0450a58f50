import {
  dotted,
  isSame,
  isTree,
  leavesOf,
  overlaps,
  removeAt,
  setAt,
  valueAt,
  type FieldPath,
  type Tree,
} from "./json-tree.ts";

/** Which manager owns which fields. A manager that applies and one that updates are two, as in managedFields. */
export type Owners = Map<string, Set<FieldPath>>;

const serverFields = new Set([
  "name",
  "namespace",
  "generateName",
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "managedFields",
]);

/** The fields of an object that somebody can own. */
const ownable = (object: Tree): Map<FieldPath, unknown> => {
  const { apiVersion: _version, kind: _kind, metadata, ...content } = object;
  const meta = Object.entries(isTree(metadata) ? metadata : {}).filter(([key]) => !serverFields.has(key));
  return leavesOf(meta.length === 0 ? content : { ...content, metadata: Object.fromEntries(meta) });
};

/** A write that is not an apply: whoever changes a field owns it from now on, alone. */
export const ownersAfterUpdate = (owners: Owners, before: Tree, after: Tree, manager: string): Owners => {
  const old = ownable(before);
  const now = ownable(after);
  const changed = [...now].filter(([path, value]) => !old.has(path) || !isSame(old.get(path), value));
  const taken = new Set(changed.map(([path]) => path));
  const next: Owners = new Map();
  for (const [name, paths] of owners) {
    next.set(name, new Set([...paths].filter((path) => now.has(path) && !taken.has(path))));
  }
  next.set(manager, new Set([...(next.get(manager) ?? []), ...taken]));
  return next;
};

/** Fields that another manager set to something else. */
export interface OwnershipConflict {
  readonly manager: string;
  readonly path: string;
}

export interface Applied {
  readonly object: Tree;
  readonly owners: Owners;
  readonly conflicts: readonly OwnershipConflict[];
}

const otherOwner = (owners: Owners, manager: string, path: FieldPath): string | undefined => {
  for (const [name, paths] of owners) {
    if (name !== manager && [...paths].some((owned) => overlaps(owned, path))) return name;
  }
  return undefined;
};

/**
 * Server-side apply without force, simplified: lists are one value (real ones merge by key where the schema says so).
 * Fields that this manager applied before and does not name any more go, unless another manager owns them too.
 */
export const applied = (live: Tree, owners: Owners, config: Tree, manager: string): Applied => {
  const object = structuredClone(live);
  const wanted = ownable(config);
  const conflicts: OwnershipConflict[] = [];
  for (const [path, value] of wanted) {
    if (isSame(valueAt(object, path), value)) continue;
    const other = otherOwner(owners, manager, path);
    if (other === undefined) setAt(object, path, value);
    else conflicts.push({ manager: other, path: dotted(path) });
  }
  for (const path of owners.get(manager) ?? []) {
    const kept = [...wanted.keys()].some((other) => overlaps(other, path));
    if (!kept && otherOwner(owners, manager, path) === undefined) removeAt(object, path);
  }
  return { object, owners: new Map(owners).set(manager, new Set(wanted.keys())), conflicts };
};
