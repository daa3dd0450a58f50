import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readEntry, readTree } from "./live-tree.ts";
import { agentBench, type Bench } from "./testing/bench.ts";
import { plant } from "./testing/trees.ts";

let bench: Bench;
let root = "";
beforeEach(() => {
  bench = agentBench();
  root = bench.volume("a");
});
afterEach(() => rmSync(bench.base, { recursive: true, force: true }));

const all = async (ignored: (name: string) => boolean = () => false) => {
  const entries = [];
  for await (const entry of readTree(root, ignored)) entries.push(entry);
  return entries;
};

describe("readTree", () => {
  it("gives every entry with all that must survive, level by level", async () => {
    plant(root, [
      { path: "d", kind: "directory", mode: 0o2750, uid: 5, gid: 6, time: 1_600_000_000 },
      { path: "d/f", kind: "file", content: "abc", mode: 0o4711, uid: 7, time: 1_500_000_000.5 },
      { path: "z", kind: "symlink", target: "../nowhere" },
    ]);
    expect(await all()).toMatchObject([
      { path: "d", type: "directory", mode: 0o2750, uid: 5, gid: 6, size: 0, mtime: 1_600_000_000_000_000_000n },
      { path: "z", type: "symlink", size: 0, target: "../nowhere" },
      { path: "d/f", type: "file", mode: 0o4711, uid: 7, size: 3, mtime: 1_500_000_000_500_000_000n, links: 1 },
    ]);
  });

  it("never follows a symbolic link", async () => {
    const outside = join(bench.base, "outside");
    mkdirSync(outside);
    writeFileSync(join(outside, "secret"), "x");
    symlinkSync(outside, join(root, "link"));
    expect((await all()).map(({ path, type }) => [path, type])).toEqual([["link", "symlink"]]);
  });

  it("counts the names that a file has", async () => {
    plant(root, [
      { path: "a", kind: "file", content: "" },
      { path: "b", kind: "link", linkTo: "a" },
    ]);
    expect((await all()).map(({ links }) => links)).toEqual([2, 2]);
  });

  it("ignores names directly below the root, and the same names further down it does not", async () => {
    plant(root, [
      { path: "lost+found", kind: "directory" },
      { path: "lost+found/x", kind: "file", content: "" },
      { path: "d", kind: "directory" },
      { path: "d/lost+found", kind: "directory" },
    ]);
    expect((await all((name) => name === "lost+found")).map(({ path }) => path)).toEqual(["d", "d/lost+found"]);
  });

  it("reads names that are not UTF-8, and what is below them", async () => {
    const directory = Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0x66, 0xfc])]);
    mkdirSync(directory);
    writeFileSync(Buffer.concat([directory, Buffer.from("/inner")]), "1");
    expect((await all()).map(({ path }) => path)).toEqual(["f\uFFFD", "f\uFFFD/inner"]);
  });
});

describe("readEntry", () => {
  it("describes the root itself under the empty path", async () => {
    plant(root, [], { mode: 0o3775, uid: 3, gid: 4 });
    expect(await readEntry(root, "")).toMatchObject({ path: "", type: "directory", mode: 0o3775, uid: 3, gid: 4 });
  });
});
