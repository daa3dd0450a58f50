import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Failure } from "../model/failure.ts";
import { MemoryRepository } from "../systems/kopia/memory.ts";
import { setAside } from "./aside.ts";
import { runJob } from "./run-job.ts";
import { agentBench, type Bench } from "./testing/bench.ts";
import { plant, treeOf } from "./testing/trees.ts";

const twin = vi.hoisted(() => ({
  open: (_namespace: string): Promise<unknown> => Promise.reject(new Error("unset")),
  closed: 0,
}));
vi.mock("./repositories.ts", () => ({
  openRepositories: async () => ({
    open: (namespace: string) => twin.open(namespace),
    close: async () => void (twin.closed += 1),
  }),
}));

let bench: Bench;
let repository: MemoryRepository;
beforeEach(() => {
  bench = agentBench();
  repository = new MemoryRepository();
  Object.assign(twin, { open: async () => repository, closed: 0 });
});
afterEach(() => rmSync(bench.base, { recursive: true, force: true }));

const store = { endpoint: "https://nas.lab:9000", bucket: "velero", region: "us-east-1", prefix: "", privateCa: false };
const check = {
  kind: "check",
  store,
  copies: [{ volume: "media/a", repository: "media", snapshotId: "s1", bytes: undefined }],
  filesPercent: 0,
} as const;
const replace = {
  kind: "replace",
  part: "whole",
  store,
  operation: "op1",
  targets: [{ key: "a", volume: "media/a", repository: "media", snapshotId: "s1" }],
} as const;

describe("runJob", () => {
  it("says a result as its last word, exits with 0 and closes the repositories", async () => {
    repository.add("s1", []);
    expect(await runJob(check, bench.context)).toBe(0);
    expect(bench.lines.at(-1)).toEqual({ type: "result" });
    expect(twin.closed).toBe(1);
  });

  it("says the failure with all its texts, exits with 1 and closes the repositories", async () => {
    twin.open = () => Promise.reject(new Failure("REPOSITORY_PASSWORD", { what: "no", why: "because", todo: "do" }));
    expect(await runJob(check, bench.context)).toBe(1);
    expect(bench.lines.at(-1)).toEqual({
      type: "failure",
      code: "REPOSITORY_PASSWORD",
      what: "no",
      why: "because",
      todo: "do",
    });
    expect(twin.closed).toBe(1);
  });

  it("calls what nobody expected AGENT_FAILED, with its message", async () => {
    twin.open = () => Promise.reject(new TypeError("undefined is not a function"));
    expect(await runJob(check, bench.context)).toBe(1);
    expect(bench.lines.at(-1)).toMatchObject({
      type: "failure",
      code: "AGENT_FAILED",
      why: "undefined is not a function",
    });
  });

  it("calls an end by SIGTERM INTERRUPTED", async () => {
    bench.stop.abort();
    expect(await runJob(check, bench.context)).toBe(1);
    expect(bench.lines.at(-1)).toMatchObject({ type: "failure", code: "INTERRUPTED" });
  });

  it("replaces a volume's files", async () => {
    const root = bench.volume("a");
    writeFileSync(join(root, "old"), "old");
    repository.add("s1", [{ path: "new", content: "new" }]);
    expect(await runJob(replace, bench.context)).toBe(0);
    expect(readdirSync(root)).toEqual([".holdfast-kept-op1", "new"]);
  });

  it("undoes, looks and discards without any repository", async () => {
    const root = bench.volume("a");
    writeFileSync(join(root, "old"), "old");
    repository.add("s1", [{ path: "new", content: "new" }]);
    await runJob(replace, bench.context);
    twin.open = () => Promise.reject(new Error("must not be opened"));
    const targets = [{ key: "a", volume: "media/a" }];
    expect(await runJob({ kind: "swap", operation: "op2", kept: "op1", targets }, bench.context)).toBe(0);
    expect(readdirSync(root)).toEqual([".holdfast-kept-op2", "old"]);
    expect(await runJob({ kind: "look", targets }, bench.context)).toBe(0);
    expect(bench.lines.at(-2)).toMatchObject({ type: "seen", seen: { ours: [{ operation: "op2", state: "kept" }] } });
    expect(await runJob({ kind: "discard", operations: ["op2"], targets }, bench.context)).toBe(0);
    expect(readdirSync(root)).toEqual(["old"]);
    await runJob({ kind: "swap", operation: "op3", kept: "op2", targets }, bench.context);
    expect(bench.lines.at(-1)).toMatchObject({ type: "failure", code: "OPERATION_NOT_UNDOABLE" });
  });

  it("puts back what an earlier pod has left, without any repository", async () => {
    const [one, other] = [bench.volume("a"), bench.volume("b")];
    plant(one, [{ path: "f", kind: "file", content: "1" }]);
    plant(other, [{ path: "g", kind: "file", content: "2" }]);
    const before = [treeOf(one), treeOf(other)];
    await setAside(one, "op1");
    await setAside(other, "op1");
    writeFileSync(join(one, "half"), "x");
    twin.open = () => Promise.reject(new Error("must not be opened"));
    const targets = [
      { key: "a", volume: "media/a" },
      { key: "b", volume: "media/b" },
    ];
    expect(await runJob({ kind: "put-back", operation: "op1", targets }, bench.context)).toBe(0);
    expect([treeOf(one), treeOf(other)]).toEqual(before);
  });

  it("puts the other volumes back when one resists, and fails", async () => {
    const [one, other] = [bench.volume("a"), bench.volume("b")];
    plant(one, [
      { path: ".holdfast-aside-x", kind: "directory" },
      { path: ".holdfast-aside-y", kind: "directory" },
    ]);
    writeFileSync(join(other, "g"), "2");
    await setAside(other, "op1");
    const targets = [
      { key: "a", volume: "media/a" },
      { key: "b", volume: "media/b" },
    ];
    expect(await runJob({ kind: "put-back", operation: "op1", targets }, bench.context)).toBe(1);
    expect(bench.lines.at(-1)).toMatchObject({
      code: "AGENT_FAILED",
      why: expect.stringContaining("media/a: TARGET_UNUSABLE") as string,
    });
    expect(existsSync(join(other, "g"))).toBe(true);
  });
});
