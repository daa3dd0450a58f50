/**
 * The NAS keeps its disk in memory where there is plenty: apps that commit three times a second, to ZFS in user space, on
 * an image file, would otherwise keep a small machine's disk busy with flushes. The lab's folder holds a link to it.
 */
import { existsSync, mkdirSync, rmSync, statfsSync, symlinkSync } from "node:fs";
import { freemem } from "node:os";
import { join } from "node:path";
import { type Lab, paths } from "./lab.ts";

/** Files there are kept in memory, where the machine has it. */
export const sharedMemory = "/dev/shm";
/** Bytes that must be free, in memory and in its file system: the NAS of a lab needs about two. */
const enough = 8 * 2 ** 30;

/** Where a lab's folder in memory is, if it has one. */
export const memoryDir = (lab: Lab): string => join(sharedMemory, lab.id);

/** Bytes that are free in the file system of a folder; 0 when there is no such folder. */
export const freeIn = (dir: string): number => {
  if (!existsSync(dir)) return 0;
  const { bavail, bsize } = statfsSync(dir);
  return bavail * bsize;
};

/** To be called before anything writes to the NAS's folder. HOLDFAST_LAB_MEMORY=0 keeps it on disk. */
export const placeNas = (lab: Lab): void => {
  if (process.env["HOLDFAST_LAB_MEMORY"] === "0" || freemem() < enough || freeIn(sharedMemory) < enough) return;
  mkdirSync(memoryDir(lab), { recursive: true });
  symlinkSync(memoryDir(lab), paths(lab).nasState);
};

export const removeMemory = (lab: Lab): void => rmSync(memoryDir(lab), { recursive: true, force: true });
