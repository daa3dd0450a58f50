/** Everything below a directory, by paths relative to it. */
import type { BigIntStats } from "node:fs";
import { lstat, opendir } from "node:fs/promises";
import { join } from "node:path";
import { forEachBounded } from "./bounded.ts";
import { rootPath } from "./entry.ts";

const width = 8;

/** Calls `visit` with the directory itself (path ".") and all that lies below, several at a time, except what `skip` covers. */
export const walk = async (
  directory: string,
  skip: (path: string) => boolean,
  visit: (path: string, stats: BigIntStats) => Promise<void>,
): Promise<void> => {
  const folders = [rootPath];
  await visit(rootPath, await lstat(directory, { bigint: true }));
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const paths: string[] = [];
    for await (const { name } of await opendir(join(directory, folder), { bufferSize: 256 })) {
      const path = folder === rootPath ? name : `${folder}/${name}`;
      if (!skip(path)) paths.push(path);
    }
    await forEachBounded(paths, width, async (path) => {
      const stats = await lstat(join(directory, path), { bigint: true });
      if (stats.isDirectory()) folders.push(path);
      await visit(path, stats);
    });
  }
};
