/** `holdfast operations give-up ID`: frees the volumes of an operation that can go neither on nor back. */
import { type OperationState, standingSteps } from "../operation/state.ts";
import { commandBody } from "./body.ts";
import type { CliContext } from "./cli-context.ts";
import { confirmByName } from "./confirm.ts";
import type { WorldFlags } from "./flags.ts";
import { openOperations, viewOperations } from "./operations-world.ts";
import type { World } from "./world.ts";

interface GiveUpFlags extends WorldFlags {
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
  readonly timeout: number;
}

/** What it leaves, and for each what would take it back. */
const leftText = (state: OperationState): string => {
  const left = standingSteps(state);
  if (left.length === 0) return `${state.id} (${state.plan.title}) has changed nothing.`;
  return [
    `${state.id} (${state.plan.title}) leaves this as it is:`,
    ...left.map(({ step, standing }) => `  ${standing.padEnd(8)} ${step.title}\n           by hand: ${step.back}`),
  ].join("\n");
};

const leftData = (state: OperationState): object => ({
  operation: state.id,
  left: standingSteps(state).map(({ step, standing }) => ({
    standing,
    title: step.title,
    back: step.back,
    touches: step.touches,
  })),
});

export const giveUp = commandBody<GiveUpFlags, [string]>((cli, world, flags, id) =>
  endWhereItStands(cli, world, flags, id),
);

/** Throws OPERATION_UNKNOWN, and OPERATION_NOT_UNDOABLE for one that has ended. */
export const endWhereItStands = async (
  cli: CliContext,
  world: World,
  flags: GiveUpFlags,
  id: string,
): Promise<void> => {
  const { stdout, stderr } = cli.context;
  const state = await (await viewOperations(world)).read(id);
  if (flags.json) stdout.write(`${JSON.stringify({ type: "plan", plan: leftData(state) })}\n`);
  else (flags.dryRun ? stdout : stderr).write(`${leftText(state)}\n`);
  if (flags.dryRun) return;
  if (!flags.yes) await confirmByName(cli.context, `This gives up ${id}. There is NO UNDO.`, id);
  await (await openOperations(world, flags, () => undefined)).giveUp(id);
  const volumes = state.plan.locks.join(", ");
  if (flags.json) stdout.write(`${JSON.stringify({ type: "result", operation: id, status: "given-up" })}\n`);
  else stdout.write(`${id} is given up: other operations may begin on ${volumes}.\n`);
};
