import { beforeEach, describe, expect, it } from "vitest";
import type { AgentJob, ReplaceJob } from "../../agent/job.ts";
import type { AgentLine } from "../../agent/lines.ts";
import { MemoryAgents } from "./memory.ts";
import { MemoryVolumes } from "./memory-volumes.ts";

const store = { endpoint: "https://nas.lab:9000", bucket: "velero", region: "us-east-1", prefix: "", privateCa: false };
const mounted = (...volumes: readonly string[]) =>
  volumes.map((volume, index) => ({ key: `v${index + 1}`, volume: `media/${volume}` }));
const replaceJob = (operation: string, keep = true, part: ReplaceJob["part"] = "whole"): ReplaceJob => ({
  kind: "replace",
  part,
  store,
  operation,
  keep,
  targets: mounted("a", "b").map(({ key, volume }) => ({
    key,
    volume,
    repository: "media",
    snapshotId: `of ${volume}`,
  })),
});
const swapJob = (operation: string, kept: string): AgentJob => ({
  kind: "swap",
  operation,
  kept,
  targets: mounted("a", "b"),
});

let volumes: MemoryVolumes;
let agents: MemoryAgents;
let lines: AgentLine[];
beforeEach(() => {
  volumes = new MemoryVolumes();
  agents = new MemoryAgents(volumes.script);
  lines = [];
  for (const name of ["a", "b"]) {
    volumes.write(`media/${name}`, `old ${name}`);
    volumes.copies.set(`of media/${name}`, `copy ${name}`);
  }
});

const run = (job: AgentJob, signal = new AbortController().signal): Promise<void> =>
  agents.run({ operation: "op1", job, mounts: [] }, (line) => lines.push(line), signal);
const contents = () => ["media/a", "media/b"].map((volume) => volumes.content(volume));
const kept = () => ["media/a", "media/b"].map((volume) => Object.fromEntries(volumes.kept(volume)));

const old = ["old a", "old b"];
const copies = ["copy a", "copy b"];

describe("MemoryVolumes", () => {
  it("replaces and keeps, undoes, undoes the undo, and discards", async () => {
    await run(replaceJob("op1"));
    expect([contents(), kept()]).toEqual([copies, [{ op1: "old a" }, { op1: "old b" }]]);
    await run(swapJob("op2", "op1"));
    expect([contents(), kept()]).toEqual([old, [{ op2: "copy a" }, { op2: "copy b" }]]);
    await run(swapJob("op3", "op2"));
    expect([contents(), kept()]).toEqual([copies, [{ op3: "old a" }, { op3: "old b" }]]);
    await run({ kind: "discard", operations: ["op3", "unknown"], targets: mounted("a", "b") });
    expect([contents(), kept()]).toEqual([copies, [{}, {}]]);
    expect(lines.filter(({ type }) => type === "discarded")).toHaveLength(2);
  });

  it("keeps nothing where the plan says NO UNDO", async () => {
    await run(replaceJob("op1", false));
    expect([contents(), kept()]).toEqual([copies, [{}, {}]]);
  });

  it.each<[string, AgentJob, readonly string[]]>([
    ["replace", replaceJob("op2"), copies],
    ["replace without undo", replaceJob("op2", false), copies],
    ["swap", swapJob("op2", "op1"), old],
  ])("mends a %s whose pod died before any of its changes by running it again", async (_name, job, wanted) => {
    for (let at = 1, died = true; died; at += 1) {
      volumes = new MemoryVolumes();
      agents = new MemoryAgents(volumes.script);
      for (const name of ["a", "b"]) {
        volumes.write(`media/${name}`, `old ${name}`);
        volumes.copies.set(`of media/${name}`, `copy ${name}`);
      }
      await run(replaceJob("op1"));
      volumes.onChange(({ number }) => (number === at ? "pod-dies" : undefined));
      died = await run(job).then(
        () => false,
        () => true,
      );
      volumes.onChange(() => undefined);
      await run(job);
      expect(contents()).toEqual(wanted);
      expect(["media/a", "media/b"].map((volume) => volumes.unfinished(volume).size)).toEqual([0, 0]);
    }
  });
});
