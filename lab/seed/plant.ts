/** Writes what a seed describes into a directory, with as few system calls as it takes. Needs root. */
import { execFile } from "node:child_process";
import { chmod, chown, lchown, link, lutimes, mkdir, open, rm, symlink, utimes } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { forEachBounded } from "./bounded.ts";
import { contentOf, dataBytes } from "./content.ts";
import { describeVolume, type Shape } from "./describe.ts";
import { rootPath, type SeedEntry } from "./entry.ts";

/** How many files are written at once; Node's thread pool has four threads. */
const width = 8;

/** Permission bits that a new file gets whatever the umask of a usual shell. */
const keptByUmask = 0o755;

export interface Planted {
  /** Regular files, hard links not counted. */
  readonly files: number;
  /** Bytes written; holes of sparse files are not. */
  readonly bytes: number;
}

const isOfType =
  (type: SeedEntry["type"]) =>
  (entry: SeedEntry): boolean =>
    entry.type === type;

const isOwnedByRoot = ({ uid, gid }: SeedEntry): boolean => uid === 0 && gid === 0;

const second = 1_000_000_000n;

const seconds = (mtime: bigint): number => Number(mtime / second) + Number(mtime % second) / 1e9;

/** Node sets times as seconds in a double, which holds every 64th of a second exactly, but not every nanosecond. */
const isExactForNode = ({ mtime }: SeedEntry): boolean => mtime % (second / 64n) === 0n;

/** Makes something that must not exist yet; what an interrupted planting left there is removed first. */
const makeAnew = async (path: string, make: () => Promise<void>): Promise<void> => {
  try {
    await make();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    await rm(path, { recursive: true });
    await make();
  }
};

const writeFile = async (path: string, entry: SeedEntry): Promise<void> => {
  const file = await open(path, "wx", entry.mode & 0o777);
  try {
    for (const { offset, bytes } of contentOf(entry)) await file.write(bytes, 0, bytes.length, offset);
    if (entry.extents !== undefined) await file.truncate(entry.size);
    if (!isOwnedByRoot(entry)) await file.chown(entry.uid, entry.gid);
    // After chown, which clears setuid and setgid.
    if ((entry.mode & ~keptByUmask) !== 0) await file.chmod(entry.mode);
    await file.utimes(seconds(entry.mtime), seconds(entry.mtime));
  } finally {
    await file.close();
  }
};

const writeSymlink = async (path: string, entry: SeedEntry): Promise<void> => {
  await symlink(entry.target ?? "", path);
  if (!isOwnedByRoot(entry)) await lchown(path, entry.uid, entry.gid);
  await lutimes(path, seconds(entry.mtime), seconds(entry.mtime));
};

const finishDirectory = async (path: string, entry: SeedEntry): Promise<void> => {
  await chown(path, entry.uid, entry.gid);
  await chmod(path, entry.mode);
  await utimes(path, seconds(entry.mtime), seconds(entry.mtime));
};

const touch = promisify(execFile);

const setExactTime = async (path: string, { mtime }: SeedEntry): Promise<void> => {
  const fraction = String(mtime % second).padStart(9, "0");
  await touch("touch", ["--no-dereference", `--date=@${mtime / second}.${fraction}`, "--", path]);
};

/**
 * Writes the volume: folders, then files, then links, then the attributes of folders, which writing into them would
 * change. What is there already stays, except where an entry of the volume takes its place.
 */
export const plant = async (directory: string, shape: Shape, seed: string): Promise<Planted> => {
  const entries = describeVolume(shape, seed);
  const files = entries.filter(isOfType("file"));
  const directories = entries.filter(isOfType("directory"));
  const place = ({ path }: SeedEntry): string => join(directory, path);

  for (const entry of directories) await mkdir(place(entry), { recursive: true });
  await forEachBounded(files, width, (entry) => makeAnew(place(entry), () => writeFile(place(entry), entry)));
  await forEachBounded(entries.filter(isOfType("symlink")), width, (entry) =>
    makeAnew(place(entry), () => writeSymlink(place(entry), entry)),
  );
  await forEachBounded(entries.filter(isOfType("hardlink")), width, (entry) =>
    makeAnew(place(entry), () => link(join(directory, entry.target ?? rootPath), place(entry))),
  );
  for (const entry of files) if (!isExactForNode(entry)) await setExactTime(place(entry), entry);
  await forEachBounded(directories, width, (entry) => finishDirectory(place(entry), entry));
  return { files: files.length, bytes: files.reduce((sum, entry) => sum + dataBytes(entry), 0) };
};
