/** Jobs that keep, exchange and discard, killed at every change of the file system, and what running them again gives. */
import { lstatSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type CopiedEntry, MemoryRepository } from "../systems/kopia/memory.ts";
import { isOurs } from "./directories.ts";
import { discard } from "./discard.ts";
import type { ReplaceJob } from "./job.ts";
import { putBackAll } from "./mounted.ts";
import { replace } from "./replace.ts";
import { swap } from "./swap.ts";
import { agentBench, type Bench } from "./testing/bench.ts";
import { dyingAt, everyCrash } from "./testing/crash.ts";
import { type Planted, plant, timeOf, treeOf } from "./testing/trees.ts";

vi.mock("node:fs/promises", async (original) => (await import("./testing/crash.ts")).mortal(await original()));

const second = 1_000_000_000n;
const tag = "Signature: 8a477f597d28d172789f06886806bc55\n";
const keys = ["a", "b"] as const;

const earlier: readonly Planted[] = [
  { path: "config.xml", kind: "file", content: "old", mode: 0o640, uid: 1000, time: 1_600_000_000 },
  { path: "CACHEDIR.TAG", kind: "file", content: `${tag}# of the app`, time: 1_600_000_001 },
  { path: "files", kind: "directory", mode: 0o3755, gid: 1001, time: 1_500_000_000 },
  { path: "files/second-name", kind: "link", linkTo: "config.xml" },
  { path: "link", kind: "symlink", target: "/etc" },
  { path: "lost+found", kind: "directory", mode: 0o700, time: 1_500_000_001 },
];
const earlierRoot = { mode: 0o2770, uid: 1000, gid: 2000, time: 1_650_000_000.123456 };

const copied: readonly CopiedEntry[] = [
  { path: "config.xml", content: "restored", mode: 0o600, uid: 7, gid: 8 },
  { path: "files", type: "directory", mode: 0o1755, mtime: 1_400_000_000n * second },
  { path: "files/deep", content: "a", mtime: 1_300_000_000n * second },
  // What a backup brings along of a volume that keeps something.
  { path: ".holdfast-kept-before", type: "directory", mode: 0o700 },
];
const copiedRoot = { mode: 0o2755, uid: 9, gid: 10, mtime: 1_200_000_000_654_321_000n };

/** Everything of a tree that a restore must bring about: without the inode, which is another one. */
const looks = (lines: readonly string[]): readonly string[] => lines.map((line) => line.replace(/ i\d+ /, " "));

interface Tree {
  /** One line an entry; the root's own line comes first. */
  readonly lines: readonly string[];
  /** µs */
  readonly time: number;
}

const micros = (path: string): number => Math.floor(timeOf(path) * 1000 + 0.25);

const isOfApp = (line: string): boolean => !line.startsWith(".holdfast-");
const present = (root: string): Tree => ({ lines: treeOf(root).filter(isOfApp), time: micros(root) });

const stateOf = (root: string): readonly string[] => readdirSync(root).filter(isOurs).toSorted();

/** What an operation has kept, as the root that it was. */
const keptTree = (root: string, operation: string): Tree => {
  const directory = join(root, `.holdfast-kept-${operation}`);
  const [rootLine = ""] = treeOf(join(directory, "root"));
  return { lines: [rootLine, ...treeOf(join(directory, "files")).slice(1)], time: micros(join(directory, "root")) };
};

/** Every entry that is anywhere in the volume, by what it was in its tree. */
const reachable = (root: string): ReadonlySet<string> =>
  new Set(treeOf(root).map((line) => line.replace(/^\.holdfast-[a-z]+-[a-z0-9]+\/files\//, "")));

const isReachable = ({ lines }: Tree, root: string): boolean => {
  const all = reachable(root);
  return lines.slice(1).every((line) => all.has(line));
};

let bench: Bench;
let repository: MemoryRepository;
beforeEach(() => {
  bench = agentBench();
  repository = new MemoryRepository();
  for (const key of keys)
    repository.add(`s-${key}`, copied, { root: { ...repository.add("", []).root, ...copiedRoot, path: "" } });
});
afterEach(() => rmSync(bench.base, { recursive: true, force: true }));

const store = { endpoint: "https://nas.lab:9000", bucket: "velero", region: "us-east-1", prefix: "", privateCa: false };
const mounted = keys.map((key) => ({ key, volume: `media/${key}` }));
const replaceJob = (operation: string, keep: boolean): ReplaceJob => ({
  kind: "replace",
  part: "whole",
  store,
  operation,
  keep,
  targets: mounted.map((volume) => ({ ...volume, repository: "media", snapshotId: `s-${volume.key}` })),
});

const doReplace = (operation: string, keep = true) =>
  replace(replaceJob(operation, keep), async () => repository, bench.context);
const doSwap = (operation: string, kept: string) =>
  swap({ kind: "swap", operation, kept, targets: mounted }, bench.context);
const doDiscard = (...operations: readonly string[]) =>
  discard({ kind: "discard", operations, targets: mounted }, bench.context);
const doPutBack = (operation: string) => putBackAll({ kind: "put-back", operation, targets: mounted }, bench.context);

interface Volumes {
  readonly roots: readonly string[];
  readonly before: readonly Tree[];
}

/** Two volumes with earlier files. */
const fresh = async (): Promise<Volumes> => {
  for (const key of keys) rmSync(join(bench.context.places.volumes, key), { recursive: true, force: true });
  const roots = keys.map((key) => bench.volume(key));
  for (const root of roots) plant(root, earlier, earlierRoot);
  bench.lines.length = 0;
  return { roots, before: roots.map(present) };
};

const expectRestored = (root: string): void => {
  expect(looks(present(root).lines)).toEqual([
    ". 42755 9:10 n0 ",
    "config.xml 100600 7:8 1700000000000000000 n1 restored",
    "files 41755 0:0 1400000000000000000 n0 ".replace("1400000000000000000", nearly(root, "files")),
    "files/deep 100644 0:0 1300000000000000000 n1 a",
  ]);
};

/** The root's own time, which every rename in it changes. */
const expectRestoredTime = (root: string): void => expect(present(root).time).toBe(1_200_000_000_654_321);

/** Directories' times are exact to the microsecond. */
const nearly = (root: string, path: string): string => {
  const { mtimeNs } = lstatSync(join(root, path), { bigint: true });
  expect(mtimeNs / 1000n).toBe(1_400_000_000_000_000n);
  return String(mtimeNs);
};

/**
 * Nothing of ours but what these operations keep, tagged, and each what it should be. The root's own time is lost with a
 * crash around the first change that setting aside makes in it: `timeless`.
 */
const expectKept = (root: string, kept: Readonly<Record<string, Tree>>, timeless = false): void => {
  expect(stateOf(root)).toEqual(Object.keys(kept).map((operation) => `.holdfast-kept-${operation}`));
  for (const [operation, tree] of Object.entries(kept)) {
    const directory = join(root, `.holdfast-kept-${operation}`);
    expect(keptTree(root, operation)).toEqual(timeless ? { ...tree, time: expect.any(Number) as number } : tree);
    expect(readdirSync(directory).toSorted()).toEqual(["CACHEDIR.TAG", "files", "root"]);
    expect(readFileSync(join(directory, "CACHEDIR.TAG"), "utf8").startsWith(tag)).toBe(true);
    expect(lstatSync(directory).mode & 0o777).toBe(0o700);
  }
};

const decidedHere = (roots: readonly string[], operation: string): boolean =>
  roots.some((root) => stateOf(root).includes(`.holdfast-kept-${operation}`));

const said = (type: string): boolean => bench.lines.some((line) => line.type === type);

describe("a replacement that keeps", () => {
  it("ends with the copy in every volume and the earlier tree kept, wherever it was killed and run again", async () => {
    const steps = await everyCrash(
      fresh,
      () => doReplace("op1"),
      async ({ roots, before }, ended) => {
        const decided = decidedHere(roots, "op1");
        expect(roots.map((root, index) => isReachable(before[index] as Tree, root))).toEqual([true, true]);
        if (said("as-before")) expect(roots.map(treeOf)).toEqual(before.map(({ lines }) => lines));
        if (said("decided")) expect(decided).toBe(true);
        const standing = roots.map((root) => present(root).lines);
        bench.lines.length = 0;
        await doReplace("op1");
        for (const [index, root] of roots.entries()) {
          expectRestored(root);
          expectRestoredTime(root);
          expectKept(root, { op1: before[index] as Tree }, !ended);
          // The very same files: what is decided is not written again.
          if (decided) expect(present(root).lines).toEqual(standing[index]);
        }
        expect([said("touching"), said("decided")]).toEqual([!decided, true]);
        expect(bench.lines.filter(({ type }) => type === "replaced")).toHaveLength(2);
        if (ended) expect(decided).toBe(true);
      },
    );
    expect(steps).toBeGreaterThan(80);
  });

  it("is put back in all volumes or finished in all, by whoever comes next", async () => {
    await everyCrash(
      fresh,
      () => doReplace("op1"),
      async ({ roots, before }) => {
        const decided = decidedHere(roots, "op1");
        bench.lines.length = 0;
        await doPutBack("op1");
        expect(said("decided")).toBe(decided);
        for (const [index, root] of roots.entries()) {
          if (decided) expectRestored(root);
          if (decided) expectRestoredTime(root);
          if (decided) expectKept(root, { op1: before[index] as Tree });
          else expect(treeOf(root)).toEqual(before[index]?.lines);
        }
      },
    );
  });
});

describe("a replacement without undo", () => {
  it("ends with the copy in every volume and nothing else, wherever it was killed and run again", async () => {
    const steps = await everyCrash(
      fresh,
      () => doReplace("op1", false),
      async ({ roots, before }) => {
        if (!said("decided") && !stateOf(roots[0] ?? "").includes(".holdfast-discard-op1"))
          expect(roots.map((root, index) => isReachable(before[index] as Tree, root))).toEqual([true, true]);
        await doReplace("op1", false);
        for (const root of roots) {
          expectRestored(root);
          expect(stateOf(root)).toEqual([]);
        }
      },
    );
    expect(steps).toBeGreaterThan(80);
  });
});

/** As after a restore that somebody wants undone, with what an older operation keeps beside it. */
const restored = async (): Promise<Volumes & { readonly copy: readonly Tree[] }> => {
  const { roots, before } = await fresh();
  await doReplace("op0");
  for (const [index, root] of roots.entries()) plant(root, [{ path: `later-${index}`, kind: "file", content: "x" }]);
  await doReplace("op1");
  for (const root of roots)
    plant(root, [{ path: "since-then", kind: "file", content: "x" }], { time: 1_234_567_890.5 });
  bench.lines.length = 0;
  return { roots, before, copy: roots.map(present) };
};

describe("an exchange", () => {
  it("brings the kept tree back and keeps the present one, wherever it was killed and run again", async () => {
    const steps = await everyCrash(
      async () => {
        const { roots, before, copy } = await restored();
        return { roots, copy, oldest: before, kept: roots.map((root) => keptTree(root, "op1")) };
      },
      () => doSwap("op2", "op1"),
      async ({ roots, copy, kept, oldest }, ended) => {
        for (const [index, root] of roots.entries()) {
          expect(isReachable(copy[index] as Tree, root)).toBe(true);
          expect(isReachable(kept[index] as Tree, root)).toBe(true);
        }
        const decided = decidedHere(roots, "op2");
        if (said("decided")) expect(decided).toBe(true);
        bench.lines.length = 0;
        await doSwap("op2", "op1");
        for (const [index, root] of roots.entries()) {
          expect(present(root)).toEqual(kept[index]);
          expectKept(root, { op0: oldest[index] as Tree, op2: copy[index] as Tree }, !ended);
        }
        expect([said("touching"), said("decided")]).toEqual([!decided, true]);
      },
    );
    expect(steps).toBeGreaterThan(50);
  });

  it("is undone or finished in all volumes by whoever comes next", async () => {
    await everyCrash(
      async () => {
        const { roots, copy } = await restored();
        return { roots, copy, kept: roots.map((root) => keptTree(root, "op1")) };
      },
      () => doSwap("op2", "op1"),
      async ({ roots, copy, kept }) => {
        const decided = decidedHere(roots, "op2");
        await doPutBack("op2");
        for (const [index, root] of roots.entries()) {
          expect(present(root).lines).toEqual((decided ? kept : copy)[index]?.lines);
          expect(keptTree(root, decided ? "op2" : "op1")).toEqual((decided ? copy : kept)[index]);
          expect(stateOf(root)).toEqual([".holdfast-kept-op0", `.holdfast-kept-${decided ? "op2" : "op1"}`]);
        }
      },
    );
  });

  it("of an exchange gives back exactly what was there", async () => {
    const { roots, copy } = await restored();
    const kept = roots.map((root) => keptTree(root, "op1"));
    await doSwap("op2", "op1");
    await doSwap("op3", "op2");
    expect(roots.map(present)).toEqual(copy);
    expect(roots.map((root) => keptTree(root, "op3"))).toEqual(kept);
  });

  it("is refused, untouched, when one volume has nothing kept by that operation", async () => {
    const { roots } = await restored();
    rmSync(join(roots[1] ?? "", ".holdfast-kept-op1"), { recursive: true });
    const before = roots.map(treeOf);
    await expect(doSwap("op2", "op1")).rejects.toMatchObject({ code: "OPERATION_NOT_UNDOABLE" });
    expect([roots.map(treeOf), said("touching")]).toEqual([before, false]);
  });

  it("is as before when it is told to stop at whatever it says, until it is decided", async () => {
    for (let at = 1, stopped = true; stopped; at += 1) {
      const { roots, copy } = await restored();
      const kept = roots.map((root) => keptTree(root, "op1"));
      const stop = new AbortController();
      let count = 0;
      const context = {
        ...bench.context,
        signal: stop.signal,
        say: (line: (typeof bench.lines)[number]) => {
          bench.lines.push(line);
          count += 1;
          if (count === at) stop.abort();
        },
      };
      stopped = await swap({ kind: "swap", operation: "op2", kept: "op1", targets: mounted }, context).then(
        () => false,
        () => true,
      );
      expect([said("as-before"), said("decided")]).toEqual([stopped, !stopped]);
      expect(roots.map(present)).toEqual(stopped ? copy : kept);
    }
  });
});

describe("a discard", () => {
  it("removes what the named operations have kept and nothing else, wherever it was killed and run again", async () => {
    const steps = await everyCrash(
      async () => {
        const { roots, before, copy } = await restored();
        return { roots, copy, oldest: before };
      },
      () => doDiscard("op1", "never-was"),
      async ({ roots, copy, oldest }) => {
        for (const [index, root] of roots.entries()) expect(present(root).lines).toEqual(copy[index]?.lines);
        await doDiscard("op1", "never-was");
        for (const [index, root] of roots.entries()) {
          expect(present(root).lines).toEqual(copy[index]?.lines);
          expectKept(root, { op0: oldest[index] as Tree });
        }
      },
    );
    expect(steps).toBe(4);
  });

  it("tells the bytes that are free again, for each volume and operation", async () => {
    await restored();
    await doDiscard("op0", "op1", "never-was");
    const lines = bench.lines.flatMap((line) =>
      line.type === "discarded" ? [[line.volume, line.operation, line.bytes > 0]] : [],
    );
    expect(lines).toEqual(keys.flatMap((key) => ["op0", "op1"].map((operation) => [`media/${key}`, operation, true])));
  });

  it("first finishes what was decided in another volume, so that no volume goes back alone", async () => {
    const { roots } = await fresh();
    await everyCrash(
      fresh,
      () => doReplace("op1"),
      async () => {
        if (!decidedHere(roots, "op1")) return;
        await doDiscard("op1");
        for (const root of roots) {
          expectRestored(root);
          expect(stateOf(root)).toEqual([]);
        }
      },
    );
  });
});

describe("any history", () => {
  it("ends as its jobs say, however often each of them was killed and run again", async () => {
    const step = fc.record({
      what: fc.constantFrom("replace", "replace", "replace without undo", "swap", "swap", "discard", "write"),
      which: fc.nat(3),
      crashes: fc.array(fc.record({ at: fc.integer({ min: 1, max: 140 }), halfway: fc.boolean() }), { maxLength: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
        const { roots } = await fresh();
        const model = roots.map((root) => ({ present: looks(present(root).lines), kept: new Map<string, unknown>() }));
        for (const [number, { what, which, crashes }] of steps.entries()) {
          const operation = `op${number}`;
          const kept = [...(model[0]?.kept.keys() ?? [])][which];
          const work = jobOf(what, operation, kept);
          if (what === "write")
            for (const [index, root] of roots.entries()) {
              plant(root, [{ path: `written-${number}`, kind: "file", content: "w", time: 1_700_000_000 }]);
              if (model[index] !== undefined) model[index].present = looks(present(root).lines);
            }
          if (work === undefined) continue;
          for (const { at, halfway } of crashes) await dyingAt(at, work, halfway);
          await work();
          for (const [index, root] of roots.entries()) {
            const volume = model[index];
            if (volume === undefined) continue;
            const back = kept === undefined ? undefined : volume.kept.get(kept);
            if (what === "replace" || what === "swap") volume.kept.set(operation, volume.present);
            if ((what === "swap" || what === "discard") && kept !== undefined) volume.kept.delete(kept);
            if (what === "swap") volume.present = back as readonly string[];
            if (what.startsWith("replace")) expectRestored(root);
            if (what.startsWith("replace")) volume.present = looks(present(root).lines);
            expect(looks(present(root).lines)).toEqual(volume.present);
            const found = [...volume.kept.keys()].map((name) => [name, looks(keptTree(root, name).lines)]);
            expect(found).toEqual([...volume.kept]);
            expect(stateOf(root)).toEqual([...volume.kept.keys()].map((name) => `.holdfast-kept-${name}`).toSorted());
          }
        }
      }),
      { numRuns: 40 },
    );
  });
});

const jobOf = (what: string, operation: string, kept: string | undefined): (() => Promise<void>) | undefined => {
  if (what === "replace") return () => doReplace(operation);
  if (what === "replace without undo") return () => doReplace(operation, false);
  if (kept === undefined) return undefined;
  if (what === "swap") return () => doSwap(operation, kept);
  return what === "discard" ? () => doDiscard(kept) : undefined;
};
