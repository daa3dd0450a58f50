/** Makes a recovery point: staging pods, one Velero backup of everything, and the wait for its end with progress. */
import type { Context } from "../context.ts";
import { Failure } from "../model/failure.ts";
import { volumeName } from "../model/volume.ts";
import type { Kubernetes } from "../systems/kubernetes/port.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import { pointLabel, veleroBackup } from "../systems/velero/manifests.ts";
import { isTerminal } from "../systems/velero/phases.ts";
import type { PodVolumeBackup, VeleroBackup } from "../systems/velero/objects.ts";
import type { CapturePlan } from "./plan.ts";
import { createStagingPods, notYetStaged, removeStagingPods, stagingLabel } from "./staging.ts";

export interface CaptureOptions {
  readonly context: Context;
  readonly kubernetes: Kubernetes;
  readonly veleroNamespace: string;
  readonly storageLocation: string;
  readonly policyConfigMap: string | undefined;
  readonly image: string;
  /** ms for staging pods to run, and for the whole backup. */
  readonly stagingTimeout: number;
  readonly timeout: number;
  /** Nothing is copied but what staging pods mount. */
  readonly onlyStaged?: boolean;
  readonly onProgress: (progress: CaptureProgress) => void;
}

export interface CaptureProgress {
  readonly phase: string;
  readonly itemsDone: number;
  readonly itemsTotal: number;
  readonly volumesDone: number;
  readonly volumesTotal: number;
  readonly bytesDone: number;
  readonly bytesTotal: number;
}

/** The point's id: UTC time to the minute and a short random part; also the backup's name, with a prefix. */
export const newPointId = (context: Context): string => {
  const time = new Date(context.clock.now()).toISOString().replaceAll(/[-:]/g, "").slice(0, 13).toLowerCase();
  return `${time}-${context.randomId(4)}`;
};

export const backupName = (point: string): string => `holdfast-${point}`;

/** Creates staging pods and the Backup. Returns the backup's name at once; staging pods stay until `finishCapture`. */
export const startCapture = async (point: string, plan: CapturePlan, options: CaptureOptions): Promise<string> => {
  const { kubernetes, veleroNamespace } = options;
  await refuseSecond(kubernetes, veleroNamespace);
  await stage(point, plan, options);
  const name = backupName(point);
  await kubernetes.create(
    resources.backups,
    veleroBackup({
      name,
      namespace: veleroNamespace,
      point,
      storageLocation: options.storageLocation,
      policyConfigMap: options.policyConfigMap,
      ...(options.onlyStaged === true ? { part: stagedPart(point, plan) } : {}),
    }),
  );
  return name;
};

const stagedPart = (point: string, { staged }: CapturePlan) => ({
  namespaces: [...new Set(staged.map(({ volume }) => volume.namespace))],
  label: { [stagingLabel]: point },
});

/** Two at once would take each other's staging pods away. */
const refuseSecond = async (kubernetes: Kubernetes, namespace: string): Promise<void> => {
  const { items } = await kubernetes.list<VeleroBackup>(resources.backups, { namespace, labels: pointLabel });
  const running = items.find((backup) => !isTerminal(backup.status?.phase ?? "New"));
  if (running === undefined) return;
  throw new Failure("LOCKED", {
    what: `The backup ${running.metadata.name} is still ${running.status?.phase ?? "New"}.`,
    todo: "Wait until it has ended: Velero makes one backup at a time.",
  });
};

const stage = async (point: string, plan: CapturePlan, options: CaptureOptions): Promise<void> => {
  const { kubernetes, context } = options;
  if (plan.staged.length === 0) return;
  await createStagingPods(
    kubernetes,
    plan.staged.map(({ volume }) => volume),
    { image: options.image, point },
  );
  const deadline = context.clock.now() + options.stagingTimeout;
  for (;;) {
    const late = await notYetStaged(kubernetes);
    // A volume that cannot be mounted must not keep all others from being copied: it will be missing, and said so.
    if (late.length === 0 || context.clock.now() > deadline) return;
    await context.clock.sleep(pollInterval, context.signal);
  }
};

const pollInterval = 300;

/**
 * Waits for the backup's end. Throws BACKUP_INTERRUPTED when Velero itself ended meanwhile, BACKUP_FAILED when the backup
 * ends otherwise without anything usable, TIMEOUT when it does not end.
 */
export const waitForCapture = async (name: string, options: CaptureOptions): Promise<VeleroBackup> => {
  const { kubernetes, context, veleroNamespace } = options;
  const deadline = context.clock.now() + options.timeout;
  for (;;) {
    const backup = await kubernetes.get<VeleroBackup>(resources.backups, { namespace: veleroNamespace, name });
    if (backup === undefined)
      throw new Failure("BACKUP_FAILED", { what: `The backup ${name} was deleted while it ran.` });
    const phase = backup.status?.phase ?? "New";
    options.onProgress(await progressOf(phase, backup, options));
    if (isTerminal(phase)) return accepted(backup, phase);
    if (context.clock.now() > deadline) {
      throw new Failure("TIMEOUT", {
        what: `The backup ${name} is still ${phase}.`,
        todo: `It goes on in Velero; \`holdfast points show ${name}\` tells how it ended.`,
      });
    }
    await context.clock.sleep(pollInterval, context.signal);
  }
};

/** Waits only until the volumes behind staging pods are copied; the rest of the backup needs nobody's help. */
export const waitForStaged = async (name: string, plan: CapturePlan, options: CaptureOptions): Promise<void> => {
  const { kubernetes, context, veleroNamespace: namespace } = options;
  const wanted = new Set(plan.staged.map(({ volume }) => volumeName(volume)));
  const deadline = context.clock.now() + options.timeout;
  while (wanted.size > 0) {
    const backup = await kubernetes.get<VeleroBackup>(resources.backups, { namespace, name });
    const { items } = await kubernetes.list<PodVolumeBackup>(resources.podVolumeBackups, {
      namespace,
      labels: `velero.io/backup-name=${name}`,
    });
    for (const item of items) {
      if (isTerminal(item.status?.phase ?? ""))
        wanted.delete(`${item.spec.pod.namespace ?? ""}/${item.metadata.annotations?.["velero.io/pvc-name"] ?? ""}`);
    }
    if (backup === undefined || isTerminal(backup.status?.phase ?? "New")) return;
    if (context.clock.now() > deadline)
      throw new Failure("TIMEOUT", { what: `The backup ${name} has not yet copied ${[...wanted].join(", ")}.` });
    await context.clock.sleep(pollInterval, context.signal);
  }
};

/** What a starting Velero writes into each backup that it finds half done (v1.18.3, markInProgressBackupsFailed). */
const ofRestart = /during the server starting/;

const accepted = (backup: VeleroBackup, phase: string): VeleroBackup => {
  if (phase === "Completed" || phase === "PartiallyFailed") return backup;
  const reasons = [...(backup.status?.validationErrors ?? []), backup.status?.failureReason].filter(
    (reason) => reason !== undefined,
  );
  if (reasons.some((reason) => ofRestart.test(reason)))
    throw new Failure("BACKUP_INTERRUPTED", {
      what: `Velero's server started anew while it made the backup ${backup.metadata.name}.`,
    });
  throw new Failure("BACKUP_FAILED", {
    what: `Velero ended the backup ${backup.metadata.name} as ${phase}.`,
    ...(reasons.length === 0 ? {} : { why: reasons.join("; ") }),
    todo: `velero backup logs ${backup.metadata.name}`,
  });
};

const progressOf = async (phase: string, backup: VeleroBackup, options: CaptureOptions): Promise<CaptureProgress> => {
  const labels = `velero.io/backup-name=${backup.metadata.name}`;
  const { items } = await options.kubernetes.list<PodVolumeBackup>(resources.podVolumeBackups, {
    namespace: options.veleroNamespace,
    labels,
  });
  return {
    phase,
    itemsDone: backup.status?.progress?.itemsBackedUp ?? 0,
    itemsTotal: backup.status?.progress?.totalItems ?? 0,
    volumesDone: items.filter((item) => isTerminal(item.status?.phase ?? "")).length,
    volumesTotal: items.length,
    bytesDone: items.reduce((sum, item) => sum + (item.status?.progress?.bytesDone ?? 0), 0),
    bytesTotal: items.reduce((sum, item) => sum + (item.status?.progress?.totalBytes ?? 0), 0),
  };
};

/** Removes what the capture needed in the cluster. */
export const finishCapture = (options: CaptureOptions): Promise<void> => removeStagingPods(options.kubernetes);
