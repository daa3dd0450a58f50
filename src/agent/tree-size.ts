/** How much room a tree takes on its disk. */
import { isOurs } from "./directories.ts";
import { readTree } from "./live-tree.ts";
import type { TreeSize } from "./lines.ts";

/** The tree below a directory, without what is ours directly below it. Cost: one `lstat` for each entry; memory for files with several names. */
export const treeSize = async (directory: string): Promise<TreeSize> => {
  const counted = new Set<bigint>();
  let [entries, bytes] = [0, 0];
  for await (const entry of readTree(directory, isOurs)) {
    entries += 1;
    if (counted.has(entry.inode)) continue;
    if (entry.links > 1 && entry.type !== "directory") counted.add(entry.inode);
    bytes += entry.allocated;
  }
  return { entries, bytes };
};
