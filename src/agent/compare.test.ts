import { describe, expect, it } from "vitest";
import type { TreeEntry } from "../model/tree.ts";
import { compareTrees } from "./compare.ts";

const anEntry = (part: Partial<TreeEntry> = {}): TreeEntry => ({
  path: "a",
  type: "file",
  mode: 0o644,
  uid: 1,
  gid: 2,
  size: 3,
  mtime: 1_700_000_000_123_456_789n,
  ...part,
});

describe("compareTrees", () => {
  it("has nothing to say about equal trees, in whatever order they come", () => {
    const [one, other] = [anEntry(), anEntry({ path: "b", type: "directory", size: 0 })];
    expect(compareTrees([one, other], [other, one])).toEqual([]);
  });

  it.each([
    [{ size: 4 }, "a has 4 bytes, not 3"],
    [{ mode: 0o4644 }, "a has mode 4644, not 0644"],
    [{ mode: 0o600 }, "a has mode 0600, not 0644"],
    [{ uid: 9 }, "a belongs to 9:2, not 1:2"],
    [{ gid: 9 }, "a belongs to 1:9, not 1:2"],
    [{ mtime: 1_700_000_000_123_456_788n }, "a has the time 1700000000123456788, not 1700000000123456789"],
    [{ type: "symlink" as const, target: "b" }, "a is a symlink, not a file"],
  ])("tells that the restored file differs by %o", (part, text) => {
    expect(compareTrees([anEntry()], [anEntry(part)])).toEqual([text]);
  });

  it("tells every difference of an entry", () => {
    expect(compareTrees([anEntry()], [anEntry({ size: 0, mode: 0, uid: 0 })])).toHaveLength(3);
  });

  it("tells what is missing and what is there too much", () => {
    expect(compareTrees([anEntry()], [anEntry({ path: "b" })])).toEqual(["b is not in the copy", "a is missing"]);
  });

  it("compares a link's target and time and not its mode, which it has none of", () => {
    const link = anEntry({ type: "symlink", size: 0, target: "x" });
    expect(compareTrees([link], [{ ...link, mode: 0o777 }])).toEqual([]);
    expect(compareTrees([link], [{ ...link, target: "y" }])).toEqual(['a points to "y", not "x"']);
    expect(compareTrees([link], [{ ...link, mtime: 1n }])).toHaveLength(1);
  });

  it("lets a directory's time differ by the microsecond that setting it costs, and no more", () => {
    const directory = anEntry({ type: "directory", size: 0 });
    expect(compareTrees([directory], [{ ...directory, mtime: directory.mtime - 1000n }])).toEqual([]);
    expect(compareTrees([directory], [{ ...directory, mtime: directory.mtime + 2000n }])).toHaveLength(1);
  });

  it("compares times in the steps that the file system keeps", () => {
    const second = 1_000_000_000n;
    const kept = (anEntry().mtime / second) * second;
    expect(compareTrees([anEntry()], [anEntry({ mtime: kept })], second)).toEqual([]);
    expect(compareTrees([anEntry()], [anEntry({ mtime: kept - 1n })], second)).toHaveLength(1);
    expect(
      compareTrees([anEntry({ type: "directory" })], [anEntry({ type: "directory", mtime: kept - 1n })], second),
    ).toHaveLength(1);
  });
});
