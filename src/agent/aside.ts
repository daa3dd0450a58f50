/**
 * Present files are set aside inside the volume itself (ADR 0003, 0007): renames, whatever their size, and a way back.
 * Which directory means what: `directories.ts`.
 */
import { chmod, chown, lstat, mkdir, readdir, rename, rm } from "node:fs/promises";
import { Failure } from "../model/failure.ts";
import {
  become,
  directoriesIn,
  filesOf,
  isOurs,
  ourDirectory,
  type OurDirectory,
  removeEmptied,
  rootOf,
  sweep,
} from "./directories.ts";
import { setTimes } from "./directory-times.ts";

/** Gives a directory the owner, mode and times of another one, the times to the microsecond: Node sets no finer one. */
export const copyAttributes = async (from: string, to: string): Promise<void> => {
  const { uid, gid, mode, atimeNs, mtimeNs } = await lstat(from, { bigint: true });
  await chown(to, Number(uid), Number(gid));
  await chmod(to, Number(mode & 0o7777n));
  await setTimes(to, { atimeNs, mtimeNs });
};

/** Makes an empty directory that bears the attributes of another one; whole as soon as it has its name. */
export const bearAttributes = async (of: string, at: string): Promise<void> => {
  const half = `${at}.half`;
  await mkdir(half, { recursive: true });
  await copyAttributes(of, half);
  await rename(half, at);
};

/** The app's entries of a directory. Names as bytes: not every name is UTF-8. */
export const entriesIn = async (directory: string): Promise<readonly Buffer[]> =>
  (await readdir(directory, { encoding: "buffer" })).filter((name) => !isOurs(name.toString()));

/** The path of an entry of a directory. */
export const inside = (directory: string, name: Buffer): Buffer => Buffer.concat([Buffer.from(`${directory}/`), name]);

/** Removes what the root has under names that are also in our directory: somebody wrote there whom nobody waited for. */
const clearNames = async (root: string, files: string): Promise<void> => {
  const wanted = new Set((await entriesIn(files)).map((name) => name.toString("latin1")));
  for (const name of await entriesIn(root))
    if (wanted.has(name.toString("latin1"))) await rm(inside(root, name), { recursive: true });
};

const moveAll = async (from: string, to: string): Promise<void> => {
  for (const name of await entriesIn(from)) await rename(inside(from, name), inside(to, name));
};

/** Everything of our directory goes into the root, which gets the attributes that it had with it. */
export const moveIntoRoot = async (directory: OurDirectory): Promise<void> => {
  await clearNames(directory.root, filesOf(directory));
  await moveAll(filesOf(directory), directory.root);
  await copyAttributes(rootOf(directory), directory.root);
};

/** Leaves the root empty but for what is ours. Call `putBack` first when an earlier attempt may have left something. */
export const setAside = async (root: string, operation: string): Promise<OurDirectory> => {
  const fresh = ourDirectory(root, "fresh", operation);
  // Before anything changes the root's times.
  const { atimeNs, mtimeNs } = await lstat(root, { bigint: true });
  await mkdir(fresh.path, { mode: 0o700 });
  await mkdir(filesOf(fresh));
  await setTimes(root, { atimeNs, mtimeNs });
  await bearAttributes(root, rootOf(fresh));
  const moving = await become(fresh, "moving");
  await moveAll(root, filesOf(moving));
  return become(moving, "aside");
};

/**
 * Removes whatever is new and puts everything original back; what an exchange was bringing back is kept again. Does
 * nothing when nothing was set aside. Not for what is decided: see `finishDecided`.
 */
export const putBack = async (root: string): Promise<boolean> => {
  await sweep(root);
  const ours = await directoriesIn(root);
  const original = ours.filter(({ state }) => state === "aside" || state === "moving");
  if (original.length > 1)
    throw new Failure("TARGET_UNUSABLE", {
      what: "The volume holds files that two restores have set aside.",
      why: original.map(({ path }) => path).join(", "),
      todo: "Look at both by hand, and keep the one that is right.",
    });
  const [directory] = original;
  if (directory === undefined) return false;
  if (directory.state === "moving") await moveBack(directory);
  else {
    for (const returning of ours.filter(({ state }) => state === "returning")) await keepAgain(returning);
    for (const name of await entriesIn(root)) await rm(inside(root, name), { recursive: true });
    await moveBack(await become(directory, "moving"));
  }
  return true;
};

/** What lies in the root came out of this directory, and goes back into it. */
const keepAgain = async (returning: OurDirectory): Promise<void> => {
  await clearNames(returning.root, filesOf(returning));
  await moveAll(returning.root, filesOf(returning));
  await become(returning, "kept");
};

const moveBack = async (moving: OurDirectory): Promise<void> => {
  await moveIntoRoot(moving);
  const { atimeNs, mtimeNs } = await lstat(rootOf(moving), { bigint: true });
  await removeEmptied(await become(moving, "fresh"));
  await setTimes(moving.root, { atimeNs, mtimeNs });
};
