/**
 * Present files are set aside inside the volume itself (ADR 0003): renames, whatever their size, and a way back.
 *
 * Four directory names tell the state, and each change of state is one rename, so that a crash anywhere can be mended:
 *   .holdfast-fresh-OP    empty, being made: it can go
 *   .holdfast-moving-OP   entries are on their way in, or on their way back: what lies in the root is original
 *   .holdfast-aside-OP    everything original is in here: what lies in the root is new
 *   .holdfast-discard-OP  the new files are verified: this can go
 * (and .holdfast-probe-OP, an empty file by which the file system's time step is found out: it can go)
 * From "moving" on the directory has the owner and mode of the volume's root, and in "aside" its time (to the
 * microsecond: Node sets no finer one), so that those come back too.
 */
import { chmod, chown, lstat, mkdir, readdir, rename, rm, rmdir, utimes } from "node:fs/promises";
import type { Stats } from "node:fs";
import { join } from "node:path";
import { Failure } from "../model/failure.ts";

const own = /^\.holdfast-(fresh|moving|aside|discard|probe)-[a-z0-9-]+$/;
/** ext4 keeps it, and only root may touch it. */
const lostAndFound = "lost+found";

/** Names directly below a volume's root that belong to no app. */
export const isOurs = (name: string): boolean => own.test(name);

/** True for what stays where it is: our own directories, and lost+found. */
export const staysPut = (name: string): boolean => isOurs(name) || name === lostAndFound;

/** True for a name that says: the tree around it is half one thing and half another. A copy with it was cut in the middle of a restore. */
export const isUnfinished = (name: string): boolean => ["moving", "aside"].includes(own.exec(name)?.[1] ?? "");

/** Our own entries of one state. What only has such a name, a symbolic link of the app say, is none. */
const ownIn = async (
  root: string,
  state: "fresh" | "moving" | "aside" | "discard" | "probe",
): Promise<readonly string[]> => {
  const found: string[] = [];
  for (const name of await readdir(root)) {
    if (own.exec(name)?.[1] !== state) continue;
    const stats = await lstat(join(root, name));
    if (state === "probe" ? stats.isFile() : stats.isDirectory()) found.push(join(root, name));
  }
  return found;
};

type Attributes = Pick<Stats, "uid" | "gid" | "mode" | "atimeMs" | "mtimeMs">;

const setAttributes = async (directory: string, { uid, gid, mode, atimeMs, mtimeMs }: Attributes): Promise<void> => {
  await chown(directory, uid, gid);
  await chmod(directory, mode & 0o7777);
  await utimes(directory, atimeMs / 1000, mtimeMs / 1000);
};

/** Everything in a directory but what stays put. Names as bytes: not every name is UTF-8. */
const movableIn = async (directory: string): Promise<readonly Buffer[]> =>
  (await readdir(directory, { encoding: "buffer" })).filter((name) => !staysPut(name.toString()));

const inside = (directory: string, name: Buffer): Buffer => Buffer.concat([Buffer.from(`${directory}/`), name]);

const moveAll = async (from: string, to: string): Promise<void> => {
  for (const name of await movableIn(from)) await rename(inside(from, name), inside(to, name));
};

/** Leaves the root empty but for what stays put. Call `putBack` first when an earlier attempt may have left something. */
export const setAside = async (root: string, operation: string): Promise<string> => {
  const [fresh, moving, aside] = ["fresh", "moving", "aside"].map((state) =>
    join(root, `.holdfast-${state}-${operation}`),
  ) as [string, string, string];
  const attributes = await lstat(root);
  await mkdir(fresh);
  await setAttributes(fresh, attributes);
  await rename(fresh, moving);
  await moveAll(root, moving);
  await setAttributes(moving, attributes);
  await rename(moving, aside);
  return aside;
};

/** Removes whatever is new and puts everything original back. Does nothing when nothing was set aside. */
export const putBack = async (root: string): Promise<boolean> => {
  await removeDiscarded(root);
  for (const directory of await ownIn(root, "fresh")) await rmdir(directory);
  for (const file of await ownIn(root, "probe")) await rm(file);
  const [aside, moving] = [await ownIn(root, "aside"), await ownIn(root, "moving")];
  const original = [...aside, ...moving];
  if (original.length > 1)
    throw new Failure("TARGET_UNUSABLE", {
      what: "The volume holds files that two restores have set aside.",
      why: original.join(", "),
      todo: "Look at both by hand, and keep the one that is right.",
    });
  for (const directory of aside) {
    for (const name of await movableIn(root)) await rm(inside(root, name), { recursive: true });
    await rename(directory, directory.replace(".holdfast-aside-", ".holdfast-moving-"));
  }
  for (const directory of await ownIn(root, "moving")) await moveBack(directory, root);
  return original.length > 0;
};

const moveBack = async (directory: string, root: string): Promise<void> => {
  const attributes = await lstat(directory);
  await moveAll(directory, root);
  // Before the directory goes: a crash after that finds them nowhere.
  await setAttributes(root, attributes);
  await rmdir(directory);
  await utimes(root, attributes.atimeMs / 1000, attributes.mtimeMs / 1000);
};

/** Decides for the new files: one rename, and `putBack` leaves them alone from here on. */
export const giveUpAside = async (root: string): Promise<void> => {
  for (const directory of await ownIn(root, "aside"))
    await rename(directory, directory.replace(".holdfast-aside-", ".holdfast-discard-"));
};

/** Gives up what was set aside, for good. */
export const discardAside = async (root: string): Promise<void> => {
  await giveUpAside(root);
  await removeDiscarded(root);
};

const removeDiscarded = async (root: string): Promise<void> => {
  for (const directory of await ownIn(root, "discard")) await rm(directory, { recursive: true });
};
