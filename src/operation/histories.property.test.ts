/** Whatever is killed, whenever, and however often: an operation comes to its end, or to where it began. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { isFailure } from "../model/failure.ts";
import { isUnfinished } from "./state.ts";
import { type StepKinds, stepKinds } from "./step-kind.ts";
import { Life } from "./testing/mortal.ts";
import { OperationWorld } from "./testing/process.ts";
import { aPlan, aStep, switchKind, Switches } from "./testing/switches.ts";

type Wish = "resume" | "undo" | "settle";

interface History {
  readonly steps: number;
  readonly decides: number;
  /** Crossings after which each process dies; the wish is what its user asks for. */
  readonly lives: readonly { readonly until: number; readonly wish: Wish }[];
  /** The step whose switch sticks, and how often. */
  readonly stuck: { readonly step: number; readonly times: number };
}

const histories: fc.Arbitrary<History> = fc.record({
  steps: fc.integer({ min: 1, max: 4 }),
  decides: fc.integer({ min: 0, max: 4 }),
  lives: fc.array(
    fc.record({ until: fc.integer({ min: 1, max: 90 }), wish: fc.constantFrom<Wish>("resume", "undo", "settle") }),
    { minLength: 1, maxLength: 6 },
  ),
  stuck: fc.record({ step: fc.integer({ min: 0, max: 3 }), times: fc.integer({ min: 0, max: 2 }) }),
});

const names = ["a", "b", "c", "d"] as const;

const play = async ({ steps, decides, lives, stuck }: History) => {
  const world = new OperationWorld();
  const switches = new Switches();
  const open = (life = new Life()) =>
    world.process((_, alive): StepKinds => stepKinds([switchKind(alive.port(switches))]), life).operations;
  const planned = names.slice(0, steps).map((name, index) => aStep(name, index === decides ? { decides: true } : {}));
  const plan = aPlan(planned);
  switches.fail(names[stuck.step] ?? "a", stuck.times);
  const live = async (life: Life, work: () => Promise<unknown>): Promise<void> => {
    const ended = work().catch((error: unknown) => {
      if (!isFailure(error)) throw error;
    });
    await Promise.race([ended, life.ended]);
  };
  for (const [index, { until, wish }] of lives.entries()) {
    const life = new Life(until);
    const operations = open(life);
    await live(life, () => (index === 0 ? operations.start("op-1", plan) : operations[wish]("op-1")));
    life.end();
  }
  const last = open();
  // The last process lives on, and its user only wants an end.
  for (let turn = 0; turn < 12; turn += 1) {
    const unfinished = (await last.list()).operations.find(isUnfinished);
    if (unfinished === undefined) break;
    await live(new Life(), () => last.resume(unfinished.id));
  }
  return { world, switches, states: (await last.list()).operations, names: names.slice(0, steps) };
};

it("every history ends with all of it or nothing of it, and nothing is left locked", async () => {
  await fc.assert(
    fc.asyncProperty(histories, async (history) => {
      const { world, switches, states, names } = await play(history);
      expect(states.filter(isUnfinished)).toEqual([]);
      const positions = names.map((name) => switches.positions.get(name) ?? "off");
      expect(new Set(positions).size).toBe(1);
      const first = states.find(({ id }) => id === "op-1");
      const wanted = first?.status === "done" || first?.status === "settled" ? "on" : "off";
      expect(positions[0]).toBe(wanted);
      const leases = await world.kubernetes.list({
        apiVersion: "coordination.k8s.io/v1",
        kind: "Lease",
        plural: "leases",
        namespaced: true,
      });
      // A dead process' lock stands until somebody wants the volume; a living one's is gone.
      expect(leases.items.length).toBeLessThanOrEqual(1);
    }),
    { numRuns: 1500 },
  );
}, 60_000);
