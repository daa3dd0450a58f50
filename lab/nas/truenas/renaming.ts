/**
 * Renaming datasets. zfs-fuse's own rename unmounts, finds the dataset still busy because FUSE has not released it, and
 * mounts again, however often it is asked; so the unmount comes first and by itself.
 */
import type { Zfs } from "../../zfs/zfs.ts";
import { patiently } from "./patience.ts";
import { readObjects } from "./objects.ts";
import type { World } from "./world.ts";

const mountedOf = async (zfs: Zfs, names: readonly string[]): Promise<readonly string[]> => {
  const found: string[] = [];
  for (const name of names) if (await zfs.mounted(name)) found.push(name);
  return found;
};

/** Renames with everything below; what was mounted is mounted again, at its new place or, when it fails, at the old one. */
export const renameDataset = async (world: World, name: string, newName: string): Promise<void> => {
  const { zfs } = world;
  const { datasets } = await readObjects(world, { under: name });
  const mounted = await mountedOf(
    zfs,
    datasets.map((dataset) => dataset.name),
  );
  let now = name;
  try {
    for (const one of mounted.toReversed()) await patiently(() => zfs.unmount(one));
    await patiently(() => zfs.rename(name, newName));
    now = newName;
  } finally {
    for (const one of mounted) await patiently(() => zfs.mount(`${now}${one.slice(name.length)}`));
  }
};
