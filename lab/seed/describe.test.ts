import { createHash } from "node:crypto";
import { assert, nat, property, uint8Array } from "fast-check";
import { describe, expect, it } from "vitest";
import { contentOf, dataBytes } from "./content.ts";
import { describeVolume, type Shape, shapeNames } from "./describe.ts";
import { rootPath, type SeedEntry } from "./entry.ts";

const benchmarks: ReadonlySet<Shape> = new Set(["bench-one", "bench-many"]);
const labShapes = shapeNames.filter((shape) => !benchmarks.has(shape));

const parentOf = (path: string): string => (path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : rootPath);

const isFile = ({ type }: SeedEntry): boolean => type === "file";
const count = (entries: readonly SeedEntry[]): number => entries.filter(isFile).length;
const bytes = (entries: readonly SeedEntry[]): number =>
  entries.filter(isFile).reduce((sum, entry) => sum + dataBytes(entry), 0);

const digest = (entries: readonly SeedEntry[]): string => {
  const hash = createHash("sha256");
  for (const entry of entries.filter(isFile)) for (const piece of contentOf(entry)) hash.update(piece.bytes);
  return hash.digest("hex");
};

describe("describeVolume", () => {
  it.each(shapeNames)("gives the same for the same seed: %s", (shape) => {
    const plain = () => describeVolume(shape, "one").map(({ mtime, head, ...entry }) => [`${mtime}`, head, entry]);
    expect(JSON.stringify(plain()) === JSON.stringify(plain())).toBe(true);
  });

  it.each(labShapes)("gives other contents for another seed: %s", (shape) => {
    expect(digest(describeVolume(shape, "one"))).not.toBe(digest(describeVolume(shape, "two")));
  });

  it("gives on every machine what it gave when this was written", () => {
    expect(digest(describeVolume("small", "seed")).slice(0, 16)).toMatchInlineSnapshot(`"45f97a46184ff96a"`);
  });

  it.each(shapeNames)("names parents before children, files before their hard links, nothing twice: %s", (shape) => {
    const seen = new Set<string>();
    const early: string[] = [];
    for (const entry of describeVolume(shape, "seed")) {
      const earlier = entry.type === "hardlink" ? (entry.target ?? "") : parentOf(entry.path);
      if (seen.has(entry.path) || (entry.path !== rootPath && !seen.has(earlier))) early.push(entry.path);
      seen.add(entry.path);
    }
    expect(early).toEqual([]);
  });

  it.each(shapeNames)("has only names that every Linux file system takes: %s", (shape) => {
    const parts = describeVolume(shape, "seed").flatMap(({ path }) => (path === rootPath ? [] : path.split("/")));
    const wrong = parts.filter(
      (name) => name === "" || name === "." || name === ".." || Buffer.byteLength(name) > 255 || name.includes("\0"),
    );
    expect(wrong).toEqual([]);
  });

  it("keeps the lab small: about 8,000 files and 150 MB over all volumes", () => {
    const volumes = labShapes.map((shape) => describeVolume(shape, "seed"));
    expect(volumes.reduce((sum, entries) => sum + count(entries), 0)).toBeLessThan(8500);
    expect(volumes.reduce((sum, entries) => sum + bytes(entries), 0)).toBeLessThan(160e6);
  });

  it.each([
    ["bench-one", 10_000, 600e6],
    ["bench-many", 1250, 57e6],
  ] as const)("has the benchmarks' sizes: %s", (shape, files, size) => {
    const entries = describeVolume(shape, "seed");
    expect(count(entries)).toBe(files);
    expect(bytes(entries) / size).toBeGreaterThan(0.97);
    expect(bytes(entries) / size).toBeLessThan(1.03);
  });

  it("has a name of 255 bytes, composed and decomposed names, and every special bit", () => {
    const entries = describeVolume("odd", "seed");
    const baseNames = entries.map(({ path }) => path.slice(path.lastIndexOf("/") + 1));
    expect(baseNames.some((name) => Buffer.byteLength(name) === 255)).toBe(true);
    expect(baseNames.some((name) => name !== name.normalize("NFC"))).toBe(true);
    expect(baseNames.some((name) => name !== name.normalize("NFD"))).toBe(true);
    for (const bit of [0o4000, 0o2000, 0o1000]) expect(entries.some(({ mode }) => (mode & bit) !== 0)).toBe(true);
  });
});

describe("contentOf", () => {
  const file = (size: number, more: Partial<SeedEntry> = {}): SeedEntry => ({
    path: "file",
    type: "file",
    mode: 0o644,
    uid: 0,
    gid: 0,
    size,
    mtime: 0n,
    contentKey: "key",
    ...more,
  });
  const join = (entry: SeedEntry): Buffer => Buffer.concat([...contentOf(entry)].map(({ bytes }) => bytes));

  it("gives exactly the file's bytes in ascending pieces, the head first", () => {
    assert(
      property(nat(700_000), uint8Array({ maxLength: 300 }), (size, head) => {
        const entry = file(size, { head });
        let at = 0;
        for (const { offset, bytes } of contentOf(entry)) {
          expect(offset).toBe(at);
          at += bytes.length;
        }
        expect(at).toBe(size);
        const begin = Math.min(size, head.length);
        expect(join(entry).subarray(0, begin).equals(head.subarray(0, begin))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it("gives all of a long text", () => {
    const head = Buffer.from("0123456789".repeat(60_000));
    expect(join(file(head.length, { head })).equals(head)).toBe(true);
  });

  it("gives only the data of a sparse file", () => {
    const extents = [
      { offset: 4096, length: 4096 },
      { offset: 1 << 20, length: 8192 },
    ];
    const pieces = [...contentOf(file(2 << 20, { extents }))];
    expect(pieces.map(({ offset, bytes }) => ({ offset, length: bytes.length }))).toEqual(extents);
  });
});
