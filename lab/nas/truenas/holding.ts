/** Setting and taking away holds, and remembering their tags. */
import { isZfsError } from "../../zfs/zfs-error.ts";
import { forgetTag, rememberTag, tagsOf } from "./hold-tags.ts";
import { readObjects, readSnapshot, type SnapshotObject } from "./objects.ts";
import type { World } from "./world.ts";

export interface Holding {
  readonly path: string;
  /** On release, undefined is every tag. */
  readonly tag: string | undefined;
  readonly recursive: boolean;
}

/** The snapshots of this name at and below its dataset. */
const meant = async (world: World, { path, recursive }: Holding): Promise<readonly SnapshotObject[]> => {
  const [under = "", name] = path.split("@");
  if (recursive) return (await readObjects(world, { under })).snapshots.filter(({ snapshot }) => snapshot === name);
  const one = await readSnapshot(world, path);
  return one === undefined ? [] : [one];
};

/** All or none. Throws a `ZfsError` of kind `tag-taken`. */
export const holdSnapshot = async (world: World, holding: Holding & { readonly tag: string }): Promise<void> => {
  await world.zfs.hold(holding.tag, holding.path, { recursive: holding.recursive });
  for (const snapshot of await meant(world, holding)) await rememberTag(world, snapshot, holding.tag);
};

/** A tag that has gone is no error. */
const releaseTag = async (world: World, snapshot: SnapshotObject, tag: string): Promise<void> => {
  try {
    await world.zfs.release(tag, snapshot.name);
  } catch (error) {
    if (!isZfsError(error, "no-tag")) throw error;
  }
  await forgetTag(world, snapshot, tag);
};

/** A snapshot below that lacks the tag is no error, and neither is a tag that has gone. */
export const releaseSnapshot = async (world: World, holding: Holding): Promise<void> => {
  for (const snapshot of await meant(world, holding)) {
    const tags = holding.tag === undefined ? await tagsOf(world, snapshot) : [holding.tag];
    for (const tag of tags) await releaseTag(world, snapshot, tag);
  }
};
