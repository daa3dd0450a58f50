import { lstatSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TreeEntry } from "../model/tree.ts";
import { setDirectoryTimes } from "./directory-times.ts";
import { agentBench, type Bench } from "./testing/bench.ts";
import { plant, timeOf } from "./testing/trees.ts";

let bench: Bench;
let root = "";
beforeEach(() => {
  bench = agentBench();
  root = bench.volume("a");
});
afterEach(() => rmSync(bench.base, { recursive: true, force: true }));

const directory = (path: string, mtime: bigint, type: TreeEntry["type"] = "directory"): TreeEntry => ({
  path,
  type,
  mode: 0o755,
  uid: 0,
  gid: 0,
  size: 0,
  mtime,
});

describe("setDirectoryTimes", () => {
  it("sets each directory's own time to the microsecond, the root's too, and leaves files alone", async () => {
    plant(root, [
      { path: "a", kind: "directory" },
      { path: "a/b", kind: "directory" },
      { path: "a/f", kind: "file", content: "", time: 5 },
    ]);
    const time = 1_700_000_000_123_456_789n;
    await setDirectoryTimes(root, [
      directory("", time),
      directory("a", 1_000_000_000n),
      directory("a/b", time),
      directory("a/f", time, "file"),
    ]);
    const found = ["", "a", "a/b", "a/f"].map((path) => lstatSync(join(root, path), { bigint: true }).mtimeNs);
    expect(found.map((value) => value / 1000n)).toEqual([
      1_700_000_000_123_456n,
      1_000_000n,
      1_700_000_000_123_456n,
      5_000_000n,
    ]);
  });

  it("skips a directory that is absent, so that the comparison can name it", async () => {
    await expect(setDirectoryTimes(root, [directory("gone", 1n)])).resolves.toBeUndefined();
  });

  it("touches nothing behind a link that lies where a directory should", async () => {
    const outside = join(bench.base, "outside");
    mkdirSync(outside);
    const before = timeOf(outside);
    symlinkSync(outside, join(root, "a"));
    await setDirectoryTimes(root, [directory("a", 1_000_000_000n)]);
    expect(timeOf(outside)).toBe(before);
  });
});
