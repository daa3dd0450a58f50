import { describe, expect, it } from "vitest";
import { aCopy, aPoint, aVolume } from "../inventory/sample.ts";
import { MemoryKubernetes } from "../systems/kubernetes/memory.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import { jumpingClock, realWorld } from "../systems/kubernetes/testing/world.ts";
import { checkPlan, checkRights } from "./preflight.ts";
import { anItem, aPlan, aStop } from "./testing/plans.ts";

const into = (target: object, bytes: number | undefined = 1000) =>
  aPlan({
    items: [
      anItem({
        target: aVolume(target),
        chosen: { copy: aCopy({ bytes }), point: aPoint(), evidence: undefined, why: "" },
      }),
    ],
  });

describe("checkPlan", () => {
  it("lets an ordinary plan pass, and one for a claim that is not bound yet", () => {
    expect(() => checkPlan(aPlan())).not.toThrow();
    expect(() => checkPlan(into({ phase: "Pending", capacity: undefined }))).not.toThrow();
  });

  it.each([
    [{ deleting: true }, "the claim is being deleted"],
    [{ phase: "Lost" }, "its PersistentVolume is gone"],
    [{ volumeMode: "Block" }, "it is a block volume, and the copy is files"],
  ])("refuses a target with %o", (target, why) => {
    expect(() => checkPlan(into(target))).toThrow(expect.objectContaining({ code: "TARGET_UNUSABLE", why }));
  });

  it("refuses a copy that is larger than the whole claim, and lets one pass that just fits", () => {
    expect(() => checkPlan(into({ capacity: 999 }))).toThrow(expect.objectContaining({ code: "TARGET_TOO_SMALL" }));
    expect(() => checkPlan(into({ capacity: 1000 }))).not.toThrow();
    expect(() => checkPlan(into({ capacity: 999 }, 0))).not.toThrow();
  });

  it("refuses when somebody uses the volume who cannot be stopped", () => {
    const blockers = [{ kind: "Pod", namespace: "media", name: "debug", why: "it is a bare pod" }];
    expect(() => checkPlan({ ...aPlan(), blockers })).toThrow(
      expect.objectContaining({
        code: "TARGET_IN_USE",
        what: "Pod media/debug uses the volume.",
        why: "it is a bare pod",
      }),
    );
  });
});

describe("checkRights", () => {
  const kubernetes = (...denied: Parameters<MemoryKubernetes["deny"]>[0][]) => {
    const memory = new MemoryKubernetes({ clock: jumpingClock(), randomId: realWorld.randomId });
    for (const rule of denied) memory.deny(rule);
    return memory;
  };
  const check = (memory: MemoryKubernetes, plan = aPlan()) => checkRights(memory, plan, "holdfast", "velero");

  it("is content with all rights", async () => {
    await expect(check(kubernetes())).resolves.toBeUndefined();
  });

  it.each([
    { verb: "patch", resource: resources.deployments, namespace: "media" },
    { verb: "create", resource: resources.pods, namespace: "media" },
    { verb: "create", resource: resources.secrets, namespace: "holdfast" },
    { verb: "get", resource: resources.pods, subresource: "log", namespace: "holdfast" },
  ])("refuses without the right to $verb", async (rule) => {
    await expect(check(kubernetes(rule))).rejects.toMatchObject({ code: "KUBERNETES_FORBIDDEN" });
  });

  it("names all that is missing at once", async () => {
    const memory = kubernetes(
      { verb: "patch", resource: resources.statefulSets },
      { verb: "delete", resource: resources.secrets },
    );
    const failure: unknown = await check(memory, { ...aPlan(), stops: [aStop({ kind: "StatefulSet" })] }).catch(
      (error: unknown) => error,
    );
    expect(JSON.stringify(failure)).toMatch(/secrets.*statefulsets|statefulsets.*secrets/);
  });

  it("asks for PodVolumeRestores only when node-agent is to write", async () => {
    const memory = kubernetes({ verb: "create", resource: resources.podVolumeRestores });
    await expect(check(memory)).resolves.toBeUndefined();
    await expect(check(memory, aPlan({ mover: "node-agent" }))).rejects.toMatchObject({ code: "KUBERNETES_FORBIDDEN" });
  });
});
