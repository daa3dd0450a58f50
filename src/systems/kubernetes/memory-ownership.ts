import {
  dotted,
  isSame,
  isTree,
  keysOf,
  leavesOf,
  overlaps,
  removeAt,
  setAt,
  setKeys,
  valueAt,
  type FieldPath,
  type Tree,
} from "./json-tree.ts";
import type { ManagedFields } from "./port.ts";

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

/** Finalizers are a set, of which each member has owners of its own: a tree with a field for each. */
const withSets = (object: Tree): Tree => {
  const { metadata } = object;
  if (!isTree(metadata) || !Array.isArray(metadata["finalizers"])) return object;
  const members = metadata["finalizers"].map((member: string) => [`v:${JSON.stringify(member)}`, true]);
  return { ...object, metadata: { ...metadata, finalizers: Object.fromEntries(members) as Tree } };
};

const withLists = (object: Tree): Tree => {
  const { metadata } = object;
  if (!isTree(metadata) || !isTree(metadata["finalizers"])) return object;
  const members = Object.keys(metadata["finalizers"]).map((member) => JSON.parse(member.slice(2)) as string);
  return { ...object, metadata: { ...metadata, finalizers: members } };
};

/** The fields of an object that somebody can own. */
const ownable = (whole: Tree): Map<FieldPath, unknown> => {
  const { apiVersion: _version, kind: _kind, metadata, ...content } = withSets(whole);
  const meta = Object.entries(isTree(metadata) ? metadata : {}).filter(([key]) => !serverFields.has(key));
  return leavesOf(meta.length === 0 ? content : { ...content, metadata: Object.fromEntries(meta) });
};

const updating = " (update)";

/** The manager of a user's writes that are not an apply. */
export const updaterOf = (user: string): string => `${user}${updating}`;

/** Owners as an object tells of them. */
export const managedFieldsOf = (owners: Owners): readonly ManagedFields[] =>
  [...owners]
    .filter(([, paths]) => paths.size > 0)
    .map(([name, paths]) => {
      const fields: Tree = {};
      for (const path of paths) setKeys(fields, keysOf(path).map(fieldsKey), {});
      const isUpdate = name.endsWith(updating);
      const manager = isUpdate ? name.slice(0, -updating.length) : name;
      return { manager, operation: isUpdate ? "Update" : "Apply", fieldsV1: fields };
    });

const fieldsKey = (key: string): string => (key.startsWith("v:") ? key : `f:${key}`);

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
 * Server-side apply without force, simplified: lists but finalizers are one value (real ones merge by key where the schema says so).
 * Fields that this manager applied before and does not name any more go, unless another manager owns them too.
 */
export const applied = (live: Tree, owners: Owners, config: Tree, manager: string): Applied => {
  const object = structuredClone(withSets(live));
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
  return { object: withLists(object), owners: new Map(owners).set(manager, new Set(wanted.keys())), conflicts };
};
