/** `holdfast trash empty [VOLUME…]`: NO UNDO. */
import { planEmpty } from "../guard/retire/empty.ts";
import { goodCopyOf, selectTrash, trashIn, type TrashItem } from "../guard/retire/trash.ts";
import { readClusterObjects } from "../inventory/read.ts";
import { readNasView } from "../inventory/read-nas.ts";
import type { KubeObject } from "../systems/kubernetes/port.ts";
import { requireRights } from "../systems/kubernetes/require-rights.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import { commandBody } from "./body.ts";
import { carryOutPlan } from "./carry-out.ts";
import type { CliContext } from "./cli-context.ts";
import { requireOwnBucket } from "./fence.ts";
import type { WorldFlags } from "./flags.ts";
import { confirmPlan, type PlanFlags, showPlan } from "./plan-text.ts";
import { pointsIfPossible } from "./points-if-possible.ts";
import type { World } from "./world.ts";

export interface EmptyFlags extends WorldFlags, PlanFlags {
  readonly timeout: number;
  /** ms */
  readonly olderThan?: number;
  readonly noCopy: boolean;
}

export const trashEmpty = commandBody<EmptyFlags, string[]>((cli, world, flags, ...references) =>
  emptyTrash(cli, world, flags, references),
);

interface CsiNode extends KubeObject {
  readonly spec?: { readonly drivers?: readonly { readonly name: string }[] };
}

/** Shows the plan, asks for the names, and carries it out. */
export const emptyTrash = async (
  cli: CliContext,
  world: World,
  flags: EmptyFlags,
  references: readonly string[],
): Promise<void> => {
  const kubernetes = await world.kubernetes();
  const { nas: configured } = world.loaded.config;
  const [objects, nodes, nas] = await Promise.all([
    readClusterObjects(kubernetes),
    kubernetes.list<CsiNode>(resources.csiNodes),
    // One that does not answer is a failure here: nobody could see the bytes go.
    configured === undefined ? undefined : world.nas().then((port) => readNasView(port, configured)),
  ]);
  const items = chosen(selectTrash(trashIn(objects, nas), references), references, flags, cli.context.clock.now());
  if (items.length === 0) {
    cli.context.stdout.write(flags.json ? `${JSON.stringify({ type: "plan", plan: {} })}\n` : "Nothing to do.\n");
    return;
  }
  if (!flags.noCopy) await requireOwnBucket(world);
  const points = (await pointsIfPossible(world)) ?? [];
  const { persistentVolumes } = objects;
  const drivers = new Set(nodes.items.flatMap(({ spec }) => (spec?.drivers ?? []).map(({ name }) => name)));
  const hasCopy = (item: TrashItem): boolean => goodCopyOf(item, points) !== undefined;
  const plan = planEmpty(items, { persistentVolumes, drivers, nas, hasCopy }, { withoutCopy: flags.noCopy });
  showPlan(cli, plan, flags);
  await requireRights(
    kubernetes,
    [{ verb: "patch", resource: resources.persistentVolumes }],
    "emptying the trash needs",
  );
  if (flags.dryRun) return;
  await confirmPlan(cli, plan, flags);
  await carryOutPlan(cli, world, flags, plan);
};

/** Without names, what still waits for a commit is passed over. */
const chosen = (
  items: readonly TrashItem[],
  references: readonly string[],
  { olderThan }: EmptyFlags,
  now: number,
): readonly TrashItem[] =>
  items
    .filter(({ since }) => olderThan === undefined || (since !== undefined && since <= now - olderThan))
    .filter(({ claim }) => references.length > 0 || claim === undefined);
