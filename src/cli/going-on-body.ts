/** `holdfast resume`, `undo` and `settle`: what is done about an operation afterwards. */
import { Failure } from "../model/failure.ts";
import { isUnfinished, type OperationState } from "../operation/state.ts";
import { serveVerb } from "../server/names.ts";
import { commandBody } from "./body.ts";
import { carryOut } from "./carry-out.ts";
import type { CliContext } from "./cli-context.ts";
import type { WorldFlags } from "./flags.ts";
import { type OperationsView, viewOperations } from "./operations-world.ts";
import { confirmPlan, showPlan } from "./plan-text.ts";

interface GoingOnFlags extends WorldFlags {
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
  readonly timeout: number;
}

/** The operation with this id, or the only one that `fits`. Throws OPERATION_UNKNOWN, with those that would fit. */
const chosen = async (
  operations: OperationsView,
  id: string | undefined,
  fits: (state: OperationState) => boolean,
  wish: string,
): Promise<OperationState> => {
  if (id !== undefined) return operations.read(id);
  const fitting = (await operations.list()).operations.filter(fits);
  const [only] = fitting;
  if (only !== undefined && fitting.length === 1) return only;
  throw new Failure("OPERATION_UNKNOWN", {
    what: only === undefined ? `There is no operation to ${wish}.` : `There are several operations to ${wish}.`,
    ...(only === undefined ? {} : { why: fitting.map((state) => `${state.id} (${state.plan.title})`).join(", ") }),
    ...(only === undefined ? {} : { todo: "Name one." }),
  });
};

/** The steps of an unfinished operation, as far as they concern this wish. */
const showUnfinished = (cli: CliContext, state: OperationState, flags: GoingOnFlags, isBack: boolean): void =>
  showPlan(cli, state.plan, flags, {
    data: { operation: state.id, isBack },
    texts: [
      `${state.id} stopped in the middle: ${isBack ? "it goes back to where it began over the steps that were begun" : "it goes on"}`,
      ...state.steps.map(({ step, standing }) => `  ${standing.padEnd(8)} ${isBack ? step.back : step.title}`),
    ],
  });

export const resume = commandBody<GoingOnFlags, [string?]>(async (cli, world, flags, id) => {
  const state = await chosen(await viewOperations(world), id, isUnfinished, "go on with");
  showUnfinished(cli, state, flags, state.status === "back");
  if (flags.dryRun) return;
  // It was agreed to when it began.
  await carryOut(cli, world, flags, (operations) => operations.resume(state.id));
});

const isUndoable = (state: OperationState): boolean =>
  isUnfinished(state) || (state.status === "done" && state.plan.undo.kind === "kept" && state.plan.verb !== "undo");

export const undo = commandBody<GoingOnFlags, [string?]>(async (cli, world, flags, id) => {
  const operations = await viewOperations(world);
  // What the server has guarded meanwhile is not what the user has just done.
  const isUsers = (state: OperationState): boolean => isUndoable(state) && state.plan.verb !== serveVerb;
  const newest = id ?? (await operations.list()).operations.find(isUsers)?.id;
  const state = await chosen(operations, newest, isUndoable, "undo");
  if (isUnfinished(state)) showUnfinished(cli, state, flags, true);
  else {
    const plan = await operations.planUndo(state);
    showPlan(cli, plan, flags);
    if (!flags.dryRun) await confirmPlan(cli, plan, flags);
  }
  if (flags.dryRun) return;
  await carryOut(cli, world, flags, (engine) => engine.undo(state.id));
});

/** With an id that one, without all whose time is over. */
const toSettle = async (cli: CliContext, operations: OperationsView, id: string | undefined) => {
  if (id !== undefined) return [await operations.read(id)];
  const now = cli.context.clock.now();
  const { operations: all } = await operations.list();
  return all.filter(({ status, until, setAside }) => status === "done" && setAside.length > 0 && (until ?? now) <= now);
};

export const settle = commandBody<GoingOnFlags, [string?]>(async (cli, world, flags, id) => {
  const operations = await viewOperations(world);
  // Oldest first: what a later one has set aside may lean on it.
  const states = (await toSettle(cli, operations, id)).toReversed();
  const plans = states.flatMap((state) => {
    const plan = operations.planSettle(state);
    return plan === undefined ? [] : [{ state, plan }];
  });
  if (plans.length === 0) {
    cli.context.stdout.write(`Nothing is set aside${id === undefined ? " whose time is over" : " by it"}.\n`);
    return;
  }
  for (const { plan } of plans) {
    showPlan(cli, plan, flags);
    if (!flags.dryRun) await confirmPlan(cli, plan, flags);
  }
  if (flags.dryRun) return;
  for (const { state } of plans) await carryOut(cli, world, flags, (engine) => engine.settle(state.id));
});
