/** What may be taken back, in any order of restores, undos and settles on one volume: judged by what there was in between. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { isFailure } from "../model/failure.ts";
import { planUndo } from "./going-back.ts";
import { type OperationState, withFollowers } from "./state.ts";
import { anOperation } from "./testing/states.ts";

/** `at` picks one of the operations that there are. */
const move = fc.record({ verb: fc.constantFrom("restore", "undo", "undo", "settle"), at: fc.nat({ max: 11 }) });

interface Done {
  readonly state: OperationState;
  /** What was in the volume when it had ended: the restores that are in force. */
  readonly content: readonly string[];
}

const mayUndo = (state: OperationState, all: readonly OperationState[]): boolean => {
  try {
    return planUndo(state, all).locks.length > 0;
  } catch (error) {
    if (isFailure(error, "OPERATION_NOT_UNDOABLE")) return false;
    throw error;
  }
};

/** The restore that a chain of undos is about: each of them takes it out, or brings it back. */
const restoreOf = (id: string, all: readonly OperationState[]): string => {
  const of = all.find((state) => state.id === id)?.of;
  return of === undefined ? id : restoreOf(of, all);
};

const toggled = (content: readonly string[], restore: string): readonly string[] =>
  content.includes(restore) ? content.filter((one) => one !== restore) : [...content, restore].toSorted();

/** The undo of an operation, after which all must be as it was before that began. */
const undoOf = (history: readonly Done[], chosen: OperationState, all: readonly OperationState[]): Done => {
  const content = toggled(history.at(-1)?.content ?? [], restoreOf(chosen.id, all));
  expect(content).toEqual(history[chosen.order - 2]?.content ?? []);
  return { state: anOperation(history.length + 1, { verb: "undo", of: chosen.id }), content };
};

it("is exactly what lies on top: what was in the volume when it had ended is in it now", () => {
  fc.assert(
    fc.property(fc.array(move, { maxLength: 12 }), (moves) => {
      const history: Done[] = [];
      const wrong: string[] = [];
      for (const { verb, at } of moves) {
        const all = withFollowers(history.map(({ state }) => state));
        const content = history.at(-1)?.content ?? [];
        const order = history.length + 1;
        const chosen = all[at % Math.max(1, all.length)];
        const isFree = chosen?.status === "done" && chosen.plan.verb !== "settle";
        if (verb === "restore")
          history.push({ state: anOperation(order, { verb }), content: toggled(content, String(order)) });
        else if (isFree && verb === "settle")
          history.push({ state: anOperation(order, { verb, of: chosen.id }), content });
        else if (isFree) {
          const isOnTop = JSON.stringify(history[chosen.order - 1]?.content) === JSON.stringify(content);
          if (mayUndo(chosen, all) !== isOnTop) wrong.push(`${chosen.id}: ${isOnTop ? "refused" : "allowed"}`);
          if (isOnTop) history.push(undoOf(history, chosen, all));
        }
      }
      expect(wrong).toEqual([]);
    }),
    { numRuns: 2000 },
  );
});
