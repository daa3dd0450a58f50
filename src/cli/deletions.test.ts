import { describe, expect, it } from "vitest";
import { makers, type Sample } from "../inventory/datasets/testing/volumes.ts";
import type { Claim } from "../inventory/raw.ts";
import { readClusterObjects } from "../inventory/read.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import { findDeletions } from "./deletions.ts";
import { liveNasView, recordInventory } from "./nas-view.ts";
import { fakeWorld } from "./testing/fake-world.ts";
import { loadedWithNas, nasOf } from "./testing/nas-world.ts";

const sample = makers["democratic-csi NFS"](1);
const name = { namespace: "media", name: "sonarr" };

/** A volume that an inventory knows, whose claim was deleted with its PV and made again. */
const aClaimMadeAgain = async () => {
  let stored: readonly Sample[] = [sample];
  const { world, kubernetes } = fakeWorld({}, { part: { loaded: loadedWithNas, nas: async () => nasOf(stored) } });
  const { persistentVolumeClaims: claims, persistentVolumes } = resources;
  const { metadata } = kubernetes.put<Claim>(claims, {
    metadata: name,
    spec: { volumeName: sample.pv.metadata.name },
    status: { phase: "Bound" },
  });
  const claimRef = { ...name, uid: metadata.uid ?? "" };
  kubernetes.put(persistentVolumes, { ...sample.pv, spec: { ...sample.pv.spec, claimRef } });
  await recordInventory(world, await liveNasView(world));
  await kubernetes.remove(claims, name);
  await kubernetes.remove(persistentVolumes, sample.pv.metadata);
  kubernetes.put<Claim>(claims, { metadata: name, spec: {}, status: { phase: "Pending" } });
  return {
    find: async () => findDeletions(world, await readClusterObjects(kubernetes), ["media/sonarr"]),
    destroy: () => (stored = []),
  };
};

describe("a claim that was deleted with its PersistentVolume, and made again", () => {
  it("has an earlier volume, as long as that has its bytes", async () => {
    const { find } = await aClaimMadeAgain();
    expect(await find()).toMatchObject([{ remains: "dataset", successor: { metadata: name } }]);
  });

  it("is not deleted when the bytes are gone", async () => {
    const { find, destroy } = await aClaimMadeAgain();
    destroy();
    await expect(find()).rejects.toMatchObject({ code: "NOT_DELETED" });
  });
});
