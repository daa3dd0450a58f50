import { describe, expect, it } from "vitest";
import { Failure } from "../../model/failure.ts";
import { MemoryAgents } from "../../systems/agent/memory.ts";
import { aTask } from "../testing/plans.ts";
import { KopiaMover } from "./kopia.ts";

const store = {
  endpoint: "https://nas.lab:9000",
  bucket: "velero",
  region: "us-east-1",
  prefix: "velero/",
  privateCa: true,
};
const signal = new AbortController().signal;

describe("KopiaMover", () => {
  it("has one agent do everything for all volumes of the plan", async () => {
    const agents = new MemoryAgents((_task, say) => say({ type: "touching" }));
    const lines: string[] = [];
    const mover = new KopiaMover(agents, store);
    await mover.replace(aTask, ({ type }) => lines.push(type), signal);
    expect(agents.tasks).toEqual([
      {
        operation: "op1",
        job: {
          kind: "replace",
          part: "whole",
          store,
          operation: "op1",
          targets: [{ key: "v1", volume: "media/sonarr-config", repository: "media", snapshotId: "snap-1" }],
        },
        mounts: [{ key: "v1", namespace: "media", claim: "sonarr-config" }],
      },
    ]);
    expect(lines).toEqual(["touching"]);
  });

  it("passes on what the agent fails with", async () => {
    const agents = new MemoryAgents(() => {
      throw new Failure("TARGET_UNUSABLE", { what: "cannot be mounted" });
    });
    const mover = new KopiaMover(agents, store);
    await expect(mover.replace(aTask, () => undefined, signal)).rejects.toMatchObject({ code: "TARGET_UNUSABLE" });
  });
});
