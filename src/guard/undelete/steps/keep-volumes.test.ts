import { describe, expect, it } from "vitest";
import type { PersistentVolume } from "../../../inventory/raw.ts";
import { aStepContext } from "../../../operation/testing/step-context.ts";
import { MemoryKubernetes } from "../../../systems/kubernetes/memory.ts";
import { resources } from "../../../systems/kubernetes/resources.ts";
import { jumpingClock } from "../../../systems/kubernetes/testing/world.ts";
import { keepVolumes } from "./keep-volumes.ts";

const persistentVolumes = resources.persistentVolumes;
const context = aStepContext();

const aCluster = () => {
  const clock = jumpingClock();
  const kubernetes = new MemoryKubernetes({ clock, randomId: () => "a" });
  const spec = { persistentVolumeReclaimPolicy: "Delete" };
  for (const name of ["old", "new"]) kubernetes.put<PersistentVolume>(persistentVolumes, { metadata: { name }, spec });
  const policyOf = async (name: string) =>
    (await kubernetes.get<PersistentVolume>(persistentVolumes, { name }))?.spec.persistentVolumeReclaimPolicy;
  return { step: keepVolumes({ kubernetes, clock, timeout: 10_000 }), policyOf };
};

describe("the step that keeps volumes", () => {
  it("sets what is brought back, and what has its name now, to Retain", async () => {
    const { step, policyOf } = aCluster();
    await step.apply({ pvs: ["old"], beside: ["new"] }, context);
    expect([await policyOf("old"), await policyOf("new")]).toEqual(["Retain", "Retain"]);
  });

  it("fails when a driver was quicker with what is to come back", async () => {
    const { step } = aCluster();
    await expect(step.apply({ pvs: ["old", "gone"], beside: [] }, context)).rejects.toMatchObject({
      code: "KUBERNETES_CONFLICT",
    });
  });

  it("does not mind that a claim's present volume is lost", async () => {
    const { step, policyOf } = aCluster();
    await step.apply({ pvs: ["old"], beside: ["gone"] }, context);
    expect(await policyOf("old")).toBe("Retain");
    expect(await step.check({ pvs: ["old"], beside: ["gone"] }, context)).toBe("present");
  });
});
