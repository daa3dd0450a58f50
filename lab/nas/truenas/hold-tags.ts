/**
 * Tags of holds. zfs-fuse keeps holds but cannot list them, so what was set through the API is remembered by the
 * snapshot's GUID; `userrefs` tells whether it is still true.
 */
import type { SnapshotObject } from "./objects.ts";
import type { World } from "./world.ts";

/** What the API calls a hold of its own. */
export const ownTag = "truenas";

/** How many holds a snapshot has, as ZFS counts. */
export const userrefs = ({ properties }: SnapshotObject): number => Number(properties.get("userrefs")?.value ?? 0);

/** A snapshot's tags; holds that somebody set with zfs itself appear under a name that says so. */
export const tagsOf = async (world: World, snapshot: SnapshotObject): Promise<readonly string[]> => {
  const count = userrefs(snapshot);
  if (count === 0) return [];
  const known = (await world.state.read()).holds[snapshot.guid] ?? [];
  const foreign = Math.max(count - known.length, 0);
  return [...known, ...Array.from({ length: foreign }, (_, index) => `unknown-to-the-lab-${index + 1}`)].slice(
    0,
    count,
  );
};

export const rememberTag = (world: World, { guid }: SnapshotObject, tag: string): Promise<void> =>
  world.state.change((state) => ({
    state: { ...state, holds: { ...state.holds, [guid]: [...(state.holds[guid] ?? []), tag] } },
    result: undefined,
  }));

export const forgetTag = (world: World, { guid }: SnapshotObject, tag: string): Promise<void> =>
  world.state.change((state) => {
    const left = (state.holds[guid] ?? []).filter((known) => known !== tag);
    return { state: { ...state, holds: { ...state.holds, [guid]: left } }, result: undefined };
  });
