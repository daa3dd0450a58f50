/** Which operations nobody needs any more. Pure. */
import { byOrder, chainsOf, isUnfinished, type OperationState } from "./state.ts";

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
  const chainOf = chainsOf(states);
  const rows = new Map<OperationState | undefined, OperationState[]>();
  for (const state of states) {
    const root = chainOf(state).at(-1);
    rows.set(root, [...(rows.get(root) ?? []), state]);
  }
  return [...rows.values()]
    .filter((row) => row.every((state) => isSpent(state) && state.lastEntry < before))
    .flatMap((row) => row.toSorted(byOrder).map(({ id }) => id));
};
