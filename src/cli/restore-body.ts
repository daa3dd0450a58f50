/** `holdfast restore VOLUME…`: choose the copies, show the plan, ask, carry it out. */
import { Failure } from "../model/failure.ts";
import { formatAge, formatBytes } from "../model/units.ts";
import { volumeName } from "../model/volume.ts";
import type { Mover } from "../restore/movers/replacement.ts";
import { ownersOf } from "../restore/owners.ts";
import { planRestore, type RestoreItem, type RestorePlan } from "../restore/plan.ts";
import { checkPassword, checkPlan, checkRights } from "../restore/preflight.ts";
import { chooseCopy, liveVolume, type PointChoice, resolveName } from "../restore/scope.ts";
import { replicasOf } from "../restore/standstill.ts";
import type { SnapshotChoice } from "../restore/zfs/choose.ts";
import { commandBody } from "./body.ts";
import { carryOutPlan } from "./carry-out.ts";
import type { CliContext } from "./cli-context.ts";
import type { WorldFlags } from "./flags.ts";
import { parseMoment } from "./moment.ts";
import { confirmPlan, type PlanHead, showPlan } from "./plan-text.ts";
import { restoreFromZfs } from "./restore-zfs-body.ts";
import { type Survey, survey } from "./survey.ts";
import type { World } from "./world.ts";

export interface RestoreFlags extends WorldFlags {
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
  readonly timeout: number;
  readonly point?: string;
  readonly at?: string;
  readonly to?: string;
  readonly mover: Mover;
  readonly undo: boolean;
  readonly makeRoom: boolean;
  readonly from: "velero" | "zfs";
  readonly snapshot?: string;
}

export const restore = commandBody<RestoreFlags, string[]>(async (cli, world, flags, ...references) => {
  if (flags.from === "zfs") {
    const choice = snapshotChoiceOf(cli, flags);
    return restoreFromZfs(cli, world, flags, { references, choice });
  }
  if (flags.snapshot !== undefined)
    throw new Failure("USAGE", { what: "--snapshot names a ZFS snapshot: it goes with --from zfs." });
  const found = await makePlan(cli, world, flags, references);
  checkPlan(found);
  showPlan(cli, found.plan, flags, headOf(cli, found));
  const kubernetes = await world.kubernetes();
  const { holdfast, velero } = world.loaded.config;
  await checkRights(kubernetes, found, holdfast.namespace, velero.namespace);
  const { bucket, prefix } = await world.points();
  await checkPassword(bucket, prefix, found, await world.password());
  if (flags.dryRun) return;
  await confirmPlan(cli, found.plan, flags);
  await carryOutPlan(cli, world, flags, found.plan);
});

const makePlan = async (
  cli: CliContext,
  world: World,
  flags: RestoreFlags,
  references: readonly string[],
): Promise<RestorePlan> => {
  const found = await survey(world);
  if (found.lastKnown !== undefined) throw found.lastKnown.because;
  const items = itemsOf(found, flags, references, choiceOf(cli, flags));
  const kubernetes = await world.kubernetes();
  const owners = ownersOf(items.map((item) => item.target)).scalable;
  const replicas = await replicasOf(kubernetes, owners);
  return planRestore({
    mover: flags.mover,
    items,
    keepFor: flags.undo ? world.loaded.config.policy.undoFor : undefined,
    makeRoom: flags.makeRoom,
    replicasOf: replicas,
  });
};

const choiceOf = (cli: CliContext, flags: RestoreFlags): PointChoice => {
  if (flags.point !== undefined && flags.at !== undefined)
    throw new Failure("USAGE", { what: "--point and --at exclude each other." });
  return {
    ...(flags.point === undefined ? {} : { point: flags.point }),
    ...(flags.at === undefined ? {} : { at: parseMoment(flags.at, cli.context.clock.now()) }),
  };
};

const snapshotChoiceOf = (cli: CliContext, flags: RestoreFlags): SnapshotChoice => {
  const { snapshot, at, point, to, undo, makeRoom } = flags;
  const wishes = { point, to, "make-room": makeRoom || undefined };
  const other = Object.entries(wishes).find(([, value]) => value !== undefined)?.[0];
  if (other !== undefined) throw new Failure("USAGE", { what: `--${other} does not go with --from zfs.` });
  if (!undo)
    throw new Failure("USAGE", { what: "With --from zfs the present dataset always stays: --no-undo has no meaning." });
  if (snapshot !== undefined && at !== undefined)
    throw new Failure("USAGE", { what: "--snapshot and --at exclude each other." });
  return {
    ...(snapshot === undefined ? {} : { name: snapshot }),
    ...(at === undefined ? {} : { at: parseMoment(at, cli.context.clock.now()) }),
  };
};

const itemsOf = (
  { volumes, points }: Survey,
  flags: RestoreFlags,
  references: readonly string[],
  choice: PointChoice,
): readonly RestoreItem[] => {
  if (flags.to !== undefined && references.length > 1) throw new Failure("USAGE", { what: "--to takes one volume." });
  const live = volumes.map(volumeName);
  const names = [...new Set([...live, ...points.flatMap((point) => point.copies.map((copy) => copy.volume))])];
  const sources = [...new Set(references.map((reference) => resolveName(reference, names)))];
  return sources.map((source, index) => {
    const chosen = chooseCopy(source, points, choice);
    const target = liveVolume(flags.to === undefined ? source : resolveName(flags.to, live), volumes);
    return { key: `v${index}`, source, chosen, target, inPlace: volumeName(target) === source };
  });
};

const itemText = (cli: CliContext, { source, chosen, target, inPlace }: RestoreItem): string => {
  const { copy, evidence, why } = chosen;
  const age = formatAge(cli.context.clock.now() - copy.time);
  const size = copy.bytes === undefined ? "" : `, ${formatBytes(copy.bytes)}`;
  return `${source}${inPlace ? "" : ` → ${volumeName(target)}`}\n  from ${copy.point}, ${age} old${size}, ${evidence?.verdict ?? "stored"}: ${why}`;
};

const headOf = (cli: CliContext, { mover, items, stops }: RestorePlan): PlanHead => ({
  texts: items.map((item) => itemText(cli, item)),
  data: {
    mover,
    stops,
    volumes: items.map(({ source, chosen, target, inPlace }) => ({
      source,
      target: volumeName(target),
      inPlace,
      point: chosen.copy.point,
      snapshotId: chosen.copy.snapshotId,
      bytes: chosen.copy.bytes,
      why: chosen.why,
    })),
  },
});
