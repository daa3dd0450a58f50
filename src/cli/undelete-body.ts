/** `holdfast undelete [VOLUME…]`: find what was deleted, save its bytes, show the plan, ask, carry it out. */
import { copiesFor } from "../guard/undelete/copies.ts";
import type { DeletedVolume } from "../guard/undelete/deleted.ts";
import { endangered } from "../guard/undelete/endangered.ts";
import { goingAmong } from "../guard/undelete/going.ts";
import { managedClaims, managedNamespaces, managedWorkloads } from "../guard/undelete/managed.ts";
import { isTrash } from "../guard/retire/trash-mark.ts";
import { ownersAmong } from "../guard/undelete/manifests.ts";
import { planUndelete, type UndeleteItem } from "../guard/undelete/plan.ts";
import { checkUndeleteRights } from "../guard/undelete/rights.ts";
import { readPoints } from "../inventory/points.ts";
import { readClusterObjects } from "../inventory/read.ts";
import { type ClusterObjects, volumesOf } from "../inventory/volumes.ts";
import { Failure } from "../model/failure.ts";
import { formatAge } from "../model/units.ts";
import { volumeName } from "../model/volume.ts";
import { ownersOf } from "../restore/owners.ts";
import { demandNoBlocker } from "../restore/preflight.ts";
import { replicasOf } from "../restore/standstill.ts";
import { retain } from "../restore/zfs/rebind.ts";
import { ArgoCd } from "../systems/gitops/argo.ts";
import type { KubeObject, Kubernetes } from "../systems/kubernetes/port.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import { commandBody } from "./body.ts";
import { carryOutPlan } from "./carry-out.ts";
import type { CliContext } from "./cli-context.ts";
import { findDeletions } from "./deletions.ts";
import type { WorldFlags } from "./flags.ts";
import { confirmPlan, type PlanFlags, type PlanHead, showPlan } from "./plan-text.ts";
import type { World } from "./world.ts";

export interface UndeleteFlags extends WorldFlags, PlanFlags {
  readonly timeout: number;
}

export const undelete = commandBody<UndeleteFlags, string[]>((cli, world, flags, ...references) =>
  bringBack(cli, world, flags, references),
);

/** Without references: everything that was deleted and not retired, and that has its bytes still. */
export const bringBack = async (
  cli: CliContext,
  world: World,
  flags: UndeleteFlags,
  references: readonly string[],
): Promise<void> => {
  const kubernetes = await world.kubernetes();
  const objects = await readClusterObjects(kubernetes);
  // Before anything else: a driver may be about to delete.
  if (!flags.dryRun) await keepBytes(cli.context, kubernetes, objects);
  const found = await findDeletions(world, objects, references);
  const possible = found.filter((deleted) => deleted.obstacle === undefined && !isOnlyListed(deleted, references));
  demandNoObstacle(found, references);
  if (possible.length === 0) {
    showNothing(cli, found, flags);
    return;
  }
  const { plan, blockers, items } = await makePlan(world, objects, possible, flags);
  showPlan(cli, plan, flags, headOf(cli, found, items));
  demandNoBlocker(blockers);
  if (flags.dryRun) return;
  await checkUndeleteRights(kubernetes, plan, world.loaded.config.holdfast.namespace);
  await confirmPlan(cli, plan, flags);
  await carryOutPlan(cli, world, flags, plan);
};

/** One that has gone meanwhile is found on the NAS. */
const keepBytes = async ({ stderr }: CliContext["context"], kubernetes: Kubernetes, objects: ClusterObjects) => {
  await Promise.all(
    endangered(objects).map(async ({ metadata: { name } }) => {
      if (await retain(kubernetes, name))
        stderr.write(`PersistentVolume ${name} is kept: its reclaim policy is Retain now\n`);
    }),
  );
};

const isInTrash = ({ pv }: DeletedVolume): boolean => pv !== undefined && isTrash(pv);

/**
 * Whoever deletes an app for good deletes its bytes: what was never asked for is not filled anew from copies; and what was
 * retired on purpose stays where it is.
 */
const isOnlyListed = (deleted: DeletedVolume, references: readonly string[]): boolean =>
  references.length === 0 && (deleted.remains === "copy" || isInTrash(deleted));

const showNothing = (cli: CliContext, found: readonly DeletedVolume[], { json }: PlanFlags): void => {
  const { texts, data } = headOf(cli, found, []);
  const text = found.length === 0 ? "Nothing is deleted." : [...texts, "Nothing else is deleted."].join("\n");
  cli.context.stdout.write(`${json ? JSON.stringify({ type: "plan", plan: data }) : text}\n`);
};

/** Those that were named must all be possible; else what is possible is done. */
const demandNoObstacle = (found: readonly DeletedVolume[], references: readonly string[]): void => {
  const hindered = found.filter(({ obstacle }) => obstacle !== undefined);
  const [first] = hindered;
  if (first === undefined || (references.length === 0 && hindered.length < found.length)) return;
  throw new Failure("UNDELETE_IMPOSSIBLE", {
    what: `${volumeName(first)} cannot be brought back as it is.`,
    ...(first.obstacle === undefined ? {} : { why: first.obstacle }),
  });
};

const makePlan = async (
  world: World,
  objects: ClusterObjects,
  found: readonly DeletedVolume[],
  { timeout }: UndeleteFlags,
) => {
  const kubernetes = await world.kubernetes();
  const copies = found.some(({ remains }) => remains === "copy")
    ? copiesFor(found, await readPoints(await world.points()))
    : new Map<string, never>();
  const volumes = new Map(volumesOf(objects).map((volume) => [volumeName(volume), volume]));
  const items = found.map((deleted): UndeleteItem => {
    const name = volumeName(deleted);
    return { deleted, present: volumes.get(name), copy: copies.get(name) };
  });
  const users = items.flatMap(({ present }) => present ?? []);
  const owners = ownersOf(users).scalable;
  const [replicas, classes, gitops] = await Promise.all([
    replicasOf(kubernetes, owners),
    kubernetes.list<StorageClass>(resources.storageClasses),
    gitopsOf(kubernetes, objects, found, { clock: world.context.clock, timeout }),
  ]);
  const planned = planUndelete({
    items,
    gitops,
    replicasOf: replicas,
    bindsAtOnce: (wanted) =>
      classes.items.find(({ metadata }) => metadata.name === wanted)?.volumeBindingMode !== "WaitForFirstConsumer",
    ownerLives: ownersAmong(objects.makers),
    isGoing: goingAmong(objects.makers),
  });
  return { ...planned, items };
};

interface StorageClass extends KubeObject {
  readonly volumeBindingMode?: string;
}

/** Who deploys the claims, what they live in, and the workloads that use them: all would be acted on meanwhile. */
const gitopsOf = async (
  kubernetes: Kubernetes,
  { makers }: ClusterObjects,
  found: readonly DeletedVolume[],
  { clock, timeout }: { readonly clock: World["context"]["clock"]; readonly timeout: number },
) => {
  const argo = new ArgoCd({ kubernetes, clock, timeout });
  const objects = [...managedClaims(found.map(({ object }) => object)), ...managedNamespaces(found)];
  return { deployers: await argo.deployersOf([...objects, ...managedWorkloads(makers, found)]), objects };
};

const remainsText: Readonly<Record<DeletedVolume["remains"], string>> = {
  claim: "its claim is being deleted; its bytes are untouched: nothing is lost",
  pv: "its claim is gone; its PersistentVolume has the bytes: nothing is lost",
  dataset: "claim and PersistentVolume are gone; the dataset has the bytes: nothing is lost",
  copy: "its bytes are gone",
};

const itemText = (cli: CliContext, deleted: DeletedVolume, item: UndeleteItem | undefined): string => {
  const name = volumeName(deleted);
  if (deleted.obstacle !== undefined) return `${name}\n  cannot come back as it is: ${deleted.obstacle}`;
  const now = cli.context.clock.now();
  if (item === undefined && isInTrash(deleted))
    return `${name}\n  it is in the trash, retired on purpose: \`holdfast trash restore ${name}\` brings it back`;
  if (deleted.remains === "copy" && item === undefined)
    return `${name}\n  ${remainsText.copy}: \`holdfast undelete ${name}\` brings it back from a copy, if there is one`;
  const copy = item?.copy?.chosen.copy;
  const lost =
    copy === undefined
      ? ""
      : `: it comes back from ${copy.point}; what was written in the ${formatAge(now - copy.time)} since is lost`;
  const replaced = deleted.successor === undefined ? "" : "\n  a new claim has its name; its volume is kept beside";
  return `${name}\n  ${remainsText[deleted.remains]}${lost}${replaced}`;
};

const headOf = (cli: CliContext, found: readonly DeletedVolume[], items: readonly UndeleteItem[]): PlanHead => {
  const itemOf = new Map(items.map((item) => [volumeName(item.deleted), item]));
  return {
    texts: found.map((deleted) => itemText(cli, deleted, itemOf.get(volumeName(deleted)))),
    data: {
      volumes: found.map((deleted) => {
        const copy = itemOf.get(volumeName(deleted))?.copy?.chosen.copy;
        return {
          volume: volumeName(deleted),
          remains: deleted.remains,
          inTrash: isInTrash(deleted),
          pv: deleted.pv?.metadata.name,
          dataset: deleted.dataset?.name,
          namespace: deleted.namespaceIs,
          successor: deleted.successor?.spec.volumeName,
          point: copy?.point,
          obstacle: deleted.obstacle,
        };
      }),
    },
  };
};
