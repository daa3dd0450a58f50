import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type CopiedEntry, MemoryRepository } from "../systems/kopia/memory.ts";
import type { ReplaceJob } from "./job.ts";
import { replace } from "./replace.ts";
import { agentBench, type Bench } from "./testing/bench.ts";
import { plant, treeOf } from "./testing/trees.ts";

let bench: Bench;
let repository: MemoryRepository;
beforeEach(() => {
  bench = agentBench();
  repository = new MemoryRepository();
});
afterEach(() => rmSync(bench.base, { recursive: true, force: true }));

const present = (key: string): string => {
  const root = bench.volume(key);
  plant(root, [
    { path: "old", kind: "file", content: "old" },
    { path: "lost+found", kind: "directory", mode: 0o700 },
    { path: "lost+found/#12", kind: "file", content: "found by fsck" },
  ]);
  return root;
};

const run = (part: ReplaceJob["part"] = "whole", operation = "op1", keys: readonly string[] = ["a"]): Promise<void> => {
  const store = { endpoint: "https://nas.lab", bucket: "velero", region: "home", prefix: "", privateCa: false };
  const targets = keys.map((key) => ({ key, volume: `media/${key}`, repository: "media", snapshotId: `s-${key}` }));
  return replace({ kind: "replace", part, store, operation, targets }, async () => repository, bench.context);
};

const aCopy = (key = "a", more: readonly CopiedEntry[] = []): void =>
  void repository.add(`s-${key}`, [{ path: "new", content: "new" }, ...more]);

const types = (): readonly string[] => bench.lines.map(({ type }) => type);

describe("a replacement that keeps", () => {
  it("says that it is decided before it says what was done, and never that all is as before", async () => {
    present("a");
    aCopy();
    await run();
    expect(types().filter((type) => ["touching", "decided", "as-before", "replaced"].includes(type))).toEqual([
      "touching",
      "decided",
      "replaced",
    ]);
  });

  it("puts everything back when what decides cannot be made ready in one of the volumes", async () => {
    const roots = [present("a"), present("b")];
    aCopy("a");
    aCopy("b");
    const before = roots.map(treeOf);
    repository.onRestore(({ id, path, directory }) => {
      // Where the tag has to go.
      if (id === "s-b" && path === undefined) mkdirSync(join(directory, ".holdfast-aside-op1/CACHEDIR.TAG"));
    });
    await expect(run("whole", "op1", ["a", "b"])).rejects.toThrow("EISDIR");
    expect(roots.map(treeOf)).toEqual(before);
    expect([types().includes("decided"), types().includes("as-before")]).toEqual([false, true]);
  });

  it("takes the copy's lost+found for the volume's, and keeps the earlier one whole", async () => {
    const root = present("a");
    aCopy("a", [
      { path: "lost+found", type: "directory", mode: 0o700 },
      { path: "lost+found/#12", content: "of the copy" },
    ]);
    await run();
    expect(readFileSync(join(root, "lost+found/#12"), "utf8")).toBe("of the copy");
    expect(readFileSync(join(root, ".holdfast-kept-op1/files/lost+found/#12"), "utf8")).toBe("found by fsck");
  });

  it("finds a difference below lost+found as anywhere else", async () => {
    const root = present("a");
    aCopy("a", [{ path: "lost+found", type: "directory", mode: 0o700 }]);
    repository.onRestore(({ path, directory }) => {
      if (path === undefined) mkdirSync(join(directory, "lost+found/not-in-the-copy"));
    });
    const before = treeOf(root);
    await expect(run()).rejects.toMatchObject({ code: "VERIFICATION_FAILED" });
    expect(treeOf(root)).toEqual(before);
  });

  it("keeps what earlier operations keep where it is, and does not compare it", async () => {
    const root = present("a");
    aCopy("a", [
      { path: ".holdfast-kept-op1", type: "directory", mode: 0o700 },
      { path: ".holdfast-kept-expired", type: "directory", mode: 0o700 },
    ]);
    await run("whole", "op1");
    const kept = treeOf(join(root, ".holdfast-kept-op1/files"));
    await run("whole", "op2");
    expect(readdirSync(root).toSorted()).toEqual([".holdfast-kept-op1", ".holdfast-kept-op2", "new"]);
    expect(treeOf(join(root, ".holdfast-kept-op1/files"))).toEqual(kept);
    expect(readdirSync(join(root, ".holdfast-kept-op2/files"))).toEqual(["new"]);
  });

  it("lets nobody but root into what is kept, as lost+found does", async () => {
    const root = present("a");
    plant(root, [], { mode: 0o777, uid: 1000 });
    aCopy();
    await run();
    const { mode, uid } = lstatSync(join(root, ".holdfast-kept-op1"));
    expect([mode & 0o777, uid]).toEqual([0o700, process.getuid?.()]);
  });
});

describe("a replacement in two parts that was killed after it was decided", () => {
  it("writes nothing in the first part, and says so, and finishes in the second", async () => {
    const root = present("a");
    aCopy();
    await run();
    const before = treeOf(root);
    bench.lines.length = 0;
    await run("before");
    await run("after");
    expect(treeOf(root)).toEqual(before);
    expect(types()).not.toContain("touching");
    expect(types()[0]).toBe("decided");
    expect(bench.lines.at(-1)).toMatchObject({ type: "kept", volume: "media/a", bytes: expect.any(Number) as number });
    expect(bench.lines.at(-2)).toMatchObject({ type: "replaced", result: { volume: "media/a", files: 1, bytes: 3 } });
  });

  it("does not take a tree for verified of which nothing earlier is set aside any more", async () => {
    const root = present("a");
    aCopy();
    await run("before");
    rmSync(join(root, ".holdfast-aside-op1"), { recursive: true });
    plant(root, [{ path: "new", kind: "file", content: "new", mode: 0o644, uid: 0, gid: 0, time: 1_700_000_000 }], {
      mode: 0o755,
    });
    await expect(run("after")).rejects.toMatchObject({ code: "AGENT_FAILED" });
    expect(types()).not.toContain("decided");
  });
});
