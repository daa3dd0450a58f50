/** Which operations nobody needs any more. Pure. */
import { byOrder, isUnfinished, type OperationState } from "./state.ts";

/** Nothing can be gone on with, and nothing is set aside by it. */
const isSpent = (state: OperationState): boolean =>
  !isUnfinished(state) && (state.status !== "done" || state.setAside.length === 0);

/**
 * Operations whose last entry is older than `before` (ms since 1970), in the order in which they may go: an operation goes
 * together with all that undid or settled it, and before them, for without them it would look as if it still stood.
 * `states` are all that there are, as `withFollowers` gives them. Cost: one pass, times the length of the longest row of
 * operations about one another.
 */
export const forgettable = (states: readonly OperationState[], before: number): readonly string[] => {
  const byId = new Map(states.map((state) => [state.id, state]));
  const rootOf = (state: OperationState): string => {
    const above = state.of === undefined ? undefined : byId.get(state.of);
    return above === undefined ? state.id : rootOf(above);
  };
  const rows = new Map<string, OperationState[]>();
  for (const state of states) rows.set(rootOf(state), [...(rows.get(rootOf(state)) ?? []), state]);
  return [...rows.values()]
    .filter((row) => row.every((state) => isSpent(state) && state.lastEntry < before))
    .flatMap((row) => row.toSorted(byOrder).map(({ id }) => id));
};
