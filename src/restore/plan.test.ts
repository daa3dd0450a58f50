import { describe, expect, it } from "vitest";
import { aCopy, aMount, aPoint, aVolume, someEvidence } from "../inventory/sample.ts";
import { type PlanInput, planRestore } from "./plan.ts";
import { anItem } from "./testing/plans.ts";

const input = (part: Partial<PlanInput> = {}): PlanInput => ({
  mover: "kopia",
  items: [anItem()],
  keepFor: "7d",
  makeRoom: false,
  replicasOf: () => 2,
  ...part,
});
const chosen = (part: object) => ({ copy: aCopy(), point: aPoint(), evidence: someEvidence(), why: "", ...part });

describe("planRestore", () => {
  it("stops the workload, replaces, and starts it again with its replicas", () => {
    const { stops, plan } = planRestore(input());
    expect(stops).toEqual([{ kind: "Deployment", namespace: "media", name: "sonarr", replicas: 2 }]);
    expect(plan).toMatchObject({
      verb: "restore",
      title: expect.stringContaining("restore media/sonarr-config from") as string,
    });
    expect(plan.locks).toEqual(["media/sonarr-config"]);
    expect(plan.steps.map(({ title }) => title)).toEqual([
      "stop Deployment media/sonarr (2 replicas)",
      "replace the files of media/sonarr-config by the copy's 1000 B",
      "start Deployment media/sonarr (2 replicas) again and wait until everything is Ready",
    ]);
    expect(plan.steps.every(({ why, back }) => why !== "" && back !== "")).toBe(true);
    expect(plan.steps.filter(({ decides }) => decides === true).map(({ id }) => id)).toEqual(["files"]);
  });

  it("survives being written down: it is data", () => {
    const { plan } = planRestore(input());
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
  });

  it("keeps what is there now for the undo, or says NO UNDO", () => {
    const kept = planRestore(input({ keepFor: "3d" })).plan;
    expect(kept.undo).toMatchObject({ kind: "kept", text: expect.stringContaining("3d") as string });
    expect(kept.steps.map(({ id }) => id)).toEqual(["stop", "files", "start"]);
    const gone = planRestore(input({ keepFor: undefined })).plan;
    expect(gone.undo).toMatchObject({ kind: "none", text: expect.stringContaining("NO UNDO") as string });
    // What is there now goes last, when the app runs again.
    expect(gone.steps.map(({ id, does }) => [id, does]).at(-1)).toEqual(["free", "settle"]);
  });

  it("lets what is there now go first, when there is no room for both, and says NO UNDO", () => {
    const { plan } = planRestore(input({ makeRoom: true }));
    expect(plan.undo).toMatchObject({ kind: "none", text: expect.stringContaining("NO UNDO") as string });
    expect(plan.steps.map(({ id, does }) => [id, does])).toEqual([
      ["stop", "apply"],
      ["prove", "apply"],
      ["clear", "settle"],
      ["files", "apply"],
      ["start", "apply"],
      ["free", "settle"],
    ]);
  });

  it("neither stops nor starts what is scaled to zero, and keeps it in mind", () => {
    const { stops, plan } = planRestore(input({ replicasOf: () => 0 }));
    expect(stops).toHaveLength(1);
    expect(plan.steps.map(({ id }) => id)).toEqual(["files"]);
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
    expect(planRestore(input({ items: [item] })).plan.warnings).toEqual([expect.stringContaining(warning)]);
  });

  it("has no warning about a verified, full copy", () => {
    expect(planRestore(input({ items: [anItem({ chosen: chosen({}) })] })).plan.warnings).toEqual([]);
  });

  it("adds up the bytes of all volumes, and says who writes them", () => {
    const items = [
      anItem(),
      anItem({ key: "v2", target: aVolume({ claim: "other" }), chosen: chosen({ copy: aCopy({ bytes: 24 }) }) }),
    ];
    const step = planRestore(input({ items, mover: "node-agent" })).plan.steps.find(({ id }) => id === "files");
    expect(step).toMatchObject({
      title: "replace the files of media/sonarr-config, media/other by the copy's 1 KiB",
      why: expect.stringContaining("node-agent") as string,
    });
  });
});
