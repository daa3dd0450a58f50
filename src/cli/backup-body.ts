/** `holdfast backup`: plan, capture, verify, report. */
import {
  backupName,
  type CaptureOptions,
  finishCapture,
  newPointId,
  startCapture,
  waitForCapture,
  waitForStaged,
} from "../capture/capture.ts";
import { type CapturePlan, expectedVolumes, planCapture } from "../capture/plan.ts";
import type { Verification } from "../capture/verify.ts";
import { requireVelero } from "../doctor/require-velero.ts";
import { readClusterObjects } from "../inventory/read.ts";
import { volumesOf } from "../inventory/volumes.ts";
import { Failure, isFailure } from "../model/failure.ts";
import { formatBytes, formatSeconds } from "../model/units.ts";
import { volumeName } from "../model/volume.ts";
import { requireRights } from "../systems/kubernetes/require-rights.ts";
import { commandBody } from "./body.ts";
import { captureOptions, captureRules, captureText, verifyCapture } from "./capture-world.ts";
import type { CliContext } from "./cli-context.ts";
import { requireOwnBucket } from "./fence.ts";
import type { WorldFlags } from "./flags.ts";
import { lineagesOf, liveNasView, recordInventory } from "./nas-view.ts";
import { openProgress, type Progress } from "./progress.ts";
import { exclusionsOf } from "./survey.ts";
import type { World } from "./world.ts";

export interface BackupFlags extends WorldFlags {
  readonly wait: boolean;
  readonly json: boolean;
  readonly timeout: number;
  readonly verifyFilesPercent: number;
}

export const backup = commandBody<BackupFlags, []>(async (cli, world, flags) => {
  const progress = openProgress(cli.context, flags.json);
  try {
    await makeBackup({ cli, world, flags, progress });
  } finally {
    progress.end();
  }
});

interface Run {
  readonly cli: CliContext;
  readonly world: World;
  readonly flags: BackupFlags;
  readonly progress: Progress;
}

const makeBackup = async (run: Run): Promise<void> => {
  const { cli, world, flags, progress } = run;
  const { clock } = cli.context;
  const { config } = world.loaded;
  const kubernetes = await world.kubernetes();
  await requireVelero(kubernetes, config.velero.namespace);
  await requireOwnBucket(world);
  const [objects, nas] = await Promise.all([readClusterObjects(kubernetes), liveNasView(world)]);
  const { volumes } = await lineagesOf(world, volumesOf(objects), objects.persistentVolumes, nas);
  const plan = planCapture(volumes, exclusionsOf(config));
  await requireRights(kubernetes, captureRules(world, plan, flags.wait), "this backup needs");
  await recordInventory(world, nas);
  const began = clock.now();
  const options = await captureOptions(world, flags.timeout, (now) => progress.detail(captureText(now), { ...now }));
  progress.step(
    `backup of ${expectedVolumes(plan).length} volumes, ${plan.staged.length} of them through staging pods`,
  );
  const point = await captureOnceMore(run, plan, options);
  const captured = clock.now();
  if (!flags.wait) {
    cli.context.stdout.write(
      flags.json
        ? `${JSON.stringify({ type: "result", point, backup: backupName(point) })}\n`
        : `The backup ${backupName(point)} goes on in Velero. \`holdfast points\` shows how it ends.\n`,
    );
    return;
  }
  progress.step("verification of what is in the bucket");
  const verification = await verifyCapture(world, {
    name: backupName(point),
    expected: expectedVolumes(plan),
    volumes,
    filesPercent: flags.verifyFilesPercent,
    onDetail: (text, data) => progress.detail(text, data),
  });
  progress.end();
  report(run, plan, verification, { backup: captured - began, verify: clock.now() - captured });
};

/** A second point when Velero ended in the middle of the first: its node was drained, say, and a day is long without a copy. */
const captureOnceMore = async ({ cli, flags, progress }: Run, plan: CapturePlan, options: CaptureOptions) => {
  try {
    return await capture(newPointId(cli.context), plan, options, flags.wait);
  } catch (error) {
    if (!isFailure(error, "BACKUP_INTERRUPTED")) throw error;
    progress.step(`once more: ${error.what}`);
    return capture(newPointId(cli.context), plan, options, flags.wait);
  }
};

/** Gives the point. Staging pods go whatever happens, and no earlier than Velero has read them. */
const capture = async (point: string, plan: CapturePlan, options: CaptureOptions, wait: boolean): Promise<string> => {
  try {
    const name = await startCapture(point, plan, options);
    if (wait) await waitForCapture(name, options);
    else await waitForStaged(name, plan, options);
    return point;
  } finally {
    await finishCapture(options);
  }
};

interface Times {
  /** ms */
  readonly backup: number;
  readonly verify: number;
}

const report = (run: Run, plan: CapturePlan, verification: Verification, times: Times): void => {
  const { point, failed } = verification;
  const { stdout } = run.cli.context;
  const good = point.copies.filter((copy) => failed[copy.volume] === undefined);
  if (run.flags.json) stdout.write(`${JSON.stringify({ type: "result", ...resultData(plan, verification, times) })}\n`);
  else {
    stdout.write(
      `recovery point ${point.id}: ${good.length} copies verified, ${formatBytes(point.copies.reduce((sum, copy) => sum + (copy.bytes ?? 0), 0))}\n`,
    );
    stdout.write(`backup ${formatSeconds(times.backup)}, verification ${formatSeconds(times.verify)}\n`);
    for (const { volume, why, expected } of plan.uncopied)
      stdout.write(`${expected ? "left out" : "NOT COPIED"}: ${volumeName(volume)}: ${why}\n`);
    for (const [volume, seen] of Object.entries(point.evidence))
      stdout.write(seen.leftOut.map((text) => `note: ${volume}: ${text}\n`).join(""));
  }
  throwIfBad(plan, verification);
};

const resultData = (plan: CapturePlan, { point, missing, failed }: Verification, times: Times): object => ({
  point: point.id,
  backup: point.backup,
  phase: point.phase,
  seconds: { backup: times.backup / 1000, verify: times.verify / 1000 },
  volumes: point.copies.map((copy) => ({
    volume: copy.volume,
    bytes: copy.bytes,
    verdict: point.evidence[copy.volume]?.verdict ?? "failed",
    files: point.evidence[copy.volume]?.files,
    leftOut: point.evidence[copy.volume]?.leftOut ?? [],
  })),
  missing,
  failed,
  uncopied: plan.uncopied.map(({ volume, why, expected }) => ({ volume: volumeName(volume), why, expected })),
});

const listed = (reasons: Readonly<Record<string, string>>): string =>
  Object.entries(reasons)
    .map(([volume, why]) => `${volume}: ${why}`)
    .join("; ");

const throwIfBad = (plan: CapturePlan, { point, missing, failed }: Verification): void => {
  const todo = "`holdfast why VOLUME` explains one.";
  if (Object.keys(failed).length > 0)
    throw new Failure("VERIFICATION_FAILED", {
      what: `${Object.keys(failed).length} copies of ${point.id} are bad.`,
      why: listed(failed),
      todo,
    });
  const uncopied = Object.fromEntries(
    plan.uncopied.filter(({ expected }) => !expected).map(({ volume, why }) => [volumeName(volume), why]),
  );
  const absent = { ...missing, ...uncopied };
  if (Object.keys(absent).length > 0)
    throw new Failure("BACKUP_PARTIAL", {
      what: `${point.id} lacks ${Object.keys(absent).length} volumes.`,
      why: listed(absent),
      todo,
    });
  if (point.phase !== "Completed")
    throw new Failure("BACKUP_PARTIAL", {
      what: `All volumes of ${point.id} are verified, but Velero met ${point.errors} errors with objects.`,
      todo: `velero backup logs ${point.backup}`,
    });
};
