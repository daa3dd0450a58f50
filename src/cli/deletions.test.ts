import { describe, expect, it } from "vitest";
import { makers, type Sample } from "../inventory/datasets/testing/volumes.ts";
import type { Claim } from "../inventory/raw.ts";
import { readClusterObjects } from "../inventory/read.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import { findDeletions } from "./deletions.ts";
import { liveNasView, recordInventory } from "./nas-view.ts";
import { fakeWorld } from "./testing/fake-world.ts";
import { loadedWithNas, nasOf } from "./testing/nas-world.ts";

const [first, second] = [makers["democratic-csi NFS"](1), makers["democratic-csi NFS"](2)];
const name = { namespace: "media", name: "sonarr" };

const { persistentVolumeClaims: claims, persistentVolumes } = resources;

/** A claim whose volumes can be changed, and written down, as time goes on. */
const aClaim = () => {
  let stored: readonly Sample[] = [];
  let minutes = 0;
  const { world, kubernetes } = fakeWorld({}, { part: { loaded: loadedWithNas, nas: async () => nasOf(stored) } });
  return {
    /** The claim is made, bound to a new volume, and written down. */
    bind: async ({ pv, ...sample }: Sample) => {
      stored = [...stored, { pv, ...sample }];
      const spec = { volumeName: pv.metadata.name };
      const { metadata } = kubernetes.put<Claim>(claims, { metadata: name, spec, status: { phase: "Bound" } });
      minutes += 1;
      const creationTimestamp = new Date(minutes * 60_000).toISOString();
      kubernetes.put(persistentVolumes, {
        ...pv,
        metadata: { ...pv.metadata, creationTimestamp },
        spec: { ...pv.spec, claimRef: { ...name, uid: metadata.uid ?? "" } },
      });
      await recordInventory(world, await liveNasView(world));
    },
    /** Claim and PV go; the dataset stays. */
    remove: async ({ pv }: Sample) => {
      await kubernetes.remove(claims, name);
      await kubernetes.remove(persistentVolumes, pv.metadata);
    },
    /** Git makes it anew; nothing provisions it yet. */
    makeAgain: () => kubernetes.put<Claim>(claims, { metadata: name, spec: {}, status: { phase: "Pending" } }),
    destroy: (...gone: readonly Sample[]) => (stored = stored.filter((one) => !gone.some(({ pv }) => pv === one.pv))),
    find: async () => findDeletions(world, await readClusterObjects(kubernetes), ["media/sonarr"]),
  };
};

describe("a claim that was deleted with its PersistentVolume, and made again", () => {
  it("has an earlier volume, as long as that has its bytes", async () => {
    const { bind, remove, makeAgain, find } = aClaim();
    await bind(first);
    await remove(first);
    makeAgain();
    expect(await find()).toMatchObject([{ remains: "dataset", successor: { metadata: name } }]);
  });

  it("is not deleted when the bytes are gone", async () => {
    const { bind, remove, makeAgain, destroy, find } = aClaim();
    await bind(first);
    await remove(first);
    makeAgain();
    destroy(first);
    await expect(find()).rejects.toMatchObject({ code: "NOT_DELETED" });
  });

  it("has its earlier volume also when newer inventories know only the present one", async () => {
    const { bind, remove, destroy, find } = aClaim();
    await bind(first);
    await remove(first);
    await bind(second);
    expect(await find()).toMatchObject([{ remains: "dataset", pv: { metadata: { name: first.pv.metadata.name } } }]);
    destroy(first);
    await expect(find()).rejects.toMatchObject({ code: "NOT_DELETED" });
  });
});

describe("a claim that is gone, and has had several volumes", () => {
  it("comes back with the last one that has its bytes, and it is said which one is lost", async () => {
    const { bind, remove, destroy, find } = aClaim();
    for (const sample of [first, second]) {
      await bind(sample);
      await remove(sample);
    }
    const [lost, kept] = [second.pv.metadata.name, first.pv.metadata.name];
    expect(await find()).toMatchObject([
      { remains: "dataset", pv: { metadata: { name: lost } }, lostSince: undefined },
    ]);
    destroy(second);
    expect(await find()).toMatchObject([{ remains: "dataset", pv: { metadata: { name: kept } }, lostSince: lost }]);
    destroy(first);
    expect(await find()).toMatchObject([{ remains: "copy", pv: { metadata: { name: lost } }, lostSince: undefined }]);
  });
});
