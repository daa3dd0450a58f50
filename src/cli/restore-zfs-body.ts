/** `holdfast restore VOLUME… --from zfs`: choose the snapshots, show the plan, ask, carry it out. */
import { requireDataset } from "../inventory/datasets/find.ts";
import { mapVolumes, withGuids, withProvenAddresses } from "../inventory/datasets/volume-map.ts";
import { readNasView } from "../inventory/read-nas.ts";
import { readClusterObjects } from "../inventory/read.ts";
import { volumesOf } from "../inventory/volumes.ts";
import { Failure } from "../model/failure.ts";
import { formatAge, formatBytes } from "../model/units.ts";
import { volumeName } from "../model/volume.ts";
import { ownersOf } from "../restore/owners.ts";
import { checkZfsRights, demandNoBlocker } from "../restore/preflight.ts";
import { liveVolume, resolveName } from "../restore/scope.ts";
import { replicasOf } from "../restore/standstill.ts";
import { chooseSnapshot, demandFreeClaim, demandWritable, type SnapshotChoice } from "../restore/zfs/choose.ts";
import { planZfsRestore, type ZfsItem, type ZfsPlan } from "../restore/zfs/plan.ts";
import { carryOutPlan } from "./carry-out.ts";
import type { CliContext } from "./cli-context.ts";
import { configuredNas } from "./nas-view.ts";
import { confirmPlan, type PlanFlags, type PlanHead, showPlan } from "./plan-text.ts";
import type { World } from "./world.ts";

export interface ZfsFlags extends PlanFlags {
  readonly timeout: number;
}

const suffixLength = 6;

export const restoreFromZfs = async (
  cli: CliContext,
  world: World,
  flags: ZfsFlags,
  wanted: { readonly references: readonly string[]; readonly choice: SnapshotChoice },
): Promise<void> => {
  const { items, found } = await makePlan(cli, world, wanted);
  demandNoBlocker(found.blockers);
  showPlan(cli, found.plan, flags, headOf(cli, items));
  await checkZfsRights(await world.kubernetes(), found, world.loaded.config.holdfast.namespace);
  if (flags.dryRun) return;
  await confirmPlan(cli, found.plan, flags);
  await carryOutPlan(cli, world, flags, found.plan);
};

const makePlan = async (
  cli: CliContext,
  world: World,
  { references, choice }: { readonly references: readonly string[]; readonly choice: SnapshotChoice },
): Promise<{ readonly items: readonly ZfsItem[]; readonly found: ZfsPlan }> => {
  const config = configuredNas(world);
  const [kubernetes, nas] = await Promise.all([world.kubernetes(), world.nas()]);
  const [objects, view, pools] = await Promise.all([
    readClusterObjects(kubernetes),
    readNasView(nas, config),
    nas.pools(),
  ]);
  const pvs = objects.persistentVolumes;
  const known = withProvenAddresses(pvs, view);
  const volumes = withGuids(volumesOf(objects), mapVolumes(pvs, view));
  const names = volumes.map(volumeName);
  const targets = [...new Set(references.map((reference) => resolveName(reference, names)))];
  const items: ZfsItem[] = [];
  for (const name of targets) {
    const target = liveVolume(name, volumes);
    const claim = objects.claims.find(({ metadata }) => metadata.uid === target.claimUid);
    const pv = pvs.find(({ metadata }) => metadata.name === target.backing?.name);
    if (claim === undefined || pv === undefined)
      throw new Failure("TARGET_UNUSABLE", { what: `The claim ${name} is not bound to a volume.` });
    demandFreeClaim(name, claim);
    const dataset = requireDataset(name, pv, known);
    demandWritable(dataset.name, pools);
    const snapshot = chooseSnapshot(name, await nas.snapshots(dataset.name), choice);
    items.push({ target, claim, pv, dataset, snapshot });
  }
  const { exports } = view;
  if (exports === undefined)
    throw new Failure("NAS_UNSUPPORTED", {
      what: "Holdfast cannot make shares and targets on this NAS.",
      why: "it speaks with it over SSH, and ZFS alone exports nothing",
      todo: "Restore from Velero's copies: leave out --from zfs.",
    });
  const owners = ownersOf(items.map(({ target }) => target)).scalable;
  const replicas = await replicasOf(kubernetes, owners);
  const found = planZfsRestore({
    items,
    exports,
    keepFor: world.loaded.config.policy.undoFor,
    suffix: cli.context.randomId(suffixLength),
    replicasOf: replicas,
  });
  return { items, found };
};

const headOf = (cli: CliContext, items: readonly ZfsItem[]): PlanHead => ({
  texts: items.map(({ target, snapshot }) => {
    const age = formatAge(cli.context.clock.now() - snapshot.created);
    return `${volumeName(target)}\n  from ${snapshot.name}, ${age} old, ${formatBytes(snapshot.referenced)}`;
  }),
  data: {
    volumes: items.map(({ target, dataset, snapshot }) => ({
      target: volumeName(target),
      dataset: dataset.name,
      snapshot: snapshot.name,
      created: new Date(snapshot.created).toISOString(),
      bytes: snapshot.referenced,
    })),
  },
});
