/** Operations as they stand, for tests of what is decided by that alone. */
import type { OperationState } from "../state.ts";
import { aPlan } from "./switches.ts";

export type Standing = Partial<OperationState> & { readonly verb?: string };

/** A restore that is done and keeps nothing, except where `standing` says otherwise. */
export const anOperation = (order: number, { verb = "restore", ...standing }: Standing = {}): OperationState => ({
  id: String(order),
  plan: aPlan([], { verb }),
  of: undefined,
  status: "done",
  steps: [],
  order,
  began: order,
  lastEntry: 0,
  entries: 3,
  failure: undefined,
  setAside: [],
  until: undefined,
  by: undefined,
  ...standing,
});
