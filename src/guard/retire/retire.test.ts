/** Volumes retired, restored and freed, carried out by the engine against the twin. */
import { afterEach, describe, expect, it } from "vitest";
import { Failure } from "../../model/failure.ts";
import type { KubeObject } from "../../systems/kubernetes/port.ts";
import { resources } from "../../systems/kubernetes/resources.ts";
import { planNow } from "../protect/testing/scene.ts";
import { aRetireScene, retirePlan, type RetireScene, type Retiring } from "./testing/scene.ts";

const scenes: RetireScene[] = [];
const open = async (retiring: Retiring): Promise<RetireScene> => {
  const scene = await aRetireScene(retiring);
  scenes.push(scene);
  return scene;
};
afterEach(() => {
  for (const scene of scenes.splice(0)) scene.stop();
});

const carryOut = (scene: RetireScene) => scene.process().operations.start("op-1", scene.plan);
const kinds = ({ plan }: RetireScene): readonly string[] => plan.steps.map(({ kind }) => kind);
const claims = resources.persistentVolumeClaims;
const claimName = { namespace: "media", name: "sonarr-config" };
const pvs = resources.persistentVolumes;
const name = { name: "pv-sonarr-config" };

describe("a volume that nobody has in git", () => {
  it("is copied, put into the trash, and its claim deleted; its PersistentVolume stays guarded", async () => {
    const scene = await open("alone");
    expect(kinds(scene)).toEqual(["last-copy", "mark-trash", "retire-claims"]);
    await carryOut(scene);
    expect([await scene.claim(), [...scene.copies.made]]).toEqual([undefined, ["p1"]]);
    expect(await scene.pv()).toMatchObject({
      metadata: {
        annotations: {
          "holdfast.dev/guard": "deny",
          "holdfast.dev/trash": expect.stringMatching(/^2026-01-01T/) as string,
          "holdfast.dev/trash-point": "p1",
        },
      },
      spec: { persistentVolumeReclaimPolicy: "Retain", claimRef: { namespace: "media", name: "sonarr-config" } },
      status: { phase: "Released" },
    });
  });

  it("stays as it was when its last copy fails", async () => {
    const scene = await open("alone");
    scene.copies.failure = new Failure("BACKUP_PARTIAL", { what: "The last copy lacks media/sonarr-config." });
    await expect(carryOut(scene)).rejects.toMatchObject({ code: "BACKUP_PARTIAL" });
    await scene.demand(false, "after it");
  });

  it("comes back by undo, guarded as before, and goes again by undoing that", async () => {
    const scene = await open("alone");
    const before = await scene.traces();
    await carryOut(scene);
    const after = await scene.traces();
    await scene.process().operations.undo("op-1");
    expect(await scene.traces()).toEqual(before);
    const [latest] = (await scene.process().operations.list()).operations;
    await scene.process().operations.undo(latest?.id ?? "");
    expect(await scene.traces()).toEqual(after);
  });

  it("is not given its name back by undo when another claim has it by now", async () => {
    const scene = await open("alone");
    await carryOut(scene);
    const claim = scene.kubernetes.put(claims, { metadata: claimName, spec: { volumeName: "pv-new" } } as KubeObject);
    await expect(scene.process().operations.undo("op-1")).rejects.toMatchObject({
      code: "KUBERNETES_CONFLICT",
      what: "Another claim has the name media/sonarr-config by now.",
    });
    expect((await scene.claim())?.metadata.uid).toBe(claim.metadata.uid);
  });

  it("stays when a pod has begun to use it since the plan was shown", async () => {
    const scene = await open("alone");
    const volumes = [{ name: "data", persistentVolumeClaim: { claimName: claimName.name } }];
    const pod = { metadata: { namespace: "media", name: "late" }, spec: { containers: [], volumes } };
    scene.kubernetes.put(resources.pods, pod);
    await expect(carryOut(scene)).rejects.toMatchObject({
      code: "RETIRE_IMPOSSIBLE",
      why: "media/sonarr-config: pod late",
    });
    await scene.demand(false, "after it");
  });

  it("says what holds a claim that does not go, and makes it again once it has gone", async () => {
    const scene = await open("alone");
    const finalizers = ["other.dev/hold", ...((await scene.claim())?.metadata.finalizers ?? [])];
    const other = scene.kubernetes.as("other");
    await other.mergePatch(claims, claimName, { metadata: { finalizers } });
    await expect(carryOut(scene)).rejects.toMatchObject({
      code: "OPERATION_UNFINISHED",
      why: expect.stringContaining("does not go: other.dev/hold holds it") as string,
    });
    await other.mergePatch(claims, claimName, { metadata: { finalizers: null } });
    await scene.process().operations.resume("op-1");
    await scene.demand(false, "after it");
  });
});

describe("a volume that Argo CD has in git", () => {
  it("is left to the commit, which is named, and its guard is open for that, without what keeps Argo CD from pruning", async () => {
    const scene = await open("by a commit");
    expect(kinds(scene)).toEqual(["last-copy", "mark-trash", "open-guard"]);
    expect(scene.plan.warnings[0]).toMatch(
      /^media\/sonarr-config is left to git: commit the removal of PersistentVolumeClaim media\/sonarr-config from https:\/\/git\.example\/homelab, path apps\/sonarr \(Application argocd\/sonarr\)\. The sync with pruning that follows deletes it\. Until 2026-01-01T01:00:\d\dZ its guard is open for that\.$/,
    );
    await carryOut(scene);
    const { annotations, finalizers } = (await scene.claim())?.metadata ?? {};
    expect(Object.keys(annotations ?? {}).toSorted()).toEqual([
      "holdfast.dev/allow-delete",
      "holdfast.dev/allow-delete-until",
      "holdfast.dev/guard",
    ]);
    expect(finalizers ?? []).toEqual([]);
    expect((await planNow(scene.kubernetes, "deny")).steps).toEqual([]);
    const argo = scene.kubernetes.as("argocd");
    await expect(argo.remove(pvs, name)).rejects.toMatchObject({ code: "KUBERNETES_REFUSED" });
    await argo.remove(claims, claimName);
    expect(await scene.claim()).toBeUndefined();
  });
});

describe("the trash", () => {
  it("is emptied by the driver, which takes PersistentVolume and dataset", async () => {
    const scene = await open("empty");
    expect(scene.plan.undo.kind).toBe("none");
    await carryOut(scene);
    expect([await scene.pv(), scene.zfs.find("tank/k8s/v/sonarr-config")]).toEqual([undefined, undefined]);
  });

  it("keeps what its driver does not delete in time: Retain, and guarded, as before", async () => {
    const scene = await open("empty");
    scene.driverIsAway = true;
    await expect(carryOut(scene)).rejects.toMatchObject({
      code: "TIMEOUT",
      what: "The driver has not deleted PersistentVolume pv-sonarr-config.",
      todo: expect.stringContaining("Is the controller of org.democratic-csi running?") as string,
    });
    await scene.demand(false, "after it");
  });

  it("frees nothing that was brought back since the plan was shown", async () => {
    const scene = await open("empty");
    const annotations = { "holdfast.dev/trash": null };
    await scene.kubernetes.as("test").mergePatch(pvs, name, { metadata: { annotations } });
    await expect(carryOut(scene)).rejects.toMatchObject({ code: "KUBERNETES_CONFLICT" });
    expect((await scene.pv())?.spec.persistentVolumeReclaimPolicy).toBe("Retain");
  });

  it("is not left by an undo of what had retired it, once it is emptied", async () => {
    const scene = await open("empty");
    await carryOut(scene);
    await expect(scene.process().operations.undo("op-retire")).rejects.toMatchObject({
      code: "OPERATION_NOT_UNDOABLE",
    });
  });
});

describe("a volume without a guard", () => {
  it("is set to Retain first, and is given back what it said by an undo", async () => {
    const scene = await open("alone");
    const { kubernetes, world } = scene;
    kubernetes.admit(undefined);
    const finalizers = null;
    await kubernetes.mergePatch(claims, claimName, {
      metadata: { finalizers, annotations: { "holdfast.dev/guard": null } },
    });
    await kubernetes.mergePatch(pvs, name, {
      metadata: { annotations: { "holdfast.dev/guard": null, "holdfast.dev/reclaim-policy-before-guard": null } },
      spec: { persistentVolumeReclaimPolicy: "Delete" },
    });
    const plan = await retirePlan(world, {});
    expect(plan.steps.map(({ kind }) => kind)).toEqual(["retain-volumes", "mark-trash", "retire-claims"]);
    expect(plan.warnings).toEqual(["there is no good copy of media/sonarr-config at all"]);
    await scene.process().operations.start("op-1", plan);
    expect((await scene.pv())?.spec.persistentVolumeReclaimPolicy).toBe("Retain");
    await scene.process().operations.undo("op-1");
    expect((await scene.pv())?.spec.persistentVolumeReclaimPolicy).toBe("Delete");
  });
});
