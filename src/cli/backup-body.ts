/** `holdfast backup`: plan, capture, verify, report. */
import {
  type CaptureOptions,
  type CaptureProgress,
  finishCapture,
  newPointId,
  startCapture,
  waitForCapture,
  waitForStaged,
} from "../capture/capture.ts";
import { type CapturePlan, expectedVolumes, planCapture } from "../capture/plan.ts";
import { type Verification, verifyBackup } from "../capture/verify.ts";
import { requireVelero } from "../doctor/require-velero.ts";
import { readClusterObjects } from "../inventory/read.ts";
import { volumesOf } from "../inventory/volumes.ts";
import { Failure } from "../model/failure.ts";
import { formatBytes, formatSeconds } from "../model/units.ts";
import { lineageOf, type Volume, volumeName } from "../model/volume.ts";
import { requireRights } from "../systems/kubernetes/require-rights.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import { commandBody } from "./body.ts";
import type { CliContext } from "./cli-context.ts";
import { requireOwnBucket } from "./fence.ts";
import type { WorldFlags } from "./flags.ts";
import { lineagesOf, liveNasView, recordInventory } from "./nas-view.ts";
import { openProgress, type Progress } from "./progress.ts";
import { exclusionsOf, mayBeEmpty } from "./survey.ts";
import type { World } from "./world.ts";

export interface BackupFlags extends WorldFlags {
  readonly wait: boolean;
  readonly json: boolean;
  readonly timeout: number;
  readonly verifyFilesPercent: number;
}

/** ms after which a staging pod that does not come up is given up, so that the others are copied. */
const stagingTimeout = 120_000;

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
  await checkRights(run, plan);
  await recordInventory(world, nas);
  const point = newPointId(cli.context);
  const began = clock.now();
  const options = await captureOptions(run);
  progress.step(
    `backup of ${expectedVolumes(plan).length} volumes, ${plan.staged.length} of them through staging pods`,
  );
  const name = await capture(point, plan, options, flags.wait);
  const captured = clock.now();
  if (!flags.wait) {
    cli.context.stdout.write(
      flags.json
        ? `${JSON.stringify({ type: "result", point, backup: name })}\n`
        : `The backup ${name} goes on in Velero. \`holdfast points\` shows how it ends.\n`,
    );
    return;
  }
  progress.step("verification of what is in the bucket");
  const verification = await verify(run, name, plan, volumes);
  progress.end();
  report(run, plan, verification, { backup: captured - began, verify: clock.now() - captured });
};

const checkRights = (run: Run, plan: CapturePlan): Promise<void> => {
  const { velero, holdfast } = run.world.loaded.config;
  const namespaces = [
    ...new Set([...plan.staged.map(({ volume }) => volume.namespace), ...(run.flags.wait ? [holdfast.namespace] : [])]),
  ];
  const rules = [
    { verb: "create", resource: resources.backups, namespace: velero.namespace },
    { verb: "list", resource: resources.podVolumeBackups, namespace: velero.namespace },
    ...namespaces.flatMap((namespace) =>
      ["create", "delete"].map((verb) => ({ verb, resource: resources.pods, namespace })),
    ),
  ];
  return run.world.kubernetes().then((kubernetes) => requireRights(kubernetes, rules, "this backup needs"));
};

const captureOptions = async ({ cli, world, flags, progress }: Run): Promise<CaptureOptions> => {
  const { velero, holdfast } = world.loaded.config;
  return {
    context: cli.context,
    kubernetes: await world.kubernetes(),
    veleroNamespace: velero.namespace,
    storageLocation: velero.storageLocation,
    policyConfigMap: velero.policyConfigMap,
    image: holdfast.image,
    stagingTimeout,
    timeout: flags.timeout,
    onProgress: (now) => progress.detail(progressText(now), { ...now }),
  };
};

const progressText = (now: CaptureProgress): string =>
  `${now.phase}, ${now.itemsDone}/${now.itemsTotal} objects, ${now.volumesDone}/${now.volumesTotal} volumes, ${formatBytes(now.bytesDone)} of ${formatBytes(now.bytesTotal)}`;

/** Staging pods go whatever happens, and no earlier than Velero has read them. */
const capture = async (point: string, plan: CapturePlan, options: CaptureOptions, wait: boolean): Promise<string> => {
  try {
    const name = await startCapture(point, plan, options);
    if (wait) await waitForCapture(name, options);
    else await waitForStaged(name, plan, options);
    return name;
  } finally {
    await finishCapture(options);
  }
};

const verify = async (
  { cli, world, flags, progress }: Run,
  name: string,
  plan: CapturePlan,
  volumes: readonly Volume[],
): Promise<Verification> =>
  verifyBackup(name, expectedVolumes(plan), {
    context: cli.context,
    kubernetes: await world.kubernetes(),
    agents: await world.agents(),
    store: world.store(),
    source: await world.points(),
    filesPercent: flags.verifyFilesPercent,
    mayBeEmpty: mayBeEmpty(world.loaded.config),
    lineages: Object.fromEntries(volumes.flatMap((volume) => lineageEntry(volume))),
    onLine: (line) => {
      if (line.type === "step") progress.detail(line.title);
      if (line.type === "checked")
        progress.detail(`${line.volume}: ${line.evidence.verdict}, ${line.evidence.files} files`, {
          volume: line.volume,
          verdict: line.evidence.verdict,
        });
    },
  });

const lineageEntry = (volume: Volume): readonly (readonly [string, string])[] => {
  const lineage = lineageOf(volume);
  return lineage === undefined ? [] : [[volumeName(volume), lineage]];
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
