import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MemoryRepository } from "../systems/kopia/memory.ts";
import { clear } from "./clear.ts";
import type { ClearJob } from "./job.ts";
import { agentBench, type Bench } from "./testing/bench.ts";

/** Bytes that the volume has free at each look, the last for ever; undefined for what the disk really has. */
const disk = vi.hoisted(() => ({ free: undefined as number[] | undefined }));
vi.mock("node:fs/promises", async (importOriginal) => {
  const real = await importOriginal<{ statfs: (path: string) => Promise<object> }>();
  const statfs = async (path: string): Promise<object> => {
    if (disk.free === undefined) return real.statfs(path);
    const bavail = disk.free.length > 1 ? disk.free.shift() : disk.free[0];
    return { bavail, bsize: 1, blocks: 1e9 };
  };
  return { ...real, statfs };
});

let bench: Bench;
let repository: MemoryRepository;
let now: number;
beforeEach(() => {
  bench = agentBench();
  repository = new MemoryRepository();
  disk.free = undefined;
  now = 0;
});
afterEach(() => rmSync(bench.base, { recursive: true, force: true }));

const store = { endpoint: "https://nas.lab:9000", bucket: "velero", region: "us-east-1", prefix: "", privateCa: false };
const aJob = (part: ClearJob["part"], keys: readonly string[]): ClearJob => ({
  kind: "clear",
  part,
  store,
  targets: keys.map((key) => ({ key, volume: `media/${key}`, repository: "media", snapshotId: `s-${key}` })),
});
const run = (part: ClearJob["part"], ...keys: readonly string[]): Promise<void> => {
  const clock = { now: () => now, sleep: async (ms: number) => void (now += ms) };
  return clear(aJob(part, keys), async () => repository, { ...bench.context, clock });
};

/** A volume with files, one of them deep, a link out of it, and what an earlier restore keeps. */
const aVolume = (key: string): string => {
  const root = bench.volume(key);
  mkdirSync(join(root, "data", "deep"), { recursive: true });
  writeFileSync(join(root, "data", "deep", "a"), "present");
  writeFileSync(join(bench.base, `outside-${key}`), "not ours");
  symlinkSync(join(bench.base, `outside-${key}`), join(root, "link"));
  mkdirSync(join(root, ".holdfast-kept-op0", "files"), { recursive: true });
  return root;
};
const aCopy = (key: string): void => void repository.add(`s-${key}`, [{ path: "a", content: "copied" }]);

describe("clearing a volume", () => {
  it("removes everything of the app's, nothing behind its links, and nothing that is kept", async () => {
    const root = aVolume("a");
    aCopy("a");
    await run("remove", "a");
    expect(readdirSync(root)).toEqual([".holdfast-kept-op0"]);
    expect(existsSync(join(bench.base, "outside-a"))).toBe(true);
    await run("remove", "a");
    expect(readdirSync(root)).toEqual([".holdfast-kept-op0"]);
  });

  it("is proved first: every copy is read through, and one that is not whole changes nothing", async () => {
    const roots = [aVolume("a"), aVolume("b")];
    aCopy("a");
    aCopy("b");
    repository.corrupt("s-b");
    await expect(run("prove", "a", "b")).rejects.toMatchObject({ code: "COPY_CORRUPT" });
    expect(repository.verified[0]).toEqual({ ids: ["s-a"], filesPercent: 100 });
    expect(roots.map((root) => readdirSync(root).length)).toEqual([3, 3]);
    expect(bench.lines.some(({ type }) => type === "touching")).toBe(false);
  });

  it("is refused when the copy would not fit even then", async () => {
    const root = aVolume("a");
    repository.add("s-a", [{ path: "a", content: "copied" }], { bytes: 1e12 });
    await expect(run("prove", "a")).rejects.toMatchObject({ code: "TARGET_TOO_SMALL" });
    expect(readdirSync(root)).toHaveLength(3);
  });

  it("waits until the file system has given the room back", async () => {
    aVolume("a");
    aCopy("a");
    disk.free = [2, 2, 1e6];
    await run("remove", "a");
    expect(now).toBe(1000);
  });

  it("says what else may hold the room, when it does not come back", async () => {
    aVolume("a");
    aCopy("a");
    disk.free = [2];
    await expect(run("remove", "a")).rejects.toMatchObject({
      code: "TARGET_TOO_SMALL",
      todo: expect.stringContaining("holdfast resume") as string,
    });
  });
});
