import { afterEach, describe, expect, it } from "vitest";
import { anUndeleteScene, type Deletion, type UndeleteScene } from "./testing/scene.ts";

const scenes: UndeleteScene[] = [];
const open = async (deletion: Deletion): Promise<UndeleteScene> => {
  const scene = await anUndeleteScene(deletion);
  scenes.push(scene);
  return scene;
};
afterEach(() => {
  for (const scene of scenes.splice(0)) scene.stop();
});

const kinds = (scene: UndeleteScene): readonly string[] => scene.plan.steps.map(({ kind }) => kind);

describe("a claim that Argo CD prunes while its app runs", () => {
  it("comes back in the order that keeps its bytes", async () => {
    expect(kinds(await open("claim"))).toEqual([
      "freeze-gitops",
      "keep-volumes",
      "stop-workloads",
      "release-claims",
      "bind-back",
      "start-workloads",
      "thaw-gitops",
    ]);
  });

  it("says why each thing is done, for what it does here", async () => {
    const { steps } = (await open("claim")).plan;
    expect(steps.find(({ id }) => id === "stop")?.why).toBe("a claim does not go while a pod uses it");
  });

  it("is bound to its volume again, and is not pruned again by the same commit", async () => {
    const scene = await open("claim");
    await scene.process().operations.start("op-1", scene.plan);
    await scene.demand(true, "after it");
    expect((await scene.claim())?.metadata.annotations).toMatchObject({
      "argocd.argoproj.io/sync-options": "Prune=false,Delete=false",
    });
    expect((await scene.cluster.deployment())?.spec.replicas).toBe(1);
  });
});

describe("a claim that is gone, whose PersistentVolume is kept", () => {
  it("comes back without stopping anything", async () => {
    const scene = await open("pv");
    expect(kinds(scene)).toEqual(["freeze-gitops", "keep-volumes", "bind-back", "thaw-gitops"]);
    await scene.process().operations.start("op-1", scene.plan);
    await scene.demand(true, "after it");
  });
});
