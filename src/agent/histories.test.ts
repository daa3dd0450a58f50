/** Random sequences of jobs, each killed and run again, judged by a model that knows no crashes. */
import { rmSync } from "node:fs";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { dyingAt } from "./testing/crash.ts";
import { plant } from "./testing/trees.ts";
import { looks, restoredLooks, standingOf, type TwoVolumes, twoVolumes } from "./testing/two-volumes.ts";

vi.mock("node:fs/promises", async (original) => (await import("./testing/crash.ts")).mortal(await original()));

let volumes: TwoVolumes;
beforeEach(() => {
  volumes = twoVolumes();
});
afterEach(() => rmSync(volumes.bench.base, { recursive: true, force: true }));

/** What one volume must look like. */
interface Model {
  readonly app: readonly string[];
  readonly kept: Readonly<Record<string, readonly string[]>>;
}

const seen = (): readonly Model[] =>
  volumes.roots.map((root) => {
    const { app, kept, unfinished } = standingOf(root);
    if (unfinished.length > 0) throw new Error(`left: ${unfinished.join()}`);
    return {
      app: looks(app),
      kept: Object.fromEntries(Object.entries(kept).map(([operation, lines]) => [operation, looks(lines)])),
    };
  });

const without = (kept: Model["kept"], operation: string): Model["kept"] =>
  Object.fromEntries(Object.entries(kept).filter(([name]) => name !== operation));

interface Move {
  readonly operation: string;
  /** One of the operations that keep something; undefined when none does. */
  readonly other: string | undefined;
}

/** What each kind of step does to the volumes, and to the model. */
const steps: Readonly<
  Record<string, { readonly run: (move: Move) => Promise<void>; readonly model: (before: Model, move: Move) => Model }>
> = {
  replace: {
    run: ({ operation }) => volumes.replace(operation),
    model: ({ app, kept }, { operation }) => ({ app: restoredLooks, kept: { ...kept, [operation]: app } }),
  },
  "replace without undo": {
    run: ({ operation }) => volumes.replace(operation, false),
    model: ({ kept }) => ({ app: restoredLooks, kept }),
  },
  swap: {
    run: async ({ operation, other }) => (other === undefined ? undefined : volumes.swap(operation, other)),
    model: (before, { operation, other = "" }) => {
      const back = before.kept[other];
      return back === undefined
        ? before
        : { app: back, kept: { ...without(before.kept, other), [operation]: before.app } };
    },
  },
  discard: {
    run: async ({ other }) => (other === undefined ? undefined : volumes.discard(other)),
    model: ({ app, kept }, { other = "" }) => ({ app, kept: without(kept, other) }),
  },
};

const aStep = fc.record({
  kind: fc.constantFrom(...Object.keys(steps)),
  which: fc.nat(3),
  crashes: fc.array(fc.record({ at: fc.integer({ min: 1, max: 110 }), halfway: fc.boolean() }), { maxLength: 3 }),
});

describe("any history", () => {
  it("ends as its jobs say, however often each of them was killed and run again", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(aStep, { minLength: 1, maxLength: 6 }), async (history) => {
        volumes.renew();
        let models = seen();
        for (const [number, { kind, which, crashes }] of history.entries()) {
          const move = { operation: `op${number}`, other: Object.keys(models[0]?.kept ?? {})[which] };
          const step = steps[kind];
          if (step === undefined) throw new Error(kind);
          for (const { at, halfway } of crashes) await dyingAt(at, () => step.run(move), halfway);
          await step.run(move);
          models = models.map((model) => step.model(model, move));
          expect(seen()).toEqual(models);
          // The app goes on working.
          for (const root of volumes.roots)
            plant(root, [{ path: `written-${number}`, kind: "file", content: "w", time: 1_700_000_000 }]);
          models = models.map(({ kept }, index) => ({ app: seen()[index]?.app ?? [], kept }));
        }
      }),
      { numRuns: 40 },
    );
  });
});
