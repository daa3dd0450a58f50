/** Steps for tests of the engine: switches that are turned on in two moves, so that they can be found half turned. */
import { z } from "zod";
import { Failure } from "../../model/failure.ts";
import type { Json, Plan, PlannedStep } from "../../model/plan.ts";
import type { Presence, StepKind } from "../step-kind.ts";

type Position = "off" | "half" | "on";

/** The outside of these tests: changed by one call at a time, and only by awaiting. */
export class Switches {
  readonly positions = new Map<string, Position>();
  /** What was kept of switches that were used: freed by settling. */
  readonly kept = new Set<string>();
  readonly #failing = new Map<string, number>();

  /** The next `times` moves of a switch fail. */
  fail(name: string, times = 1): void {
    this.#failing.set(name, times);
  }

  async get(name: string): Promise<Position> {
    return this.positions.get(name) ?? "off";
  }

  async set(name: string, position: Position): Promise<void> {
    const failing = this.#failing.get(name) ?? 0;
    if (failing > 0) {
      this.#failing.set(name, failing - 1);
      throw new Failure("NAS_BUSY", { what: `The switch ${name} is stuck.` });
    }
    this.positions.set(name, position);
  }

  async keep(name: string, isKept: boolean): Promise<void> {
    if (isKept) this.kept.add(name);
    else this.kept.delete(name);
  }
}

const presences = { off: "absent", half: "partial", on: "present" } as const satisfies Record<Position, Presence>;
const input = z.strictObject({ name: z.string() });

/** The kind "switch" over a port to the switches. */
export const switchKind = (switches: Pick<Switches, "get" | "set" | "keep">): StepKind<{ readonly name: string }> => {
  const turn = async (name: string, to: "on" | "off"): Promise<Json> => {
    if ((await switches.get(name)) === to) return `${name} ${to}`;
    await switches.set(name, "half");
    await switches.set(name, to);
    return `${name} ${to}`;
  };
  return {
    kind: "switch",
    input,
    check: async ({ name }) => presences[await switches.get(name)],
    apply: async ({ name }) => {
      await switches.keep(name, true);
      return turn(name, "on");
    },
    undo: async ({ name }, _, { used }) => {
      if (!used) await switches.keep(name, false);
      return turn(name, "off");
    },
    redo: ({ name }) => turn(name, "on"),
    setAside: ({ name }) => [{ volume: name, where: `the old ${name}`, bytes: 1 }],
    settle: async ({ name }) => switches.keep(name, false),
  };
};

export const aStep = (name: string, part: Partial<PlannedStep> = {}): PlannedStep => ({
  id: `turn-${name}`,
  kind: "switch",
  title: `turn ${name} on`,
  why: "it is wanted",
  back: `turn ${name} off`,
  touches: [name],
  repeat: "safe",
  input: { name },
  does: "apply",
  ...part,
});

export const aPlan = (steps: readonly PlannedStep[], part: Partial<Plan> = {}): Plan => ({
  version: 1,
  verb: "restore",
  title: "turn switches on",
  locks: ["media/sonarr"],
  steps,
  undo: { kind: "kept", text: "the switches can be turned off again" },
  warnings: [],
  ...part,
});
