import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CopyEntry } from "../systems/kopia/port.ts";
import { budgetFor, filesToFetch, mayHaveHoles } from "./ahead.ts";

const MiB = 2 ** 20;
const entry = (size: number, type: CopyEntry["type"] = "file"): CopyEntry => ({
  path: `f${size}`,
  type,
  size,
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtime: 0n,
  objectId: `o${size}`,
});
const many = (count: number, size: number): readonly CopyEntry[] => Array.from({ length: count }, () => entry(size));

describe("what is fetched ahead", () => {
  it("is the content of small files; large ones, empty ones and what is no file are left", () => {
    const entries = [...many(64, 1000), entry(MiB + 1), entry(0), entry(0, "directory"), entry(5, "symlink")];
    expect(filesToFetch(entries, 10 * MiB)).toEqual(many(64, 1000));
  });

  it("is nothing for a few files", () => {
    expect(filesToFetch(many(63, 1000), 10 * MiB)).toEqual([]);
  });

  it("never takes more room than there is, and keeps the order", () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 2 * MiB }), { maxLength: 300 });
    fc.assert(
      fc.property(sizes, fc.integer({ min: 0, max: 200 * MiB }), (all, budget) => {
        const entries = all.map((size) => entry(size));
        const files = filesToFetch(entries, budget);
        expect(files.reduce((sum, { size }) => sum + size, 0)).toBeLessThanOrEqual(budget);
        expect(files).toEqual(entries.filter((one) => files.includes(one)));
      }),
    );
  });

  it("takes a sixteenth of the free room, and a GiB at most", () => {
    expect(budgetFor(16 * MiB)).toBe(MiB);
    expect(budgetFor(2 ** 40)).toBe(2 ** 30);
  });
});

describe("holes", () => {
  it("are looked for where a file is large enough to have one that matters", () => {
    expect(mayHaveHoles(many(100, MiB - 1))).toBe(false);
    expect(mayHaveHoles([...many(3, 10), entry(MiB)])).toBe(true);
  });
});
