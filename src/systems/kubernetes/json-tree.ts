/** JSON objects as trees of fields: what merge patches and field ownership are made of. Used by the twin. */

export type Tree = { [key: string]: unknown };

export const isTree = (value: unknown): value is Tree =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Equality of JSON values, whatever the order of their keys. */
export const isSame = (a: unknown, b: unknown): boolean => {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => isSame(item, b[index]));
  }
  if (!isTree(a) || !isTree(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && isSame(a[key], b[key]));
};

/** RFC 7386: null removes, objects merge, everything else replaces. Neither argument is changed. */
export const merged = (target: unknown, patch: unknown): unknown => {
  if (!isTree(patch)) return patch;
  const result: Tree = isTree(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
};

/** A field's place as one string: the JSON text of its keys. */
export type FieldPath = string;

/** Fields and their values. Lists and empty objects count as one value. */
export const leavesOf = (tree: Tree): Map<FieldPath, unknown> => {
  const leaves = new Map<FieldPath, unknown>();
  // Texts grow with the tree: a path is never made of its keys again.
  const collect = (branch: Tree, above: string): void => {
    for (const key of Object.keys(branch)) {
      const value = branch[key];
      const path = `${above}${JSON.stringify(key)}`;
      if (isTree(value) && Object.keys(value).length > 0) collect(value, `${path},`);
      else leaves.set(`${path}]`, value);
    }
  };
  collect(tree, "[");
  return leaves;
};

/** The keys on the way to a field. */
export const keysOf = (path: FieldPath): string[] => JSON.parse(path) as string[];

export const valueAt = (tree: Tree, path: FieldPath): unknown =>
  keysOf(path).reduce<unknown>((value, key) => (isTree(value) ? value[key] : undefined), tree);

/** Sets a field in place, making the objects on the way. */
export const setAt = (tree: Tree, path: FieldPath, value: unknown): void => setKeys(tree, keysOf(path), value);

/** `setAt` by a field's keys. */
export const setKeys = (tree: Tree, keys: readonly string[], value: unknown): void => {
  let parent = tree;
  for (const key of keys.slice(0, -1)) {
    const child = parent[key];
    const next: Tree = isTree(child) ? child : {};
    parent[key] = next;
    parent = next;
  }
  parent[keys.at(-1) ?? ""] = value;
};

/** Removes a field in place, and the objects that are empty without it. */
export const removeAt = (tree: Tree, path: FieldPath): void => removeKeys(tree, keysOf(path));

const removeKeys = (tree: Tree, [key = "", ...below]: readonly string[]): void => {
  const child = tree[key];
  if (below.length > 0) {
    if (!isTree(child)) return;
    removeKeys(child, below);
    if (Object.keys(child).length > 0) return;
  }
  delete tree[key];
};

/** True when one of the two places lies in the other. */
export const overlaps = (a: FieldPath, b: FieldPath): boolean => {
  const [short, long] = a.length <= b.length ? [a, b] : [b, a];
  return long === short || long.startsWith(`${short.slice(0, -1)},`);
};

/** ".data.x", as the API server writes it in conflicts. */
export const dotted = (path: FieldPath): string => `.${keysOf(path).join(".")}`;
