/** Random sequences of jobs, each killed and run again: the agent on a file system, and its twin in memory on contents. */
import { rmSync } from "node:fs";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MemoryAgents } from "../systems/agent/memory.ts";
import { MemoryVolumes } from "../systems/agent/memory-volumes.ts";
import { dyingAt } from "./testing/crash.ts";
import { plant } from "./testing/trees.ts";
import {
  appOf,
  jobs,
  looks,
  restoredLooks,
  standingOf,
  type TwoVolumes,
  twoVolumes,
  type VolumeJob,
} from "./testing/two-volumes.ts";

vi.mock("node:fs/promises", async (original) => (await import("./testing/crash.ts")).mortal(await original()));

let volumes: TwoVolumes;
let twin: MemoryVolumes;
/** What the twin's contents look like. */
let contents: Map<string, readonly string[]>;
beforeEach(() => {
  volumes = twoVolumes();
});
afterEach(() => rmSync(volumes.bench.base, { recursive: true, force: true }));

const names = ["media/a", "media/b"] as const;

/** The app of each volume has written something. */
const written = (id: string): void => {
  for (const [index, name] of names.entries()) {
    contents.set(`${id} ${name}`, looks(appOf(volumes.roots[index] ?? "")));
    twin.write(name, `${id} ${name}`);
  }
};

const begin = (): void => {
  volumes.renew();
  twin = new MemoryVolumes();
  contents = new Map([["copy", restoredLooks]]);
  for (const id of ["s-a", "s-b"]) twin.copies.set(id, "copy");
  written("earlier");
};

/** Both kinds of volumes, in the same words. */
const onDisk = (): readonly unknown[] =>
  volumes.roots.map((root) => {
    const { app, kept, unfinished } = standingOf(root);
    const trees = Object.entries(kept).map(([operation, lines]) => [operation, looks(lines)]);
    return { app: looks(app), kept: Object.fromEntries(trees) as unknown, unfinished };
  });
const inMemory = (): readonly unknown[] =>
  names.map((name) => {
    const trees = [...twin.kept(name)].map(([operation, content]) => [operation, contents.get(content)]);
    const unfinished = [...twin.unfinished(name).keys()];
    return {
      app: contents.get(twin.content(name) ?? ""),
      kept: Object.fromEntries(trees) as unknown,
      unfinished,
    };
  });

const runTwin = (job: VolumeJob, dieAt = 0): Promise<void> => {
  twin.onChange(({ number }) => (number === dieAt ? "pod-dies" : undefined));
  const task = { operation: "any", job, mounts: [] };
  return new MemoryAgents(twin.script).run(task, () => undefined, new AbortController().signal);
};

/** As in a restore: after clearing comes a copy, and what that has set aside is nothing. */
const jobsOf = (kind: string, operation: string, other: string | undefined): readonly VolumeJob[] => {
  if (kind === "swap" && other !== undefined) return [jobs.swap(operation, other)];
  if (kind === "discard" && other !== undefined) return [jobs.discard(other)];
  if (kind === "clear") return [jobs.clear(), jobs.replace(operation), jobs.discard(operation)];
  return [jobs.replace(operation)];
};

const aStep = fc.record({
  kind: fc.constantFrom("replace", "replace", "swap", "swap", "discard", "clear"),
  which: fc.nat(2),
  crashes: fc.array(
    fc.record({ at: fc.integer({ min: 1, max: 110 }), twinAt: fc.integer({ min: 1, max: 25 }), halfway: fc.boolean() }),
    { maxLength: 3 },
  ),
});

describe("any history", () => {
  it("ends alike on a file system and in memory, however often each job was killed and run again", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(aStep, { minLength: 1, maxLength: 6 }), async (history) => {
        begin();
        for (const [number, { kind, which, crashes }] of history.entries()) {
          for (const job of jobsOf(kind, `op${number}`, [...twin.kept("media/a").keys()][which])) {
            for (const { at, twinAt, halfway } of crashes) {
              await dyingAt(at, () => volumes.run(job), halfway);
              await Promise.allSettled([runTwin(job, twinAt)]);
            }
            await Promise.all([volumes.run(job), runTwin(job)]);
          }
          expect(onDisk()).toEqual(inMemory());
          for (const root of volumes.roots)
            plant(root, [{ path: `written-${number}`, kind: "file", content: "w", time: 1_700_000_000 }]);
          written(`since ${number}`);
        }
      }),
      { numRuns: 40 },
    );
  });

  it("that is given up after any death is put back alike, or finished alike", async () => {
    const aDeath = fc.record({ undo: fc.boolean(), at: fc.integer({ min: 1, max: 110 }) });
    await fc.assert(
      fc.asyncProperty(aDeath, async ({ undo, at }) => {
        begin();
        await Promise.all([volumes.replace("op0"), runTwin(jobs.replace("op0"))]);
        const job = undo ? jobs.swap("op1", "op0") : jobs.replace("op1");
        volumes.bench.lines.length = 0;
        const done = await dyingAt(at, () => volumes.run(job));
        const decided = done || volumes.said("decided");
        if (decided) await runTwin(job);
        await volumes.putBack("op1");
        expect(onDisk()).toEqual(inMemory());
      }),
      { numRuns: 40 },
    );
  });
});
