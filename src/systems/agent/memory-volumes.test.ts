import { beforeEach, describe, expect, it } from "vitest";
import type { AgentJob, ReplaceJob } from "../../agent/job.ts";
import type { AgentLine } from "../../agent/lines.ts";
import { MemoryAgents } from "./memory.ts";
import { MemoryVolumes } from "./memory-volumes.ts";

const store = { endpoint: "https://nas.lab:9000", bucket: "velero", region: "us-east-1", prefix: "", privateCa: false };
const mounted = (...volumes: readonly string[]) =>
  volumes.map((volume, index) => ({ key: `v${index + 1}`, volume: `media/${volume}` }));
const replaceJob = (operation: string): ReplaceJob => ({
  kind: "replace",
  part: "whole",
  store,
  operation,
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
const begin = (): void => {
  volumes = new MemoryVolumes();
  agents = new MemoryAgents(volumes.script);
  lines = [];
  for (const name of ["a", "b"]) {
    volumes.write(`media/${name}`, `old ${name}`);
    volumes.copies.set(`of media/${name}`, `copy ${name}`);
  }
};
beforeEach(begin);

const turns = async (): Promise<string> => {
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  return "no answer";
};

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

  it.each<[string, AgentJob, readonly string[]]>([
    ["replace", replaceJob("op2"), copies],
    ["swap", swapJob("op2", "op1"), old],
  ])("mends a %s whose pod died before any of its changes by running it again", async (_name, job, wanted) => {
    for (let at = 1, died = true; died; at += 1) {
      begin();
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

  it("never answers a process that is gone, and goes on without it or dies with it", async () => {
    for (const [fate, wanted] of [
      ["caller-dies", copies],
      ["both-die", old],
    ] as const) {
      begin();
      volumes.onChange(({ number }) => (number === 2 ? fate : undefined));
      const answer = await Promise.race([run(replaceJob("op1")).then(() => "ended"), turns()]);
      volumes.onChange(() => undefined);
      if (fate === "both-die") await run({ kind: "put-back", operation: "op1", targets: mounted("a", "b") });
      expect([answer, contents()]).toEqual(["no answer", wanted]);
      expect(lines.filter(({ type }) => type === "replaced")).toEqual([]);
    }
  });

  it("shows half a tree where a move or a restore was cut off", async () => {
    const seen = new Set<string | undefined>();
    volumes.onChange(({ volume }) => void seen.add(volumes.content(volume)));
    await run(replaceJob("op1"));
    expect([...seen].filter((content) => content?.endsWith(" a"))).toEqual([
      "old a",
      "part of old a",
      "part of copy a",
      "copy a",
    ]);
  });

  it("puts everything back when it is told to stop, and says so", async () => {
    const stop = new AbortController();
    volumes.onChange(({ what }) => void (what === "restore" && stop.abort()));
    await expect(run(replaceJob("op1"), stop.signal)).rejects.toMatchObject({ code: "INTERRUPTED" });
    expect([contents(), kept(), lines.at(-1)]).toEqual([old, [{}, {}], { type: "as-before" }]);
  });

  it("refuses a copy that is missing, or too large to lie beside the present tree", async () => {
    volumes.volumeSizes.set("media/b", 1500);
    await expect(run(replaceJob("op1"))).rejects.toMatchObject({ code: "TARGET_TOO_SMALL" });
    volumes.contentSizes.set("copy b", 500);
    await run(replaceJob("op1"));
    volumes.copies.delete("of media/a");
    await expect(run(replaceJob("op2"))).rejects.toMatchObject({ code: "COPY_MISSING" });
    await run(replaceJob("op1"));
    expect([contents(), kept()]).toEqual([copies, [{ op1: "old a" }, { op1: "old b" }]]);
  });

  it("looks at what lies in a volume", async () => {
    await run(replaceJob("op1"));
    await run({ kind: "look", targets: mounted("a") });
    expect(lines.at(-1)).toEqual({
      type: "seen",
      seen: {
        volume: "media/a",
        totalBytes: 1_000_000,
        freeBytes: 998_000,
        present: { entries: 1, bytes: 1000 },
        ours: [{ operation: "op1", state: "kept", entries: 1, bytes: 1000 }],
      },
    });
  });
});
