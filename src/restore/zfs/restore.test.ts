/** A restore from a ZFS snapshot as the engine carries it out, judged by content. Deaths at its calls: `../kill-matrix.test.ts`. */
import { afterEach, describe, expect, it } from "vitest";
import { resources } from "../../systems/kubernetes/resources.ts";
import { MemoryNas } from "../../systems/nas/memory.ts";
import { aZfsScene, type Protocol, type ZfsScene } from "./testing/scene.ts";

const scenes: ZfsScene[] = [];
const open = async (protocol: Protocol = "nfs", guarded = false): Promise<ZfsScene> => {
  const scene = await aZfsScene(protocol, { guarded });
  scenes.push(scene);
  return scene;
};
afterEach(() => {
  for (const scene of scenes.splice(0)) scene.stop();
});

const protocols = ["nfs", "iscsi"] as const;

describe.each(protocols)("a restore from ZFS (%s)", (protocol) => {
  it("gives the claim a clone, and leaves the present dataset and PV as they are", async () => {
    const scene = await open(protocol);
    const state = await scene.process().operations.start("op-1", scene.plan);
    await scene.demand(true, "after it");
    const pv = await scene.pv("pv-1-rabc123");
    expect(pv?.spec).toMatchObject({
      persistentVolumeReclaimPolicy: "Retain",
      csi: { volumeHandle: "pvc-1-rabc123", driver: "org.democratic-csi" },
    });
    expect(pv?.metadata.annotations).toMatchObject({ "pv.kubernetes.io/provisioned-by": "org.democratic-csi" });
    expect(state.setAside).toEqual([
      { volume: "media/sonarr-config", where: `dataset ${scene.dataset}`, bytes: expect.any(Number) as number },
    ]);
    const clone = await new MemoryNas(scene.zfs).dataset("tank/k8s/v/pvc-1-rabc123");
    expect(clone?.properties).toMatchObject({
      "democratic-csi:managed_resource": "true",
      "democratic-csi:csi_volume_name": "pvc-1-rabc123",
      "holdfast.dev:continues": expect.stringContaining("pv-1") as string,
    });
    const remembered = JSON.parse(clone?.properties["democratic-csi:csi_share_volume_context"] ?? "{}") as object;
    expect(pv?.spec.csi?.volumeAttributes).toMatchObject(remembered);
  });

  it("is taken back with the claim on its own dataset again, and what was written since set aside", async () => {
    const scene = await open(protocol);
    const { operations } = scene.process();
    await operations.start("op-1", scene.plan);
    scene.zfs.write("tank/k8s/v/pvc-1-rabc123", "new, and used");
    const undo = await operations.undo("op-1");
    await scene.demand(false, "after the undo");
    expect(undo.setAside).toEqual([expect.objectContaining({ where: "dataset tank/k8s/v/pvc-1-rabc123" }) as object]);
    const again = await operations.undo(undo.id);
    expect(await scene.content()).toBe("new, and used");
    await operations.undo(again.id);
    expect(await scene.content()).toBe("old");
  });

  it("is taken back after a second one that was taken back first", async () => {
    const scene = await open(protocol);
    const { operations } = scene.process();
    await operations.start("op-1", scene.plan);
    const nas = new MemoryNas(scene.zfs);
    const snapshot = await nas.createSnapshot({ dataset: "tank/k8s/v/pvc-1-rabc123", snapshot: "point-2" });
    scene.zfs.write("tank/k8s/v/pvc-1-rabc123", "between");
    await operations.start("op-2", await scene.planAgain(snapshot, "def456"));
    expect(await scene.content()).toBe("new");
    const second = await operations.undo("op-2");
    expect(await scene.content()).toBe("between");
    const first = await operations.undo("op-1");
    expect(await scene.content()).toBe("old");
    await operations.undo(first.id);
    expect(await scene.content()).toBe("between");
    await operations.undo(second.id);
    expect(await scene.content()).toBe("new");
  });

  it("settled, the clone lives by itself and nothing is left of what it came from", async () => {
    const scene = await open(protocol);
    const { operations } = scene.process();
    await operations.start("op-1", scene.plan);
    await operations.settle("op-1");
    expect(await scene.content()).toBe("new");
    const nas = new MemoryNas(scene.zfs);
    expect(await nas.dataset(scene.dataset)).toBeUndefined();
    expect(await nas.dataset("tank/k8s/v/pvc-1-rabc123")).toMatchObject({ origin: undefined });
    expect(await scene.pv("pv-1")).toBeUndefined();
    const exports = await nas.exports();
    expect([...exports.nfs, ...exports.targets]).toHaveLength(1);
    await expect(operations.undo("op-1")).rejects.toMatchObject({ code: "OPERATION_NOT_UNDOABLE" });
  });

  it("settled after its undo, the clone is gone with everything that was made for it", async () => {
    const scene = await open(protocol);
    const { operations } = scene.process();
    await operations.start("op-1", scene.plan);
    const undo = await operations.undo("op-1");
    await operations.settle(undo.id);
    expect(await scene.left()).toEqual([]);
    expect(await scene.content()).toBe("old");
  });

  it("is nothing but what it was, when the pool is full", async () => {
    const scene = await open(protocol);
    scene.zfs.setPool("tank", { otherBytes: Number.MAX_SAFE_INTEGER });
    await expect(scene.process().operations.start("op-1", scene.plan)).rejects.toMatchObject({ code: "NAS_FULL" });
    scene.zfs.setPool("tank", { otherBytes: 0 });
    await scene.demand(false, "after a full pool");
  });
});

describe("a restore from ZFS", () => {
  it("never takes what somebody else has made under its names", async () => {
    const scene = await open();
    scene.zfs.create("tank/k8s/v/pvc-1-rabc123", { content: "somebody's" });
    await expect(scene.process().operations.start("op-1", scene.plan)).rejects.toMatchObject({ code: "NAS_EXISTS" });
    expect(scene.zfs.content("tank/k8s/v/pvc-1-rabc123")).toBe("somebody's");
    expect(await scene.content()).toBe("old");
  });

  it("lets the claim go only when its volume says Retain", async () => {
    const scene = await open();
    scene.cluster.kubernetes.fail(
      { verb: "patch", resource: resources.persistentVolumes, name: "pv-1" },
      new Error("no"),
      { times: 1 },
    );
    await expect(scene.process().operations.start("op-1", scene.plan)).rejects.toThrow("no");
    await scene.demand(false, "after a refusal");
  });
});

describe("a restore of a guarded volume", () => {
  it("and its undo each leave a guarded volume, with Retain", async () => {
    const scene = await open("nfs", true);
    const { operations } = scene.process();
    await operations.start("op-1", scene.plan);
    await scene.demand(true, "after the restore");
    await operations.undo("op-1");
    await scene.demand(false, "after its undo");
    expect((await scene.pv("pv-1"))?.metadata.annotations).toMatchObject({ "holdfast.dev/guard": "deny" });
  });

  it("can be settled: what the guard would keep for ever is let go by whoever set it aside", async () => {
    const scene = await open("nfs", true);
    const { operations } = scene.process();
    await operations.start("op-1", scene.plan);
    await operations.settle("op-1");
    expect(await scene.pv("pv-1")).toBeUndefined();
    expect(await scene.content()).toBe("new");
  });
});
