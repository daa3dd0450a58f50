import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { putBack, setAside } from "./aside.ts";
import { filesOf, isKept, isOurs, isUnfinished, sweep } from "./directories.ts";
import { dyingAt, everyCrash } from "./testing/crash.ts";
import { type Planted, plant, timeOf, treeOf } from "./testing/trees.ts";

vi.mock("node:fs/promises", async (original) => (await import("./testing/crash.ts")).mortal(await original()));

let base = "";
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "holdfast-aside-"));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

let count = 0;
const newRoot = (): string => {
  count += 1;
  const root = join(base, `volume-${count}`);
  mkdirSync(root);
  return root;
};

const rootAttributes = { mode: 0o2770, uid: 1000, gid: 2000, time: 1_700_000_000.123456 };

const original: readonly Planted[] = [
  { path: "config.xml", kind: "file", content: "old", mode: 0o640, uid: 1000, gid: 1000, time: 1_600_000_000 },
  { path: "data", kind: "directory", mode: 0o3755, uid: 1001, time: 1_500_000_000 },
  { path: "data/deep", kind: "directory", mode: 0o500, time: 1_400_000_000 },
  { path: "data/deep/a.db", kind: "file", content: "rows", time: 1_400_000_001 },
  { path: "data/second-name", kind: "link", linkTo: "config.xml" },
  { path: "current", kind: "symlink", target: "data/deep" },
  { path: "outside", kind: "symlink", target: "/etc" },
  { path: "empty", kind: "directory", mode: 0o711 },
  { path: "lost+found", kind: "directory", mode: 0o700 },
  { path: "lost+found/#12", kind: "file", content: "found" },
];

const restored: readonly Planted[] = [
  { path: "config.xml", kind: "file", content: "new" },
  { path: "data", kind: "file", content: "a file where a directory was" },
  { path: "fresh", kind: "directory" },
  { path: "fresh/one", kind: "directory" },
  { path: "fresh/one/two", kind: "file", content: "2" },
  { path: "current", kind: "symlink", target: "fresh" },
];

const aVolume = (tree: readonly Planted[] = original): string => {
  const root = newRoot();
  plant(root, tree, rootAttributes);
  return root;
};

/** What kopia does: new files in the emptied root, and the copy's attributes on the root. */
const restoreInto = (root: string): void => plant(root, restored, { mode: 0o755, uid: 7, gid: 7, time: 1_650_000_000 });

describe("setAside and putBack", () => {
  it("empty the root, and bring back the identical tree", async () => {
    const root = aVolume();
    const before = treeOf(root);
    const aside = await setAside(root, "op-1");
    expect(readdirSync(root)).toEqual([".holdfast-aside-op-1"]);
    expect(readdirSync(filesOf(aside)).toSorted()).toEqual(
      ["config.xml", "current", "data", "empty", "lost+found", "outside"].toSorted(),
    );
    restoreInto(root);
    expect(await putBack(root)).toBe(true);
    expect(treeOf(root)).toEqual(before);
    expect(Math.abs(timeOf(root) - rootAttributes.time * 1000)).toBeLessThan(0.01);
  });

  it("do so for names that are not UTF-8", async () => {
    const root = aVolume();
    const name = Buffer.from([0x66, 0xfc, 0x72]);
    writeFileSync(Buffer.concat([Buffer.from(`${root}/`), name]), "für");
    const before = treeOf(root);
    await setAside(root, "op-1");
    expect(readdirSync(root)).toEqual([".holdfast-aside-op-1"]);
    writeFileSync(Buffer.concat([Buffer.from(`${root}/`), name]), "new");
    await putBack(root);
    expect(treeOf(root)).toEqual(before);
  });

  it("do so for an empty volume", async () => {
    const root = aVolume([]);
    const before = treeOf(root);
    await setAside(root, "op-1");
    restoreInto(root);
    expect(await putBack(root)).toBe(true);
    expect(treeOf(root)).toEqual(before);
  });

  it("follow no symbolic link out of the volume, even one with a name of ours", async () => {
    const root = aVolume();
    const outside = newRoot();
    plant(outside, [{ path: "precious", kind: "file", content: "1" }], { mode: 0o700 });
    const untouched = treeOf(outside);
    for (const state of ["fresh", "moving", "aside", "returning", "kept", "discard"])
      symlinkSync(outside, join(root, `.holdfast-${state}-evil`));
    await setAside(root, "op-1");
    restoreInto(root);
    symlinkSync(outside, join(root, "escape"));
    expect(await putBack(root)).toBe(true);
    await sweep(root);
    expect(treeOf(outside)).toEqual(untouched);
  });

  it("leave everything alone when nothing was set aside", async () => {
    const root = aVolume();
    const before = treeOf(root);
    expect(await putBack(root)).toBe(false);
    expect(treeOf(root)).toEqual(before);
    expect(timeOf(root)).toBeCloseTo(rootAttributes.time * 1000, 2);
  });

  it.each([
    [".holdfast-aside-a", ".holdfast-aside-b"],
    [".holdfast-aside-a", ".holdfast-moving-b"],
    [".holdfast-moving-a", ".holdfast-moving-b"],
  ])("refuse to guess between %s and %s, and touch neither", async (one, other) => {
    const root = aVolume();
    plant(root, [
      { path: one, kind: "directory" },
      { path: `${one}/files`, kind: "directory" },
      { path: `${one}/files/config.xml`, kind: "file", content: "1" },
    ]);
    plant(root, [
      { path: other, kind: "directory" },
      { path: `${other}/files`, kind: "directory" },
      { path: `${other}/files/config.xml`, kind: "file", content: "2" },
    ]);
    const before = treeOf(root);
    await expect(putBack(root)).rejects.toMatchObject({ code: "TARGET_UNUSABLE" });
    expect(treeOf(root)).toEqual(before);
  });
});

describe("putBack", () => {
  it("removes what a restore has put below lost+found, and brings back what the file system had there", async () => {
    const root = aVolume();
    const before = treeOf(root);
    await setAside(root, "op-1");
    plant(root, [
      { path: "lost+found", kind: "directory", mode: 0o755 },
      { path: "lost+found/#12", kind: "file", content: "of the copy" },
      { path: "lost+found/#13", kind: "file", content: "of the copy" },
    ]);
    await putBack(root);
    expect(treeOf(root)).toEqual(before);
  });

  it("prefers what was set aside to what an app, started too early, has written under the same names", async () => {
    const root = aVolume();
    const before = treeOf(root);
    await dyingAt(13, () => setAside(root, "op-1"));
    expect(readdirSync(root)).toContain(".holdfast-moving-op-1");
    const moved = readdirSync(join(root, ".holdfast-moving-op-1/files"));
    expect(moved.length).toBeGreaterThan(0);
    plant(
      root,
      moved.flatMap((name): Planted[] => [
        { path: name, kind: "directory" },
        { path: `${name}/made-anew`, kind: "file", content: "" },
      ]),
    );
    await putBack(root);
    expect(treeOf(root)).toEqual(before);
  });
});

describe("names of ours", () => {
  const names = (...states: readonly string[]) => states.map((state) => `.holdfast-${state}-x7k2`);

  it("are the states alone", () => {
    const ours = names("fresh", "moving", "aside", "returning", "kept", "discard", "probe");
    const others = [".holdfast", ".holdfast-other-a", "holdfast-aside-a", ".holdfast-aside-", "lost+found", "data"];
    expect([...ours, ...others].filter(isOurs)).toEqual(ours);
  });

  it("tell half a tree from a whole one beside which an earlier one is kept", () => {
    const all = names("fresh", "moving", "aside", "returning", "kept", "discard", "probe");
    expect(all.filter(isUnfinished)).toEqual(names("moving", "aside", "returning"));
    expect(all.filter(isKept)).toEqual(names("kept"));
  });
});

interface Before {
  readonly root: string;
  readonly before: readonly string[];
}

const present = async (): Promise<Before> => {
  const root = aVolume();
  return { root, before: treeOf(root) };
};

const replaced = async (): Promise<Before> => {
  const state = await present();
  await setAside(state.root, "op-1");
  restoreInto(state.root);
  return state;
};

const expectOriginal = ({ root, before }: Before): void => expect(treeOf(root)).toEqual(before);

/** Repairs, dying at every step of the repair as well, and repairs once more. */
const repairedHoweverOftenItDies = (state: () => Promise<Before>, check: (state: Before) => void): Promise<number> =>
  everyCrash(
    state,
    ({ root }) => putBack(root),
    async (after) => {
      await putBack(after.root);
      check(after);
      expect(readdirSync(after.root).filter(isOurs)).toEqual([]);
    },
  );

describe("a crash", () => {
  it("at any step of setAside loses nothing: putBack brings the whole tree back", async () => {
    const steps = await everyCrash(
      present,
      ({ root }) => setAside(root, "op-1"),
      async (state) => {
        await putBack(state.root);
        expectOriginal(state);
      },
    );
    expect(steps).toBeGreaterThanOrEqual(5 + 8);
  });

  it("at any step of setAside, and another at any step of the repair, loses nothing", async () => {
    const steps = await everyCrash(
      present,
      ({ root }) => setAside(root, "op-1"),
      async () => undefined,
    );
    for (let at = 1; at <= steps; at += 1) {
      const dead = async (): Promise<Before> => {
        const state = await present();
        await dyingAt(at, () => setAside(state.root, "op-1"));
        return state;
      };
      expect(await repairedHoweverOftenItDies(dead, expectOriginal)).toBeGreaterThanOrEqual(at === 1 ? 0 : 1);
    }
  });

  it("at any step of a restore into the emptied root loses nothing", async () => {
    for (let entries = 0; entries <= restored.length; entries += 1) {
      const halfRestored = async (): Promise<Before> => {
        const state = await present();
        await setAside(state.root, "op-1");
        plant(state.root, restored.slice(0, entries), entries === restored.length ? { mode: 0, uid: 7, gid: 7 } : {});
        return state;
      };
      expect(await repairedHoweverOftenItDies(halfRestored, expectOriginal)).toBeGreaterThan(5 + entries / 3);
    }
  });

  it("at any step of putBack loses nothing, and a second one at any step of the next neither", async () => {
    const steps = await everyCrash(
      replaced,
      ({ root }) => putBack(root),
      async () => undefined,
    );
    expect(steps).toBeGreaterThan(8);
    for (let at = 1; at <= steps; at += 1) {
      const dead = async (): Promise<Before> => {
        const state = await replaced();
        await dyingAt(at, () => putBack(state.root), at % 2 === 0);
        return state;
      };
      expect(await repairedHoweverOftenItDies(dead, expectOriginal)).toBeGreaterThanOrEqual(0);
    }
  });

  it("of one restore is mended by the next one's putBack, whatever its operation is called", async () => {
    const steps = await everyCrash(
      present,
      ({ root }) => setAside(root, "op-1"),
      async (state) => {
        await putBack(state.root);
        await setAside(state.root, "op-2");
        restoreInto(state.root);
        await putBack(state.root);
        expectOriginal(state);
      },
    );
    expect(steps).toBeGreaterThan(8);
  });
});

const aName = fc.stringMatching(/^[a-zA-Z0-9 ._äß%#-]{1,12}$/).filter((name) => name !== "." && name !== "..");
const someAttributes = {
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.integer({ min: 0, max: 3 }),
  gid: fc.integer({ min: 0, max: 3 }),
  time: fc.integer({ min: 1, max: 2_000_000_000 }),
};
const aLeaf = fc.oneof(
  fc.record({ kind: fc.constant("file" as const), content: fc.string({ maxLength: 9 }), ...someAttributes }),
  fc.record({
    kind: fc.constant("symlink" as const),
    target: fc.constantFrom("..", "/", "/etc/passwd", "nowhere", ".holdfast-aside-op-1"),
  }),
);
type Leaf = typeof aLeaf extends fc.Arbitrary<infer T> ? T : never;

/** Directories with leaves of their own, two levels deep, and leaves beside them. */
const aTree: fc.Arbitrary<readonly Planted[]> = fc
  .uniqueArray(
    fc.tuple(
      aName,
      fc.oneof(aLeaf, fc.uniqueArray(fc.tuple(aName, aLeaf), { maxLength: 3, selector: ([name]) => name })),
      fc.record(someAttributes),
    ),
    { maxLength: 6, selector: ([name]) => name },
  )
  .map((items) =>
    items.flatMap(([name, item, attributes]): readonly Planted[] =>
      Array.isArray(item)
        ? [
            { path: name, kind: "directory", ...attributes },
            ...item.map(([inner, leaf]: [string, Leaf]): Planted => ({ path: `${name}/${inner}`, ...leaf })),
          ]
        : [{ path: name, ...item }],
    ),
  );

describe("any tree", () => {
  it("survives a restore of any other tree that dies at any step and is put back after two more deaths", async () => {
    const cuts = fc.record({
      first: fc.integer({ min: 1, max: 30 }),
      second: fc.integer({ min: 1, max: 20 }),
      third: fc.integer({ min: 1, max: 20 }),
      halfway: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(aTree, aTree, cuts, async (old, other, { first, second, third, halfway }) => {
        const root = aVolume(old);
        const before = treeOf(root);
        if (await dyingAt(first, () => setAside(root, "op-1"))) plant(root, other, { mode: 0o700, uid: 5 });
        await dyingAt(second, () => putBack(root), halfway);
        await dyingAt(third, () => putBack(root), halfway);
        await putBack(root);
        expect(treeOf(root)).toEqual(before);
        rmSync(root, { recursive: true });
      }),
      { numRuns: 120 },
    );
  });
});
