/** Where finished programs are kept, outside of any checkout and shared by all labs of a user. */
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Component } from "./catalogue.ts";

/** The path of a program in the cache, whether it is there or not. */
export const cachedPath = (cacheDir: string, { name, version, key }: Component): string =>
  join(cacheDir, "bin", name, `${version}-${key}`, name);

/** The log of a program's last build. */
export const buildLog = (cacheDir: string, { name }: Component): string => join(cacheDir, "log", `${name}.log`);

/** Only one process at a time downloads or builds: two would compile the same packages. */
export const componentsLock = (cacheDir: string): string => join(cacheDir, "components.lock");

const draftMark = ".draft-";

/**
 * Puts a file into its place in one step: `write` gets a name of its own to write to, so an interruption leaves no half
 * file under the final name. Drafts that an earlier interruption left are removed: call it while holding a lock.
 */
export const place = async (file: string, write: (draft: string) => Promise<void>): Promise<void> => {
  const dir = dirname(file);
  mkdirSync(dir, { recursive: true });
  for (const entry of readdirSync(dir)) {
    if (entry.startsWith(`${basename(file)}${draftMark}`)) rmSync(join(dir, entry));
  }
  const draft = `${file}${draftMark}${process.pid}`;
  try {
    await write(draft);
    renameSync(draft, file);
  } finally {
    rmSync(draft, { force: true });
  }
};

/** Like `place`, for a program. */
export const placeProgram = (file: string, write: (draft: string) => Promise<void>): Promise<void> =>
  place(file, async (draft) => {
    await write(draft);
    chmodSync(draft, 0o755);
  });

/** Tells whether a program is in the cache. */
export const isCached = (cacheDir: string, component: Component): boolean =>
  existsSync(cachedPath(cacheDir, component));
