/** `holdfast retire VOLUME|APP…`: what goes, and what keeps it from going; the plan; then carry it out. */
import { newPointId } from "../capture/capture.ts";
import { planCapture } from "../capture/plan.ts";
import { requireVelero } from "../doctor/require-velero.ts";
import { aroundIn, type Exception, exceptionOf } from "../guard/protect/decide.ts";
import { selectVolumes } from "../guard/protect/select.ts";
import { managedClaims } from "../guard/undelete/managed.ts";
import { commitFor } from "../guard/retire/deployed.ts";
import { demandStanding, demandUnused, needsNoRetiring } from "../guard/retire/in-the-way.ts";
import { planRetire, type Retiree } from "../guard/retire/plan.ts";
import { goodCopyOf } from "../guard/retire/trash.ts";
import { isTrash } from "../guard/retire/trash-mark.ts";
import { readClusterObjects } from "../inventory/read.ts";
import { type ClusterObjects, volumesOf } from "../inventory/volumes.ts";
import { Failure } from "../model/failure.ts";
import type { Plan } from "../model/plan.ts";
import { type Volume, volumeName } from "../model/volume.ts";
import { ArgoCd } from "../systems/gitops/argo.ts";
import { requireRights } from "../systems/kubernetes/require-rights.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import { recordIfPossible } from "./after-operation.ts";
import { commandBody } from "./body.ts";
import { captureRules } from "./capture-world.ts";
import { carryOutPlan } from "./carry-out.ts";
import type { CliContext } from "./cli-context.ts";
import { confirmByName } from "./confirm.ts";
import { requireOwnBucket } from "./fence.ts";
import type { WorldFlags } from "./flags.ts";
import { pointsIfPossible } from "./points-if-possible.ts";
import { confirmPlan, type PlanFlags, type PlanHead, showPlan } from "./plan-text.ts";
import { exclusionsOf } from "./survey.ts";
import type { World } from "./world.ts";

export interface RetireFlags extends WorldFlags, PlanFlags {
  readonly timeout: number;
  readonly noCopy: boolean;
  /** ms */
  readonly for: number;
}

export const retire = commandBody<RetireFlags, string[]>((cli, world, flags, ...references) =>
  retireVolumes(cli, world, flags, references),
);

/** Shows the plan, asks, and carries it out. */
export const retireVolumes = async (
  cli: CliContext,
  world: World,
  flags: RetireFlags,
  references: readonly string[],
): Promise<void> => {
  const kubernetes = await world.kubernetes();
  const objects = await readClusterObjects(kubernetes);
  const volumes = volumesOf(objects);
  const named = [...new Set(references.flatMap((reference) => selectNamed(reference, volumes)))];
  const { chosen, exceptions } = decide(objects, named);
  const head = headOf(chosen, exceptions);
  if (chosen.length === 0) {
    const data = JSON.stringify({ type: "plan", plan: head.data });
    cli.context.stdout.write(`${flags.json ? data : [...head.texts, "Nothing to do."].join("\n")}\n`);
    return;
  }
  demandUnused(chosen);
  const retirees = await retireesOf(world, objects, chosen);
  if (!flags.noCopy) await demandCopyable(world, chosen);
  const now = cli.context.clock.now();
  const point = flags.noCopy ? undefined : newPointId(cli.context);
  const plan = planRetire({ retirees, point, now, until: now + flags.for });
  showPlan(cli, plan, flags, head);
  await requireRights(kubernetes, rulesFor(world, chosen, flags), "retiring needs");
  if (flags.dryRun) return;
  await agree(cli, plan, flags);
  // What is to come back one day is known by its labels and annotations too.
  await recordIfPossible(world);
  await carryOutPlan(cli, world, flags, plan);
};

/** What is deleted is named: the guard's words for everything are none here. */
const selectNamed = (reference: string, volumes: readonly Volume[]): readonly Volume[] => {
  if (reference.includes("*")) throw new Failure("USAGE", { what: `"${reference}" names no volume and no app.` });
  return selectVolumes(reference, volumes);
};

/** Without a last copy the volumes' names are typed, as for everything that cannot be taken back in full. */
const agree = async (cli: CliContext, plan: Plan, flags: RetireFlags): Promise<void> => {
  if (!flags.noCopy) return confirmPlan(cli, plan, flags);
  if (!flags.yes) await confirmByName(cli.context, `This ${plan.title}.`, plan.locks.join(" "));
};

interface Decided {
  readonly chosen: readonly Volume[];
  readonly exceptions: readonly { readonly volume: string; readonly exception: Exception }[];
}

/** Throws RETIRE_IMPOSSIBLE, and TARGET_UNUSABLE for what is retired already. */
const decide = (objects: ClusterObjects, volumes: readonly Volume[]): Decided => {
  const around = aroundIn(objects);
  const claims = new Map(objects.claims.map((claim) => [claim.metadata.uid, claim]));
  const chosen: Volume[] = [];
  const exceptions: Decided["exceptions"][number][] = [];
  for (const volume of volumes) {
    const claim = claims.get(volume.claimUid);
    if (claim === undefined) continue;
    const exception = exceptionOf(claim, around(claim));
    demandStanding(volume, exception);
    const { pv } = around(claim);
    if (pv !== undefined && isTrash(pv)) throw alreadyRetired(volume);
    if (exception !== undefined && needsNoRetiring(exception))
      exceptions.push({ volume: volumeName(volume), exception });
    else chosen.push(volume);
  }
  return { chosen, exceptions };
};

const alreadyRetired = (volume: Volume): Failure =>
  new Failure("RETIRE_IMPOSSIBLE", {
    what: `${volumeName(volume)} is retired already: its claim waits for your commit.`,
    todo: `\`holdfast guard allow-delete ${volumeName(volume)}\` opens its guard for longer; \`holdfast trash restore ${volumeName(volume)}\` keeps it after all.`,
  });

const retireesOf = async (
  world: World,
  objects: ClusterObjects,
  chosen: readonly Volume[],
): Promise<readonly Retiree[]> => {
  const kubernetes = await world.kubernetes();
  const claims = new Map(objects.claims.map((claim) => [claim.metadata.uid, claim]));
  const pvs = new Map(objects.persistentVolumes.map((pv) => [pv.metadata.name, pv]));
  const argo = new ArgoCd({ kubernetes, clock: world.context.clock, timeout: 0 });
  const points = await pointsIfPossible(world);
  const found = chosen.flatMap((volume) => {
    const [claim, pv] = [claims.get(volume.claimUid), pvs.get(volume.backing?.name ?? "")];
    return claim === undefined || pv === undefined ? [] : [{ volume, claim, pv }];
  });
  const managed = managedClaims(found.map(({ claim }) => claim));
  const deployed = await argo.look(managed);
  return found.map(({ volume, claim, pv }, index) => {
    const object = managed[index];
    return {
      volume,
      claim,
      pv,
      commit: commitFor(claim, object === undefined ? undefined : deployed.get(object)),
      lastGood: goodCopyOf({ volume: volumeName(volume), pv }, points ?? [])?.point,
    };
  });
};

/** Throws RETIRE_IMPOSSIBLE for what no backup can have, VELERO_ABSENT and its like, FENCED. */
const demandCopyable = async (world: World, chosen: readonly Volume[]): Promise<void> => {
  const { config } = world.loaded;
  const { uncopied } = planCapture(chosen, exclusionsOf(config));
  if (uncopied.length > 0)
    throw new Failure("RETIRE_IMPOSSIBLE", {
      what: `No last copy can be made of ${uncopied.map(({ volume }) => volumeName(volume)).join(", ")}.`,
      why: uncopied.map(({ volume, why }) => `${volumeName(volume)}: ${why}`).join("; "),
      todo: "Retire it without one: --no-copy.",
    });
  await requireVelero(await world.kubernetes(), config.velero.namespace);
  await requireOwnBucket(world);
};

const rulesFor = (world: World, chosen: readonly Volume[], { noCopy }: RetireFlags) => [
  { verb: "patch", resource: resources.persistentVolumes },
  ...[...new Set(chosen.map(({ namespace }) => namespace))].flatMap((namespace) =>
    ["patch", "delete"].map((verb) => ({ verb, resource: resources.persistentVolumeClaims, namespace })),
  ),
  ...(noCopy ? [] : captureRules(world, planCapture(chosen, []), true)),
];

const headOf = (chosen: readonly Volume[], exceptions: Decided["exceptions"]): PlanHead => ({
  texts: exceptions.map(({ volume, exception }) => `nothing to do for ${volume}: ${exception.why}`),
  data: { volumes: chosen.map(volumeName), exceptions },
});
