/** `holdfast guard allow-delete VOLUME`. */
import { volumeName } from "../model/volume.ts";
import { planOpening } from "../guard/protect/opening.ts";
import { checkGuardRights } from "../guard/protect/rights.ts";
import { readGuardView } from "../guard/protect/view.ts";
import { resolveName } from "../restore/scope.ts";
import { commandBody } from "./body.ts";
import { carryOutPlan } from "./carry-out.ts";
import type { CliContext } from "./cli-context.ts";
import type { GuardFlags } from "./guard-on-body.ts";
import { confirmPlan, showPlan } from "./plan-text.ts";
import type { World } from "./world.ts";

export interface AllowFlags extends GuardFlags {
  /** ms */
  readonly for: number;
  readonly withdraw: boolean;
}

export const guardAllowDelete = commandBody<AllowFlags, [string]>((cli, world, flags, reference) =>
  allowDelete(cli, world, flags, reference),
);

export const allowDelete = async (
  cli: CliContext,
  world: World,
  flags: AllowFlags,
  reference: string,
): Promise<void> => {
  const kubernetes = await world.kubernetes();
  const view = await readGuardView(kubernetes);
  const volume = resolveName(reference, view.volumes.map(volumeName));
  const until = cli.context.clock.now() + flags.for;
  const plan = planOpening(view, flags.withdraw ? { volume } : { volume, until });
  showPlan(cli, plan, flags);
  if (plan.steps.length === 0) {
    if (!flags.json) cli.context.stdout.write(`Nothing to do: the guard of ${volume} is closed.\n`);
    return;
  }
  await checkGuardRights(kubernetes, plan, world.loaded.config.holdfast.namespace);
  if (flags.dryRun) return;
  await confirmPlan(cli, plan, flags);
  await carryOutPlan(cli, world, flags, plan);
};
