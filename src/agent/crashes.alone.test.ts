/** Jobs that keep, exchange and discard, killed at every change of the file system, and what running them again gives. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AgentLine } from "./lines.ts";
import { swap } from "./swap.ts";
import { everyCrash } from "./testing/crash.ts";
import { plant, treeOf } from "./testing/trees.ts";
import {
  appOf,
  isReachable,
  looks,
  microsOf,
  restoredLooks,
  restoredTime,
  type Standing,
  standingOf,
  type TwoVolumes,
  twoVolumes,
} from "./testing/two-volumes.ts";

vi.mock("node:fs/promises", async (original) => (await import("./testing/crash.ts")).mortal(await original()));

let volumes: TwoVolumes;
beforeEach(() => {
  volumes = twoVolumes();
});
afterEach(() => rmSync(volumes.bench.base, { recursive: true, force: true }));

const standing = (): readonly Standing[] => volumes.roots.map(standingOf);
const apps = (): readonly (readonly string[])[] => volumes.roots.map(appOf);
const times = (): readonly number[] => volumes.roots.map(microsOf);

const bothReachable = (trees: readonly (readonly string[])[]): boolean =>
  volumes.roots.every((root, index) => isReachable(trees[index] ?? [], root));

/** Both volumes with the copy's tree, and the earlier one kept. */
const restoredOver = (before: readonly Standing[], operation: string): readonly unknown[] =>
  before.map(({ app }) => ({ app: restoredLooks, kept: { [operation]: app }, unfinished: [] }));
const seen = (): readonly unknown[] =>
  standing().map(({ app, kept, unfinished }) => ({ app: looks(app), kept, unfinished }));

const fresh = async (): Promise<readonly Standing[]> => {
  volumes.renew();
  return standing();
};

describe("a replacement", () => {
  it("ends with the copy in every volume and the earlier tree kept, wherever it was killed and run again", async () => {
    const ends: unknown[] = [];
    const steps = await everyCrash(
      fresh,
      () => volumes.replace("op1"),
      async (before) => {
        const decided = volumes.isDecided("op1");
        ends.push(decided);
        const isTrue = !volumes.said("as-before") || JSON.stringify(standing()) === JSON.stringify(before);
        expect([isTrue, bothReachable(before.map(({ app }) => app))]).toEqual([true, true]);
        expect(!volumes.said("decided") || decided).toBe(true);
        const written = decided && apps();
        volumes.bench.lines.length = 0;
        await volumes.replace("op1");
        expect(seen()).toEqual(restoredOver(before, "op1"));
        expect(times()).toEqual([restoredTime, restoredTime]);
        // The very same files: what is decided is not written again.
        expect(decided && apps()).toEqual(written);
        expect([volumes.said("touching"), volumes.said("decided")]).toEqual([!decided, true]);
        expect(volumes.bench.lines.filter(({ type }) => type === "replaced")).toHaveLength(2);
      },
    );
    expect(steps).toBeGreaterThan(80);
    expect([ends[0], ends.at(-1)]).toEqual([false, true]);
  });

  it("is put back in all volumes or finished in all, by whoever comes next", async () => {
    await everyCrash(
      fresh,
      () => volumes.replace("op1"),
      async (before) => {
        const decided = volumes.isDecided("op1");
        volumes.bench.lines.length = 0;
        await volumes.putBack("op1");
        expect(volumes.said("decided")).toBe(decided);
        expect(decided ? seen() : standing()).toEqual(decided ? restoredOver(before, "op1") : before);
      },
    );
  });

  it("keeps the root's owner, mode and time with the tree", async () => {
    await fresh();
    const before = times();
    await volumes.replace("op1");
    expect(volumes.roots.map((root) => microsOf(join(root, ".holdfast-kept-op1/root")))).toEqual(before);
    await volumes.swap("op2", "op1");
    expect(times()).toEqual(before);
  });
});

/** Seconds since 1970. */
const laterTime = 1_300_000_000.25;

/** As after a restore that somebody wants undone, with what an older operation keeps beside it. */
const restored = async (): Promise<readonly Standing[]> => {
  volumes.renew();
  await volumes.replace("op0");
  for (const root of volumes.roots) plant(root, [{ path: "later", kind: "file", content: root }], { time: laterTime });
  await volumes.replace("op1");
  for (const root of volumes.roots)
    plant(root, [{ path: "since-then", kind: "file", content: root }], { time: 1_234_567_890.5 });
  volumes.bench.lines.length = 0;
  return standing();
};

const exchanged = (before: readonly Standing[]): readonly Standing[] =>
  before.map(({ app, kept: { op0 = [], op1 = [] } }) => ({ app: op1, kept: { op0, op2: app }, unfinished: [] }));

describe("an exchange", () => {
  it("brings the kept tree back and keeps the present one, wherever it was killed and run again", async () => {
    const steps = await everyCrash(
      restored,
      () => volumes.swap("op2", "op1"),
      async (before) => {
        expect(bothReachable(before.map(({ app }) => app))).toBe(true);
        expect(bothReachable(before.map(({ kept }) => kept.op1 ?? []))).toBe(true);
        const decided = volumes.isDecided("op2");
        expect(!volumes.said("decided") || decided).toBe(true);
        volumes.bench.lines.length = 0;
        await volumes.swap("op2", "op1");
        expect(standing()).toEqual(exchanged(before));
        expect(times()).toEqual([laterTime * 1e6, laterTime * 1e6]);
        expect([volumes.said("touching"), volumes.said("decided")]).toEqual([!decided, true]);
      },
    );
    expect(steps).toBeGreaterThan(50);
  });

  it("is undone or finished in all volumes by whoever comes next", async () => {
    await everyCrash(
      restored,
      () => volumes.swap("op2", "op1"),
      async (before) => {
        const decided = volumes.isDecided("op2");
        await volumes.putBack("op2");
        expect(standing()).toEqual(decided ? exchanged(before) : before);
      },
    );
  });

  it("of an exchange gives back exactly what was there", async () => {
    const before = await restored();
    const time = times();
    await volumes.swap("op2", "op1");
    await volumes.swap("op3", "op2");
    expect(times()).toEqual(time);
    expect(standing()).toEqual(
      before.map(({ app, kept: { op0 = [], op1 = [] } }) => ({ app, kept: { op0, op3: op1 }, unfinished: [] })),
    );
  });

  it.each([
    ["nothing kept by that operation", "."],
    ["only the name of it, as copies bring it along", "files"],
  ])("is refused, untouched, when one volume has %s", async (_what, missing) => {
    await restored();
    rmSync(join(volumes.roots[1] ?? "", ".holdfast-kept-op1", missing), { recursive: true });
    const before = volumes.roots.map(treeOf);
    await expect(volumes.swap("op2", "op1")).rejects.toMatchObject({ code: "OPERATION_NOT_UNDOABLE" });
    expect([volumes.roots.map(treeOf), volumes.said("touching")]).toEqual([before, false]);
  });

  it("is refused, and everything as it stood, when what it wants has gone back into the root before", async () => {
    await everyCrash(
      restored,
      () => volumes.swap("op2", "op1"),
      async (before) => {
        const decided = volumes.isDecided("op2");
        await Promise.allSettled([volumes.swap("op3", "op1")]);
        await volumes.putBack("op2");
        const third = before.map(({ app, kept: { op0 = [], op1 = [] } }) => ({
          app: op1,
          kept: { op0, op3: app },
          unfinished: [],
        }));
        expect(standing()).toEqual(decided ? exchanged(before) : third);
      },
    );
  });

  it("is as before when it is told to stop at whatever it says, until it is decided", async () => {
    const ends: boolean[] = [];
    for (let at = 1; !ends.includes(true); at += 1) {
      const before = await restored();
      const { context, lines } = volumes.bench;
      const stop = new AbortController();
      const say = (line: AgentLine): void => {
        lines.push(line);
        if (lines.length === at) stop.abort();
      };
      const job = { kind: "swap", operation: "op2", kept: "op1", targets: volumes.targets } as const;
      const outcome = await Promise.allSettled([swap(job, { ...context, signal: stop.signal, say })]);
      const done = outcome[0].status === "fulfilled";
      expect([volumes.said("as-before"), volumes.said("decided")]).toEqual([!done, done]);
      expect(standing()).toEqual(done ? exchanged(before) : before);
      ends.push(done);
    }
    expect(ends.length).toBeGreaterThan(4);
  });
});

describe("a discard", () => {
  it("removes what the named operations have kept and nothing else, wherever it was killed and run again", async () => {
    const steps = await everyCrash(
      restored,
      () => volumes.discard("op1", "never-was"),
      async (before) => {
        expect(apps()).toEqual(before.map(({ app }) => app));
        await volumes.discard("op1", "never-was");
        expect(standing()).toEqual(before.map(({ app, kept: { op0 } }) => ({ app, kept: { op0 }, unfinished: [] })));
      },
    );
    expect(steps).toBe(4);
  });

  it("tells the bytes that are free again, for each volume and operation", async () => {
    await restored();
    await volumes.discard("op0", "op1", "never-was");
    const lines = volumes.bench.lines.flatMap((line) =>
      line.type === "discarded" ? [`${line.volume} ${line.operation} ${line.bytes > 0}`] : [],
    );
    expect(lines).toEqual(["media/a op0 true", "media/a op1 true", "media/b op0 true", "media/b op1 true"]);
  });

  it("first finishes what was decided in another volume, so that no volume goes back alone", async () => {
    await everyCrash(
      fresh,
      () => volumes.replace("op1"),
      async (before) => {
        const decided = volumes.isDecided("op1");
        if (decided) await volumes.discard("op1");
        else await volumes.putBack("op1");
        const gone = before.map(() => ({ app: restoredLooks, kept: {}, unfinished: [] }));
        expect(decided ? seen() : standing()).toEqual(decided ? gone : before);
      },
    );
  });
});
