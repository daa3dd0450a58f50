import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isSame, isTree, leavesOf, merged, overlaps, removeAt, setAt, valueAt, type Tree } from "./json-tree.ts";

describe("merged", () => {
  // The examples of RFC 7386, appendix A.
  it.each([
    [{ a: "b" }, { a: "c" }, { a: "c" }],
    [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
    [{ a: "b" }, { a: null }, {}],
    [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
    [{ a: ["b"] }, { a: "c" }, { a: "c" }],
    [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
    [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
    [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
    [
      ["a", "b"],
      ["c", "d"],
      ["c", "d"],
    ],
    [{ a: "b" }, ["c"], ["c"]],
    [{ a: "foo" }, null, null],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: "b", c: null }, { a: "b" }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])("merges %j with %j", (target, patch, result) => {
    const before = structuredClone(target);
    expect(merged(target, patch)).toEqual(result);
    expect(target).toEqual(before);
  });
});

const tree: fc.Arbitrary<Tree> = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.dictionary(
    fc.constantFrom("a", "b", "c.d", 'e"'),
    fc.oneof({ depthSize: "small" }, fc.nat(3), fc.array(fc.nat(3)), fc.constant({}), tie("tree")),
  ),
})).tree;

describe("leaves", () => {
  it("build the tree again", () => {
    fc.assert(
      fc.property(tree, (object) => {
        const built: Tree = {};
        for (const [path, value] of leavesOf(object)) setAt(built, path, value);
        expect(isSame(built, object)).toBe(true);
      }),
    );
  });

  it("are found where they are, and gone when removed", () => {
    fc.assert(
      fc.property(tree, (object) => {
        const copy = structuredClone(object);
        for (const [path, value] of leavesOf(object)) {
          expect(valueAt(object, path)).toEqual(value);
          removeAt(copy, path);
          expect(valueAt(copy, path)).toBeUndefined();
        }
        expect(copy).toEqual({});
      }),
    );
  });

  it("overlap with what is above and below them, and with nothing else", () => {
    const path = (...keys: string[]) => JSON.stringify(keys);
    expect(overlaps(path("a", "b"), path("a"))).toBe(true);
    expect(overlaps(path("a"), path("a", "b"))).toBe(true);
    expect(overlaps(path("a"), path("a"))).toBe(true);
    expect(overlaps(path("a"), path("ab"))).toBe(false);
    expect(overlaps(path("a", "b"), path("a", "bc"))).toBe(false);
    expect(isTree([])).toBe(false);
  });
});
