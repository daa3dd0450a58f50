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
          keep: true,
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
    await expect(mover.replace(aPlan(), ignore, signal)).rejects.toMatchObject({ code: "TARGET_UNUSABLE" });
    await mover.putBack(aPlan(), signal);
    expect(kinds(agents)).toEqual(["replace"]);
  });

  it("has nothing to put back when the agent did that itself", async () => {
    const agents = new MemoryAgents((_task, say) => {
      say({ type: "touching" });
      say({ type: "as-before" });
      throw new Failure("VERIFICATION_FAILED", { what: "wrong" });
    });
    const mover = new KopiaMover(agents, store);
    await expect(mover.replace(aPlan(), ignore, signal)).rejects.toMatchObject({ code: "VERIFICATION_FAILED" });
    await mover.putBack(aPlan(), signal);
    expect(kinds(agents)).toEqual(["replace"]);
  });

  it("puts back with another agent what a dead one has left, until that has worked once", async () => {
    const agents = new MemoryAgents((_task, say) => {
      say({ type: "touching" });
      throw new Failure("AGENT_FAILED", { what: "OOMKilled" });
    });
    const mover = new KopiaMover(agents, store);
    await expect(mover.replace(aPlan(), ignore, signal)).rejects.toMatchObject({ code: "AGENT_FAILED" });
    await expect(mover.putBack(aPlan(), signal)).rejects.toMatchObject({ code: "AGENT_FAILED" });
    agents.play(ignore);
    await mover.putBack(aPlan(), signal);
    await mover.putBack(aPlan(), signal);
    expect(kinds(agents)).toEqual(["replace", "put-back", "put-back"]);
    expect(agents.tasks.at(-1)).toEqual({
      operation: "op1",
      job: { kind: "put-back", operation: "op1", targets: [{ key: "v1", volume: "media/sonarr-config" }] },
      mounts: [{ key: "v1", namespace: "media", claim: "sonarr-config" }],
    });
  });

  it("never puts back what was decided: another agent finishes it, and the files are told as restored", async () => {
    const agents = new MemoryAgents((_task, say) => {
      say({ type: "touching" });
      say({ type: "decided" });
      throw new Failure("AGENT_FAILED", { what: "evicted" });
    });
    const mover = new KopiaMover(agents, store);
    await expect(mover.replace(aPlan(), ignore, signal)).rejects.toMatchObject({ code: "AGENT_FAILED" });
    agents.play(ignore);
    expect(await mover.putBack(aPlan(), signal)).toBe("restored");
    expect(kinds(agents)).toEqual(["replace", "put-back"]);
  });

  it("learns from the next agent that a silent one had decided", async () => {
    const agents = new MemoryAgents((_task, say) => {
      say({ type: "touching" });
      throw new Failure("AGENT_FAILED", { what: "its log ended" });
    });
    const mover = new KopiaMover(agents, store);
    await expect(mover.replace(aPlan(), ignore, signal)).rejects.toMatchObject({ code: "AGENT_FAILED" });
    agents.play((_task, say) => say({ type: "decided" }));
    expect(await mover.putBack(aPlan(), signal)).toBe("restored");
  });
});
