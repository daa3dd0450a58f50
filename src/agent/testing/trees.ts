/** Trees on a real file system for tests: planted from a description, and read back with everything that must survive. */
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

export interface Attributes {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Seconds since 1970. */
  readonly time?: number;
}

/** What lies at a path. Parents come first; a file's `linkTo` names an earlier path of the same tree. */
export type Planted = Attributes &
  (
    | { readonly path: string; readonly kind: "file"; readonly content: string }
    | { readonly path: string; readonly kind: "directory" }
    | { readonly path: string; readonly kind: "symlink"; readonly target: string }
    | { readonly path: string; readonly kind: "link"; readonly linkTo: string }
  );

const place = (root: string, item: Planted): void => {
  const path = join(root, item.path);
  if (item.kind === "directory") mkdirSync(path);
  else if (item.kind === "symlink") symlinkSync(item.target, path);
  else if (item.kind === "link") linkSync(join(root, item.linkTo), path);
  else writeFileSync(path, item.content);
};

const dress = (path: string, { mode, uid, gid, time }: Attributes): void => {
  if (uid !== undefined || gid !== undefined) chownSync(path, uid ?? 0, gid ?? 0);
  if (mode !== undefined) chmodSync(path, mode);
  if (time !== undefined) utimesSync(path, time, time);
};

/** Makes the tree below an existing root; attributes go on last and from the inside, so that they stay. */
export const plant = (root: string, tree: readonly Planted[], attributes: Attributes = {}): void => {
  for (const item of tree) place(root, item);
  for (const item of tree.toReversed())
    if (item.kind !== "symlink" && item.kind !== "link") dress(join(root, item.path), item);
  dress(root, attributes);
};

/** One line an entry, with its inode: the very same files, not copies of them. The root's own time is told apart. */
export const treeOf = (root: string): readonly string[] => [describe(root, "."), ...below(root, "")];

/** The root's modification time in ms. */
export const timeOf = (path: string): number => lstatSync(path).mtimeMs;

const below = (root: string, directory: string): readonly string[] =>
  readdirSync(raw(root, directory), { encoding: "latin1" })
    .toSorted()
    .flatMap((name) => {
      const path = directory === "" ? name : `${directory}/${name}`;
      const line = describe(root, path);
      return lstatSync(raw(root, path)).isDirectory() ? [line].concat(below(root, path)) : [line];
    });

/** latin1 keeps every byte of a name as one character. */
const raw = (root: string, path: string): Buffer =>
  Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path, "latin1")]);

const describe = (root: string, path: string): string => {
  const file = raw(root, path);
  const stats = lstatSync(file, { bigint: true });
  const content = stats.isFile() ? readFileSync(file, "utf8") : stats.isSymbolicLink() ? readlinkSync(file) : "";
  const time = path === "." ? "" : ` ${stats.mtimeNs} i${stats.ino}`;
  return `${path} ${stats.mode.toString(8)} ${stats.uid}:${stats.gid}${time} n${stats.isDirectory() ? 0 : stats.nlink} ${content}`;
};
