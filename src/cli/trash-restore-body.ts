/** `holdfast trash restore VOLUME…`. */
import { planKeep } from "../guard/retire/keep.ts";
import { selectTrash, trashIn } from "../guard/retire/trash.ts";
import { checkGuardRights } from "../guard/protect/rights.ts";
import { readGuardView } from "../guard/protect/view.ts";
import { commandBody } from "./body.ts";
import { carryOutPlan } from "./carry-out.ts";
import type { CliContext } from "./cli-context.ts";
import { confirmPlan, showPlan } from "./plan-text.ts";
import { bringBack, type UndeleteFlags } from "./undelete-body.ts";
import type { World } from "./world.ts";

export const trashRestore = commandBody<UndeleteFlags, string[]>((cli, world, flags, ...references) =>
  restoreTrash(cli, world, flags, references),
);

/** What is deleted comes back as by `undelete`; what only waits for its deletion is kept. */
export const restoreTrash = async (
  cli: CliContext,
  world: World,
  flags: UndeleteFlags,
  references: readonly string[],
): Promise<void> => {
  const kubernetes = await world.kubernetes();
  const view = await readGuardView(kubernetes);
  const items = selectTrash(trashIn(view.objects, undefined), references);
  const waiting = items.filter(({ claim }) => claim !== undefined && claim.metadata.deletionTimestamp === undefined);
  const gone = items.filter((item) => !waiting.includes(item));
  if (waiting.length > 0) {
    const plan = planKeep(view, waiting);
    showPlan(cli, plan, flags);
    await checkGuardRights(kubernetes, plan, world.loaded.config.holdfast.namespace);
    if (!flags.dryRun) {
      await confirmPlan(cli, plan, flags);
      await carryOutPlan(cli, world, flags, plan);
    }
  }
  if (gone.length > 0) await bringBack(cli, world, flags, [...new Set(gone.map(({ volume }) => volume))]);
};
