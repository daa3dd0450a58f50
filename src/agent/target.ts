/** A volume that is about to be written: is it what it should be, and is there room? */
import { lstat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../model/failure.ts";
import { formatBytes } from "../model/units.ts";
import type { AgentContext } from "./agent-context.ts";

export interface Target {
  readonly volume: string;
  readonly root: string;
  /** The file system's device number: it must not change while we write. */
  readonly device: number;
}

/** Throws TARGET_ESCAPES when the path to the volume's files is not a plain directory. */
export const openTarget = async (
  context: AgentContext,
  { key, volume }: { readonly key: string; readonly volume: string },
): Promise<Target> => {
  const root = join(context.places.volumes, key);
  const stats = await lstat(root);
  if (!stats.isDirectory()) {
    throw new Failure("TARGET_ESCAPES", {
      what: `The root of ${volume} is not a directory.`,
      why: "a symbolic link there would lead the restore somewhere else",
      todo: "Look at how the volume is mounted on its node.",
    });
  }
  return { volume, root, device: stats.dev };
};

/** Throws TARGET_ESCAPES when another file system has appeared, or ours is gone, since the target was opened. */
export const checkSameDevice = async (target: Target): Promise<void> => {
  const stats = await lstat(target.root);
  if (stats.isDirectory() && stats.dev === target.device) return;
  throw new Failure("TARGET_ESCAPES", {
    what: `What is mounted as ${target.volume} changed during the restore.`,
    why: "its file system is another one than before",
  });
};

/** Room that file systems need beside the files' bytes: directories, and blocks that are not full. */
const overhead = 1.02;
const bytesPerEntry = 4096;

interface CopySize {
  readonly bytes: number;
  readonly files: number;
  readonly directories: number;
}

/** Room that a copy takes. Small files fill a block each on most file systems; on those that compress it is less. */
export const neededBytes = ({ bytes, files, directories }: CopySize): number =>
  Math.ceil(bytes * overhead) + Math.min((files + directories) * bytesPerEntry, bytes);

/** Bytes that can still be written. */
export const freeBytes = async (root: string): Promise<number> => {
  const { bavail, bsize } = await statfs(root);
  return bavail * bsize;
};

/** Throws TARGET_TOO_SMALL when the copy does not fit beside what is there. */
export const checkRoom = async (target: Target, copy: CopySize): Promise<void> => {
  const needed = neededBytes(copy);
  const free = await freeBytes(target.root);
  if (needed <= free) return;
  const { blocks, bsize } = await statfs(target.root);
  const isHopeless = needed > blocks * bsize;
  const grow = "Grow the claim, free some room in it, or restore into a larger one with --to NAMESPACE/PVC";
  throw new Failure("TARGET_TOO_SMALL", {
    what: `The copy needs ${formatBytes(needed)} in ${target.volume}, which has ${formatBytes(free)} free.`,
    why: isHopeless
      ? `the whole volume has only ${formatBytes(blocks * bsize)}`
      : "the present files stay beside the new ones until those are verified",
    todo: isHopeless ? `${grow}.` : `${grow}; with --make-room the present files go first, and there is NO UNDO.`,
  });
};
