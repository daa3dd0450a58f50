import { describe, expect, it } from "vitest";
import { makers, type Sample } from "../inventory/datasets/testing/volumes.ts";
import { Failure, isFailure } from "../model/failure.ts";
import type { Nas } from "../systems/nas/port.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import { lineagesOf, liveNasView, recordInventory } from "./nas-view.ts";
import { showOrphans } from "./nas-orphans-body.ts";
import { fakeWorld, type FakeWorld } from "./testing/fake-world.ts";
import { loadedWithNas, nasOf } from "./testing/nas-world.ts";
import type { World } from "./world.ts";

const [kept, lost] = [makers["democratic-csi NFS"](1), makers["democratic-csi NFS"](2)] as const;
const claimRef = { namespace: "media", name: "sonarr-config" };

const worldOf = (nas: () => Promise<Nas>, options: Partial<Parameters<typeof fakeWorld>[1]> = {}): FakeWorld =>
  fakeWorld({}, { ...options, part: { loaded: loadedWithNas, nas } });
const answering = async (): Promise<Nas> => nasOf([kept, lost]);
const silent = async (): Promise<Nas> => {
  throw new Failure("NAS_UNREACHABLE", { what: "off" });
};
const putPvs = ({ kubernetes }: FakeWorld, ...samples: readonly Sample[]): void => {
  for (const { pv } of samples) kubernetes.put(resources.persistentVolumes, { ...pv, spec: { ...pv.spec, claimRef } });
};

const record = async (world: World): Promise<void> => recordInventory(world, await liveNasView(world));

describe("holdfast nas orphans", () => {
  it("lists a dataset that lost its PV, as the claim that an inventory knew", async () => {
    const place = worldOf(answering);
    putPvs(place, kept, lost);
    await record(place.world);
    await place.kubernetes.remove(resources.persistentVolumes, lost.pv.metadata);
    await record(place.world);
    await showOrphans(place.cli, place.world, { output: "table" });
    const [head, row, ...rest] = place.context.out().split("\n");
    expect(head).toMatch(/^NAME +KIND +SIZE +AGE +PROBABLY WAS +WHY$/);
    expect(row).toMatch(
      /^tank\/k8s\/nfs\/v\/pvc-2 +dataset +1000 B +\d+d +media\/sonarr-config \(PV pvc-2\), last there on 2026-11-23/,
    );
    expect(rest.join("\n")).toContain("1 orphans, 1000 B. Nothing was removed");
  });

  it.each([
    ["json", /"name": "tank\/k8s\/nfs\/v\/pvc-2",\n +"guid": "\d+"/],
    ["yaml", /name: tank\/k8s\/nfs\/v\/pvc-2\n/],
    ["name", /^tank\/k8s\/nfs\/v\/pvc-2\n$/],
    ["wide", /destroy it on the NAS/],
  ] as const)("gives the same as %s", async (output, expected) => {
    const place = worldOf(answering);
    putPvs(place, kept);
    await showOrphans(place.cli, place.world, { output });
    expect(place.context.out()).toMatch(expected);
  });

  it("says so when there are none", async () => {
    const place = worldOf(answering);
    putPvs(place, kept, lost);
    await showOrphans(place.cli, place.world, { output: "table" });
    expect(place.context.out()).toBe("There are no orphans below nas.parents.\n");
  });

  it("tells nothing to the empty successor of a cluster, to whom everything would look like one", async () => {
    const old = worldOf(answering);
    putPvs(old, kept, lost);
    await record(old.world);
    const successor = worldOf(answering, { store: old.store });
    await expect(showOrphans(successor.cli, successor.world, { output: "table" })).rejects.toMatchObject({
      code: "FENCED",
    });
    expect(successor.context.out()).toBe("");
  });

  it.each(["KUBERNETES_UNREACHABLE", "KUBERNETES_FORBIDDEN"] as const)(
    "tells nothing when the PVs are not known: %s",
    async (code) => {
      const place = worldOf(answering);
      place.kubernetes.fail({ resource: resources.persistentVolumes }, new Failure(code, { what: "no" }));
      await expect(showOrphans(place.cli, place.world, { output: "table" })).rejects.toMatchObject({ code });
    },
  );

  it("needs a NAS, in holdfast.yaml and on the network", async () => {
    const without = fakeWorld();
    await expect(showOrphans(without.cli, without.world, { output: "table" })).rejects.toMatchObject({
      code: "NAS_UNSUPPORTED",
    });
    const off = worldOf(silent);
    await expect(showOrphans(off.cli, off.world, { output: "table" })).rejects.toMatchObject({
      code: "NAS_UNREACHABLE",
    });
  });
});

describe("what the NAS adds to volumes", () => {
  const volume = (sample: Sample) => ({
    namespace: "media",
    claim: "sonarr-config",
    claimUid: "c",
    phase: "Bound",
    storageClass: undefined,
    volumeMode: "Filesystem",
    accessModes: [],
    capacity: undefined,
    created: "",
    deleting: false,
    excludedByLabel: false,
    mounts: [],
    workloads: [],
    backing: {
      name: sample.pv.metadata.name,
      uid: "u",
      reclaimPolicy: "Delete",
      source: "csi",
      driver: "d",
      handle: "h",
    },
  });
  const guidOf = async (place: FakeWorld, pvs: readonly Sample["pv"][] | undefined): Promise<string | undefined> =>
    (await lineagesOf(place.world, [volume(kept)], pvs, await liveNasView(place.world))).volumes[0]?.backing?.guid;

  it("are the GUIDs of their datasets", async () => {
    expect(await guidOf(worldOf(answering), [kept.pv])).toBe(kept.dataset.guid);
  });

  it("comes from the newest inventory that has it while NAS, or cluster, or both do not answer", async () => {
    const place = worldOf(answering);
    putPvs(place, kept);
    await record(place.world);
    const off = worldOf(silent, { store: place.store });
    expect(await guidOf(off, [kept.pv])).toBe(kept.dataset.guid);
    expect(await guidOf(off, undefined)).toBe(kept.dataset.guid);
    expect(await guidOf(worldOf(answering, { store: place.store }), undefined)).toBe(kept.dataset.guid);
    // An inventory that was written while the NAS was away hides no older one.
    const away = { ...place.world, nas: silent };
    await record(away);
    expect(await guidOf({ ...place, world: away }, [kept.pv])).toBe(kept.dataset.guid);
  });

  it("is nothing where nobody knows, and no reason to fail", async () => {
    expect(await guidOf(worldOf(silent), [kept.pv])).toBeUndefined();
    expect(await guidOf(fakeWorld(), [kept.pv])).toBeUndefined();
  });

  it("does not hide a defect of ours", async () => {
    const defect = new TypeError("x");
    const broken = worldOf(async () => {
      throw defect;
    });
    const thrown = await guidOf(broken, [kept.pv]).catch((error: unknown) => error);
    expect(isFailure(thrown)).toBe(false);
    expect(thrown).toBe(defect);
  });
});
