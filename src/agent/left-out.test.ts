import { describe, expect, it } from "vitest";
import type { TreeEntry } from "../model/tree.ts";
import { MemoryRepository } from "../systems/kopia/memory.ts";
import { leftOutOf } from "./left-out.ts";

const entry = (path: string, type: TreeEntry["type"] = "file"): TreeEntry => ({
  path,
  type,
  mode: 0,
  uid: 0,
  gid: 0,
  size: 0,
  mtime: 0n,
});
const snapshot = (part = {}) => new MemoryRepository().add("s", [], part);

describe("leftOutOf", () => {
  it("says nothing about a copy that holds everything", () => {
    expect(leftOutOf(snapshot(), [entry("a"), entry("b", "directory"), entry("äöü")])).toEqual([]);
  });

  it("names the ignore files behind what was left out", () => {
    const entries = [entry("media/.kopiaignore"), entry("x/.kopiaignore", "directory"), entry("a.kopiaignore")];
    expect(leftOutOf(snapshot({ excluded: 3 }), entries)).toEqual([
      "3 entries were left out by ignore rules: media/.kopiaignore",
    ]);
    expect(leftOutOf(snapshot({ excluded: 1 }), [])).toEqual(["1 entries were left out by ignore rules"]);
  });

  it("says nothing about what Holdfast keeps for an undo, however often kopia counts it", () => {
    const kept = [entry(".holdfast-kept-a1", "directory"), entry(".holdfast-kept-b2", "directory")];
    for (const excluded of [2, 5, 8]) expect(leftOutOf(snapshot({ excluded }), [entry("a"), ...kept])).toEqual([]);
  });

  it.each<[string, number, readonly TreeEntry[]]>([
    ["more than kopia can have counted it", 5, []],
    ["a rule's file", 1, [entry("x", "directory"), entry("x/.kopiaignore")]],
    ["a directory that is empty, perhaps by a tag", 1, [entry("x", "directory"), entry("x/cache", "directory")]],
    ["a name like ours elsewhere", 1, [entry("x", "directory"), entry("x/.holdfast-kept-a1", "directory")]],
  ])("says that something was left out beside that when there is %s", (_what, excluded, more) => {
    const entries = [entry(".holdfast-kept-a1", "directory"), ...more];
    expect(leftOutOf(snapshot({ excluded }), entries).join()).toMatch(`${excluded} entries were left out`);
  });

  it("says what could not be read, and why", () => {
    expect(leftOutOf(snapshot({ failed: 1, failures: ["a: permission denied"] }), [])).toEqual([
      "1 entries could not be read: a: permission denied",
    ]);
  });

  it("names what comes back under another name and what does not come back, five at the most", () => {
    const many = Array.from({ length: 7 }, (_, index) => entry(`s${index}`, "other"));
    expect(leftOutOf(snapshot(), [entry("f\uFFFDr"), ...many])).toEqual([
      "1 names are not UTF-8 and come back changed: f\uFFFDr",
      "7 entries of a kind that kopia does not restore: s0, s1, s2, s3, s4 and 2 more",
    ]);
  });
});
