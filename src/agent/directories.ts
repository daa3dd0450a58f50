/**
 * Our own directories in a volume's root. One name is one state of one operation, and each change of state is one
 * rename, so that a crash anywhere can be mended (docs/design/restore.md draws them):
 *   .holdfast-fresh-OP      being made, or emptied: it can go
 *   .holdfast-moving-OP     entries are on their way in, or on their way back: what lies in the root is original
 *   .holdfast-aside-OP      everything original is in here: what lies in the root is new
 *   .holdfast-returning-OP  beside the aside of an exchange: what OP had kept is on its way into the root
 *   .holdfast-kept-OP       what lies in the root is verified; everything earlier is in here, for the undo
 *   .holdfast-discard-OP    nobody needs this any more: it can go
 * (and .holdfast-probe-OP, an empty file by which the file system's time step is found out: it can go)
 *
 * Inside, what was in the root lies one level down, so that no name of an app's can meet one of ours:
 *   files/        the entries themselves
 *   root/         empty; has the owner, mode and times of the root that the entries lay in. No entry ever goes through
 *                 it, so that its times stay right however often moving is cut off.
 *   stamp/        empty; has the times that the root gets once it is decided
 *   CACHEDIR.TAG  keeps Velero's kopia from copying what is kept
 * The directory itself is root's alone, as lost+found is: apps that walk through their volume do not get into it.
 */
import { lstat, readdir, rename, rm, rmdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { messageOf } from "../model/failure.ts";
import type { SeenDirectory } from "./lines.ts";

export type State = SeenDirectory["state"];

/** A directory of ours that lies in a volume's root. */
export interface OurDirectory {
  readonly root: string;
  readonly state: State;
  readonly operation: string;
  readonly path: string;
}

const own = /^\.holdfast-(fresh|moving|aside|returning|kept|discard|probe)-([a-z0-9-]+)$/;

/** Names directly below a volume's root that belong to no app. They stay where they are whatever is moved or compared. */
export const isOurs = (name: string): boolean => own.test(name);

/** True for a name that says: the tree around it is half one thing and half another. A copy with it was cut in the middle of a restore. */
export const isUnfinished = (name: string): boolean =>
  ["moving", "aside", "returning"].includes(own.exec(name)?.[1] ?? "");

/** True for a name that says: an earlier tree is kept in there. */
export const isKept = (name: string): boolean => own.exec(name)?.[1] === "kept";

export const ourDirectory = (root: string, state: State, operation: string): OurDirectory => ({
  root,
  state,
  operation,
  path: join(root, `.holdfast-${state}-${operation}`),
});

/** Where the entries are. */
export const filesOf = (directory: OurDirectory): string => join(directory.path, "files");

/** Bears the attributes of the root that the entries lay in. */
export const rootOf = (directory: OurDirectory): string => join(directory.path, "root");

/** Bears the times that the root gets once it is decided; there from just before until just after. */
export const stampOf = (directory: OurDirectory): string => join(directory.path, "stamp");

const isDirectory = async (path: string): Promise<boolean> => {
  try {
    return (await lstat(path)).isDirectory();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
};

/** Everything in the root that has a name of ours and is what the name says; a symbolic link of the app's is not. */
const ownIn = async (root: string): Promise<readonly (OurDirectory | { readonly probe: string })[]> => {
  const found: (OurDirectory | { readonly probe: string })[] = [];
  for (const name of await readdir(root)) {
    const [, state, operation = ""] = own.exec(name) ?? [];
    if (state === undefined) continue;
    const stats = await lstat(join(root, name));
    if (state === "probe" && stats.isFile()) found.push({ probe: join(root, name) });
    if (state !== "probe" && stats.isDirectory()) found.push(ourDirectory(root, state as State, operation));
  }
  return found;
};

/**
 * What copies bring along of a kept directory: its name, since CACHEDIR.TAG keeps the rest out of them. It keeps nothing,
 * and must never be taken for what an undo could bring back.
 */
const isHusk = async (directory: OurDirectory): Promise<boolean> =>
  directory.state === "kept" && !(await isDirectory(filesOf(directory)));

/** Our directories in a root, without husks. */
export const directoriesIn = async (root: string): Promise<readonly OurDirectory[]> => {
  const found: OurDirectory[] = [];
  for (const one of await ownIn(root)) if ("state" in one && !(await isHusk(one))) found.push(one);
  return found;
};

/** The one rename that changes a state. */
export const become = async (directory: OurDirectory, state: State): Promise<OurDirectory> => {
  const next = ourDirectory(directory.root, state, directory.operation);
  await rename(directory.path, next.path);
  return next;
};

/**
 * Removes everything in the root that can go. Gives, in words, what of the discarded could not be removed: that only takes
 * room, and is no reason to fail.
 */
export const sweep = async (root: string): Promise<readonly string[]> => {
  const left: string[] = [];
  for (const one of await ownIn(root)) {
    if ("probe" in one) await rm(one.probe);
    else if (one.state === "discard") left.push(...(await removeOrTell(one)));
    else if (one.state === "fresh") await removeEmptied(one);
    else if ((await isHusk(one)) && (await readdir(one.path)).length === 0) await rmdir(one.path);
  }
  return left;
};

const removeOrTell = async ({ path }: OurDirectory): Promise<readonly string[]> => {
  try {
    await rm(path, { recursive: true });
    return [];
  } catch (error) {
    return [`earlier files could not be removed whole and lie in ${basename(path)}: ${messageOf(error)}`];
  }
};

/** Never more than what is empty: were an entry left in there, this would fail and lose nothing. */
export const removeEmptied = async (directory: OurDirectory): Promise<void> => {
  if (await isDirectory(filesOf(directory))) await rmdir(filesOf(directory));
  await rm(directory.path, { recursive: true });
};
