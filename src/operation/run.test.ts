import { describe, expect, it } from "vitest";
import type { Plan } from "../model/plan.ts";
import { standingSteps } from "./state.ts";
import { type StepKinds, stepKinds } from "./step-kind.ts";
import { Life } from "./testing/mortal.ts";
import { OperationWorld } from "./testing/process.ts";
import { aPlan, aStep, switchKind, Switches } from "./testing/switches.ts";

const setUp = () => {
  const world = new OperationWorld();
  const switches = new Switches();
  const kinds = (_: unknown, life: Life): StepKinds => stepKinds([switchKind(life.port(switches))]);
  const open = (life = new Life(), signal?: AbortSignal) => world.process(kinds, life, signal);
  return { world, switches, open, ...open() };
};

const three = aPlan([aStep("a"), aStep("b", { decides: true }), aStep("c")]);

const on = (switches: Switches): readonly string[] =>
  [...switches.positions].filter(([, position]) => position !== "off").map(([name, position]) => `${name} ${position}`);

describe("an operation", () => {
  it("does all steps in order, tells each, and says what it has set aside and until when", async () => {
    const { operations, switches, events, world } = setUp();
    const state = await operations.start("op-1", three);
    expect(on(switches)).toEqual(["a on", "b on", "c on"]);
    expect(events.map((event) => event.type === "step" && event.title)).toEqual([
      "turn a on",
      "turn b on",
      "turn c on",
    ]);
    expect(state).toMatchObject({ status: "done", setAside: [{ volume: "a" }, { volume: "b" }, { volume: "c" }] });
    expect(state.until).toBeGreaterThan(world.clock.now() + 6 * 86_400_000);
  });

  it("comes after all that was there when it began, however wrong its clock is", async () => {
    const { world, open } = setUp();
    const { now } = world.clock;
    await open().operations.start("op-1", aPlan([aStep("a")]));
    world.clock.now = () => now() - 86_400_000;
    await open().operations.start("op-2", aPlan([aStep("b")]));
    world.clock.now = now;
    const { operations } = open();
    expect((await operations.list()).operations.map(({ id }) => id)).toEqual(["op-2", "op-1"]);
    await expect(operations.undo("op-1")).rejects.toMatchObject({
      code: "OPERATION_NOT_UNDOABLE",
      why: expect.stringContaining("op-2") as string,
    });
    expect(await operations.undo("op-2")).toMatchObject({ status: "done" });
  });

  it("goes back over what it did, latest first, when a step fails before the one that decides", async () => {
    const { operations, switches, events } = setUp();
    switches.fail("b");
    await expect(operations.start("op-1", three)).rejects.toMatchObject({
      code: "NAS_BUSY",
      todo: expect.stringContaining("Everything is as it was before.") as string,
    });
    expect(on(switches)).toEqual([]);
    expect(events.flatMap((event) => (event.type === "step" && event.back ? [event.title] : []))).toEqual([
      "turn b off",
      "turn a off",
    ]);
    expect(await operations.read("op-1")).toMatchObject({ status: "as-before", failure: { code: "NAS_BUSY" } });
  });

  it("does not go back once the step that decides has ended; resuming does the rest", async () => {
    const { operations, switches } = setUp();
    switches.fail("c");
    await expect(operations.start("op-1", three)).rejects.toMatchObject({
      todo: expect.stringContaining("holdfast resume op-1") as string,
    });
    expect(on(switches)).toEqual(["a on", "b on"]);
    expect(await operations.read("op-1")).toMatchObject({ status: "forward" });
    expect(await operations.resume("op-1")).toMatchObject({ status: "done" });
    expect(on(switches)).toEqual(["a on", "b on", "c on"]);
  });

  it("stays unfinished when it cannot go back either, and resuming goes on going back", async () => {
    const { operations, switches } = setUp();
    switches.fail("b", 2);
    await switches.set("c", "off");
    const stuck = aPlan([aStep("a"), aStep("b")]);
    // The first move of b fails half-way: turning it off again is a move too.
    switches.positions.set("b", "half");
    await expect(operations.start("op-1", stuck)).rejects.toMatchObject({ code: "OPERATION_UNFINISHED" });
    expect(await operations.read("op-1")).toMatchObject({ status: "back" });
    expect(await operations.resume("op-1")).toMatchObject({ status: "as-before" });
    expect(on(switches)).toEqual([]);
  });

  it("is ended where it stands when it is given up: its volumes are free, what it did stays, and is named", async () => {
    const { operations, switches } = setUp();
    await operations.start("op-0", aPlan([aStep("a")]));
    switches.fail("c");
    await expect(operations.start("op-1", three)).rejects.toMatchObject({ code: "NAS_BUSY" });
    await expect(operations.start("op-2", three)).rejects.toMatchObject({ code: "OPERATION_UNFINISHED" });
    const state = await operations.giveUp("op-1");
    expect(state).toMatchObject({ status: "given-up", setAside: [] });
    expect(standingSteps(state).map(({ step, standing }) => `${step.id} ${standing}`)).toEqual([
      "turn-a ended",
      "turn-b ended",
      "turn-c begun",
    ]);
    expect(on(switches)).toEqual(["a on", "b on"]);
    for (const again of [operations.giveUp("op-1"), operations.undo("op-1"), operations.resume("op-1")])
      await expect(again).rejects.toMatchObject({ code: "OPERATION_NOT_UNDOABLE" });
    // What it left is not gone back over either.
    await expect(operations.undo("op-0")).rejects.toMatchObject({
      code: "OPERATION_NOT_UNDOABLE",
      why: expect.stringContaining("op-1") as string,
    });
    expect(await operations.start("op-2", three)).toMatchObject({ status: "done" });
  });

  it("goes back when the user interrupts it", async () => {
    const { switches, open } = setUp();
    const interrupted = new AbortController();
    const { operations } = open(new Life(), interrupted.signal);
    const set = switches.set.bind(switches);
    switches.set = async (name, position) => {
      if (name === "b") interrupted.abort(new DOMException("SIGINT", "AbortError"));
      return set(name, position);
    };
    const failure = { code: "INTERRUPTED", todo: "Everything is as it was before." };
    await expect(operations.start("op-1", aPlan([aStep("a"), aStep("b"), aStep("c")]))).rejects.toMatchObject(failure);
    expect(on(switches)).toEqual([]);
  });

  it("does again, on resuming, what somebody has reversed before it was decided", async () => {
    const { open, switches } = setUp();
    const life = new Life();
    const set = switches.set.bind(switches);
    switches.set = async (name, position) => (name === "b" ? life.end() : set(name, position));
    void open(life).operations.start("op-1", three);
    await life.ended;
    switches.set = set;
    switches.positions.set("a", "off");
    await open().operations.resume("op-1");
    expect(on(switches)).toEqual(["a on", "b on", "c on"]);
  });

  it("leaves alone, on resuming, what came before the decision: it has served", async () => {
    const { operations, switches } = setUp();
    switches.fail("c");
    await expect(operations.start("op-1", three)).rejects.toThrow("stuck");
    switches.positions.set("a", "off");
    await operations.resume("op-1");
    expect(on(switches)).toEqual(["b on", "c on"]);
  });

  const freeing = aPlan([aStep("a", { decides: true }), aStep("b"), aStep("a", { id: "free-a", does: "settle" })]);

  it("whose last step frees what was set aside goes back while that has not begun", async () => {
    const { operations, switches } = setUp();
    switches.fail("b");
    await expect(operations.start("op-1", freeing)).rejects.toThrow("stuck");
    expect(await operations.undo("op-1")).toMatchObject({ status: "as-before" });
    expect(on(switches)).toEqual([]);
  });

  it("whose last step frees what was set aside only goes on once that has begun", async () => {
    const { open, switches } = setUp();
    const life = new Life();
    const keep = switches.keep.bind(switches);
    switches.keep = async (name, isKept) => (isKept ? keep(name, isKept) : life.end());
    void open(life).operations.start("op-1", freeing);
    await life.ended;
    switches.keep = keep;
    const { operations } = open();
    await expect(operations.undo("op-1")).rejects.toMatchObject({ code: "OPERATION_NOT_UNDOABLE" });
    expect(await operations.resume("op-1")).toMatchObject({ status: "done", setAside: [] });
    expect([on(switches), [...switches.kept]]).toEqual([["a on", "b on"], ["b"]]);
  });

  it.each([
    ["half", "OPERATION_UNFINISHED", "as-before"],
    ["off", undefined, "done"],
  ] as const)(
    "does not repeat what must not be repeated, unless nothing of it happened: %s",
    async (seen, code, end) => {
      const { world, switches, open } = setUp();
      const life = new Life();
      const dying = Object.assign(new Switches(), { set: async () => life.end() });
      const kinds = () => stepKinds([switchKind(life.port(dying))]);
      void world.process(kinds, life).operations.start("op-1", aPlan([aStep("a", { repeat: "once" })]));
      await life.ended;
      switches.positions.set("a", seen);
      const failure: unknown = await open()
        .operations.resume("op-1")
        .then(
          () => undefined,
          (error: unknown) => error,
        );
      expect((failure as { readonly code?: string } | undefined)?.code).toBe(code);
      expect(await open().operations.read("op-1")).toMatchObject({ status: end });
      expect(on(switches)).toEqual(end === "done" ? ["a on"] : []);
    },
  );

  it("refuses to go on with one that has ended, and to show one that never was", async () => {
    const { operations } = setUp();
    await operations.start("op-1", three);
    await expect(operations.resume("op-1")).rejects.toMatchObject({ code: "OPERATION_NOT_UNDOABLE" });
    await expect(operations.read("op-2")).rejects.toMatchObject({ code: "OPERATION_UNKNOWN" });
  });

  it("says of a journal entry that is damaged which one it is", async () => {
    const { operations, world } = setUp();
    await operations.start("op-1", three);
    await world.journal.append("op-1", 99, "{");
    await expect(operations.read("op-1")).rejects.toMatchObject({ code: "JOURNAL_UNREADABLE" });
    await world.journal.append("op-3", 1, '{"type":"planned","time":1');
    await expect(operations.read("op-3")).rejects.toMatchObject({
      code: "JOURNAL_UNREADABLE",
      why: expect.stringContaining("entry 1") as string,
    });
  });
});

describe("undo", () => {
  it("is an operation of its own that takes everything back, and can be undone itself", async () => {
    const { operations, switches } = setUp();
    await operations.start("op-1", three);
    const undo = await operations.undo("op-1");
    expect(undo).toMatchObject({ status: "done", of: "op-1", plan: { verb: "undo" } });
    expect(on(switches)).toEqual([]);
    expect(await operations.read("op-1")).toMatchObject({ status: "undone", by: undo.id });
    const again = await operations.undo(undo.id);
    expect(again).toMatchObject({ status: "done", of: undo.id });
    expect(on(switches)).toEqual(["a on", "b on", "c on"]);
  });

  it("refuses what is undone, settled, gone back by itself, or without a way back", async () => {
    const { operations, switches } = setUp();
    const refused = (id: string) =>
      expect(operations.undo(id)).rejects.toMatchObject({ code: "OPERATION_NOT_UNDOABLE" });
    await operations.start("op-1", three);
    await operations.undo("op-1");
    await refused("op-1");
    switches.fail("a");
    await expect(operations.start("op-2", three)).rejects.toThrow("stuck");
    await refused("op-2");
    await operations.start("op-3", { ...three, undo: { kind: "none", text: "NO UNDO" } });
    await refused("op-3");
  });

  it("refuses an operation that a later one on the same volume lies upon, and names it", async () => {
    const { operations, world } = setUp();
    await operations.start("op-1", three);
    await world.clock.sleep(1000);
    await operations.start("op-2", aPlan([aStep("d")]));
    await operations.start("op-3", aPlan([aStep("e")], { locks: ["media/other"] }));
    await expect(operations.undo("op-1")).rejects.toMatchObject({ todo: "`holdfast undo op-2` first." });
  });

  it("refuses one that a later one lies upon which was undone and done again", async () => {
    const { operations } = setUp();
    await operations.start("op-1", three);
    await operations.start("op-2", aPlan([aStep("d")]));
    const again = await operations.undo((await operations.undo("op-2")).id);
    await expect(operations.undo("op-1")).rejects.toMatchObject({ todo: `\`holdfast undo ${again.id}\` first.` });
  });

  it("takes one operation back after the other, latest first, and each of that again", async () => {
    const { operations, switches } = setUp();
    await operations.start("op-1", aPlan([aStep("a")]));
    await operations.start("op-2", aPlan([aStep("b")]));
    const second = await operations.undo("op-2");
    const first = await operations.undo("op-1");
    expect(on(switches)).toEqual([]);
    await expect(operations.undo(second.id)).rejects.toMatchObject({ todo: `\`holdfast undo ${first.id}\` first.` });
    await operations.undo(first.id);
    expect(on(switches)).toEqual(["a on"]);
    await operations.undo(second.id);
    expect(on(switches)).toEqual(["a on", "b on"]);
  });

  it("takes one back also when what is over was settled meanwhile", async () => {
    const { operations, switches } = setUp();
    await operations.start("op-1", aPlan([aStep("a")]));
    await operations.start("op-2", aPlan([aStep("b")]));
    await operations.settle((await operations.undo("op-2")).id);
    await operations.undo("op-1");
    expect(on(switches)).toEqual([]);
  });

  it("takes none back below one that was settled: its effect stays", async () => {
    const { operations } = setUp();
    await operations.start("op-1", aPlan([aStep("a")]));
    await operations.start("op-2", aPlan([aStep("b")]));
    await operations.settle("op-2");
    await expect(operations.undo("op-1")).rejects.toMatchObject({
      code: "OPERATION_NOT_UNDOABLE",
      todo: expect.stringContaining("`holdfast operations show op-1` says where the earlier state lies") as string,
    });
  });
});

describe("the guard, turned on after a restore", () => {
  const guard = aPlan([aStep("g")], { verb: "guard" });

  it("does not keep the restore from being undone, nor does its own undo", async () => {
    const { operations, switches, world } = setUp();
    await operations.start("op-1", three);
    await world.clock.sleep(1);
    await operations.start("op-2", guard);
    await world.clock.sleep(1);
    await operations.undo("op-2");
    await operations.undo("op-1");
    expect(on(switches)).toEqual([]);
  });

  it("is itself undone only before what came after it", async () => {
    const { operations, world } = setUp();
    await operations.start("op-1", guard);
    await world.clock.sleep(1);
    await operations.start("op-2", three);
    await expect(operations.undo("op-1")).rejects.toMatchObject({ code: "OPERATION_NOT_UNDOABLE" });
  });
});

describe("settling", () => {
  it("frees what was set aside, once, and then there is no undo", async () => {
    const { operations, switches } = setUp();
    await operations.start("op-1", three);
    expect([...switches.kept]).toEqual(["a", "b", "c"]);
    const settle = await operations.settle("op-1");
    expect(settle).toMatchObject({ status: "done", setAside: [], plan: { verb: "settle", undo: { kind: "none" } } });
    expect([...switches.kept]).toEqual([]);
    expect(await operations.read("op-1")).toMatchObject({ status: "settled" });
    expect(await operations.settle("op-1")).toBeUndefined();
    await expect(operations.undo("op-1")).rejects.toMatchObject({ code: "OPERATION_NOT_UNDOABLE" });
  });
});

/** Where a process died: before its first entry, between steps, or within one. */
const placeOf = async (world: OperationWorld, id: string): Promise<string> => {
  if ((await world.journal.read(id)).length === 0) return "before";
  const state = await world.process(() => new Map()).operations.read(id);
  const within = state.steps.find(({ standing }) => standing === "begun" || standing === "leaving");
  return within === undefined ? "between" : `within ${within.step.id}`;
};

const killed = async (plan: Plan, at: number, then: "resume" | "undo") => {
  const { world, switches, open } = setUp();
  const life = new Life(at);
  const first = open(life).operations.start("op-1", plan);
  const isOver = await Promise.race([first.then(() => true), life.ended.then(() => false)]);
  if (isOver) return undefined;
  const place = await placeOf(world, "op-1");
  if (place !== "before") {
    const state = await world.process(() => new Map()).operations.read("op-1");
    if (then === "resume" && state.status !== "done") await open().operations.resume("op-1");
    if (then === "undo") await open().operations.undo("op-1");
  }
  return { place, on: on(switches), kept: [...switches.kept] };
};

describe("an operation that is killed", () => {
  it.each(["resume", "undo"] as const)("anywhere, then %s: it comes to its end, or to where it began", async (then) => {
    const places = new Set<string>();
    for (let at = 1; ; at += 1) {
      const end = await killed(three, at, then);
      if (end === undefined) break;
      places.add(end.place);
      const wanted = then === "resume" && end.place !== "before" ? ["a on", "b on", "c on"] : [];
      expect({ at, place: end.place, on: end.on }).toEqual({ at, place: end.place, on: wanted });
    }
    expect([...places].toSorted()).toEqual(["before", "between", "within turn-a", "within turn-b", "within turn-c"]);
  });
});
