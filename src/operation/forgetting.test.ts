import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { forgettable } from "./forgetting.ts";
import { isUnfinished, type OperationState, withFollowers } from "./state.ts";
import { OperationWorld } from "./testing/process.ts";
import { stepKinds } from "./step-kind.ts";
import { anOperation } from "./testing/states.ts";
import { aPlan, aStep, switchKind, Switches } from "./testing/switches.ts";

const day = 86_400_000;

const aside = [{ volume: "a", where: "there", bytes: undefined }];

describe("what is forgotten", () => {
  it("is what is over for long enough and keeps nothing set aside", () => {
    const states = [
      anOperation(1),
      anOperation(2, { lastEntry: 100 }),
      anOperation(3, { status: "forward" }),
      anOperation(4, { status: "back" }),
      anOperation(5, { setAside: aside }),
      anOperation(6, { status: "as-before" }),
      anOperation(7, { status: "given-up" }),
    ];
    expect(forgettable(states, 100)).toEqual(["1", "6", "7"]);
  });

  it("goes together with what undid or settled it, and before that", () => {
    const undone = anOperation(1, { setAside: aside });
    const undo = anOperation(2, { of: "1", verb: "undo", setAside: aside });
    const settled = anOperation(3, { of: "2", verb: "settle" });
    expect(forgettable(withFollowers([settled, undo, undone]), 1)).toEqual(["1", "2", "3"]);
    expect(forgettable(withFollowers([{ ...settled, lastEntry: 1 }, undo, undone]), 1)).toEqual([]);
    expect(forgettable(withFollowers([undo, undone]), 1)).toEqual([]);
  });

  it("changes nothing about what is remembered, in whatever order it goes and wherever that is cut off", () => {
    const status = fc.constantFrom<OperationState["status"]>("done", "done", "done", "forward", "back", "as-before");
    const one = fc.record({
      status,
      lastEntry: fc.integer({ min: 0, max: 3 }),
      isAside: fc.boolean(),
      isSettle: fc.boolean(),
      of: fc.option(fc.nat({ max: 20 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(one, { maxLength: 20 }), fc.nat({ max: 20 }), (drawn, cut) => {
        const followed = new Set<number>();
        const all = drawn.map(({ status, lastEntry, isAside, isSettle, of }, index) => {
          // Of one that is undone already nothing more is done.
          const isFree = of !== undefined && of < index && !followed.has(of);
          if (isFree && status === "done") followed.add(of);
          return anOperation(index, {
            status,
            lastEntry,
            setAside: isAside ? aside : [],
            verb: isSettle ? "settle" : "undo",
            ...(isFree ? { of: String(of) } : {}),
          });
        });
        const before = withFollowers(all);
        const gone = new Set(forgettable(before, 2).slice(0, cut));
        const after = withFollowers(all.filter(({ id }) => !gone.has(id)));
        const remembered = before.filter(({ id }) => !gone.has(id));
        expect(after.map(({ id, status }) => [id, status])).toEqual(remembered.map(({ id, status }) => [id, status]));
        for (const state of before.filter(({ id }) => gone.has(id))) {
          expect(isUnfinished(state) || state.lastEntry >= 2).toBe(false);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("an operation that goes well", () => {
  const setUp = () => {
    const world = new OperationWorld();
    const switches = new Switches();
    const open = () => world.process(() => stepKinds([switchKind(switches)]));
    const pass = (time: number) => world.clock.sleep(time);
    return { world, open, pass };
  };
  const without = { ...aPlan([aStep("a")]), undo: { kind: "nothing", text: "" } } as const;

  it("removes what was over 90 days ago, and what it is about itself stays", async () => {
    const { world, open, pass } = setUp();
    const { operations } = open();
    await operations.start("op-1", without);
    await operations.settle("op-1");
    await operations.start("op-2", { ...without, steps: [] });
    await pass(89 * day);
    await operations.start("op-3", { ...without, steps: [] });
    expect((await world.journal.sizes()).size).toBe(4);
    await pass(2 * day);
    await operations.start("op-4", { ...without, steps: [] });
    expect([...(await world.journal.sizes()).keys()]).toEqual(["op-3", "op-4"]);
  });

  it("removes nothing while a journal cannot be read", async () => {
    const { world, open, pass } = setUp();
    await open().operations.start("op-1", { ...without, steps: [] });
    await world.journal.append("op-0", 1, "no entry");
    await pass(91 * day);
    await open().operations.start("op-2", { ...without, steps: [] });
    expect([...(await world.journal.sizes()).keys()]).toEqual(["op-0", "op-1", "op-2"]);
  });

  it("tells what keeps it from that, and has gone well all the same", async () => {
    const { world, open, pass } = setUp();
    await open().operations.start("op-1", { ...without, steps: [] });
    await pass(91 * day);
    world.journal.remove = () => Promise.reject(new Error("the disk is read-only"));
    const { operations, events } = open();
    expect(await operations.start("op-2", { ...without, steps: [] })).toMatchObject({ status: "done" });
    expect(events).toEqual([{ type: "detail", text: expect.stringContaining("the disk is read-only") as string }]);
  });
});
