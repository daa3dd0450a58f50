import { describe, expect, it } from "vitest";
import { aCopy, aMount, aPoint, aVolume, someEvidence } from "../inventory/sample.ts";
import { type PlanInput, planRestore } from "./plan.ts";
import { anItem } from "./testing/plans.ts";

const input = (part: Partial<PlanInput> = {}): PlanInput => ({
  operation: "op1",
  mover: "kopia",
  items: [anItem()],
  replicasOf: () => 2,
  ...part,
});
const chosen = (part: object) => ({ copy: aCopy(), point: aPoint(), evidence: someEvidence(), why: "", ...part });

describe("planRestore", () => {
  it("stops the workload, replaces, and starts it again with its replicas", () => {
    const plan = planRestore(input());
    expect(plan.stops).toEqual([{ kind: "Deployment", namespace: "media", name: "sonarr", replicas: 2 }]);
    expect(plan.steps.map(({ title }) => title)).toEqual([
      "stop Deployment media/sonarr (2 replicas)",
      "mount media/sonarr-config for Holdfast",
      "set the present files aside inside the volume",
      "put the copy's 1000 B into the emptied tree",
      "compare the result with the copy",
      "remove the files that were set aside",
      "start Deployment media/sonarr (2 replicas) again and wait until it is Ready",
    ]);
    expect(plan.steps.every(({ why }) => why !== "")).toBe(true);
  });

  it("neither stops nor starts what is scaled to zero, and keeps it in mind", () => {
    const plan = planRestore(input({ replicasOf: () => 0 }));
    expect(plan.stops).toHaveLength(1);
    expect(plan.steps.filter(({ title }) => /^(?:stop|start)/.test(title))).toEqual([]);
  });

  it("forgets a workload that does not exist any more", () => {
    expect(planRestore(input({ replicasOf: () => undefined })).stops).toEqual([]);
  });

  it("names who cannot be stopped", () => {
    const target = aVolume({
      workloads: [{ kind: "Pod", name: "debug" }],
      mounts: [aMount({ workload: { kind: "Pod", name: "debug" } })],
    });
    expect(planRestore(input({ items: [anItem({ target })] })).blockers.map(({ name }) => name)).toEqual(["debug"]);
  });

  it.each([
    [anItem(), "never verified"],
    [
      anItem({ chosen: chosen({ evidence: someEvidence({ leftOut: ["4 entries were left out"] }) }) }),
      "does not hold everything: 4 entries were left out",
    ],
    [anItem({ chosen: chosen({ copy: aCopy({ bytes: 0 }) }) }), "the volume will be empty"],
    [anItem({ chosen: chosen({}), target: aVolume({ deleting: true }) }), "is being deleted"],
  ])("warns about what is to be known before (%#)", (item, warning) => {
    expect(planRestore(input({ items: [item] })).warnings).toEqual([expect.stringContaining(warning)]);
  });

  it("has no warning about a verified, full copy", () => {
    expect(planRestore(input({ items: [anItem({ chosen: chosen({}) })] })).warnings).toEqual([]);
  });

  it("adds up the bytes of all volumes, and says who writes them", () => {
    const items = [
      anItem(),
      anItem({ key: "v2", target: aVolume({ claim: "other" }), chosen: chosen({ copy: aCopy({ bytes: 24 }) }) }),
    ];
    const step = planRestore(input({ items, mover: "node-agent" })).steps.find(({ title }) => title.startsWith("put"));
    expect(step).toMatchObject({
      title: "put the copy's 1 KiB into the emptied tree",
      why: expect.stringContaining("node-agent") as string,
    });
  });
});
