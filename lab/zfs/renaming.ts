/**
 * Renaming as OpenZFS does it. Two things are zfs-fuse's own:
 * - Its rename unmounts, finds the dataset still busy because FUSE has not released it, and mounts again, however often it
 *   is asked; so the unmount comes first and by itself.
 * - A mounted clone holds the snapshot that it came from, and now and then (in one renaming of six, with the clone made a
 *   moment before) that counts as a use of the snapshot's dataset, for as long as the clone is mounted. Mounted and
 *   unmounted once more, the dataset is free, at the fifth try at the latest of what was seen.
 */
import { patiently } from "./patience.ts";
import type { Zfs } from "./zfs.ts";

type Renaming = Pick<Zfs, "list" | "mounted" | "mount" | "unmount" | "rename">;

const unmountAll = async (zfs: Renaming, name: string): Promise<readonly string[]> => {
  const unmounted: string[] = [];
  try {
    for (const one of (await zfs.list({ type: "filesystem", under: name })).toReversed()) {
      if (!(await zfs.mounted(one))) continue;
      await patiently(() => zfs.unmount(one));
      unmounted.unshift(one);
    }
    return unmounted;
  } catch (error) {
    for (const one of unmounted) await zfs.mount(one);
    throw error;
  }
};

/**
 * Renames a filesystem with everything below it; what was mounted is mounted again, at its new place or, when it fails, at
 * the old one. Throws kinds `exists`, `missing`, `no-parent`, and `busy` for what somebody uses.
 */
export const renameTree = async (zfs: Renaming, name: string, newName: string): Promise<void> => {
  const mounted = await unmountAll(zfs, name);
  const openAnew = async (): Promise<void> => {
    await zfs.mount(name);
    await patiently(() => zfs.unmount(name));
  };
  let now = name;
  try {
    await patiently(() => zfs.rename(name, newName), mounted.includes(name) ? openAnew : undefined);
    now = newName;
  } finally {
    for (const one of mounted) await patiently(() => zfs.mount(`${now}${one.slice(name.length)}`));
  }
};
