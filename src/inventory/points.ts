/** Recovery points as the bucket has them: Velero's backups joined with our evidence. */
import type { Copy } from "../model/copy.ts";
import type { Point, PointDetails } from "../model/point.ts";
import type { Bucket } from "../systems/s3/port.ts";
import {
  backupNames,
  type BackupRecord,
  readBackup,
  type StoredBackup,
  type StoredPodVolumeBackup,
} from "../systems/velero/backup-record.ts";
import { partLabel, pointLabel } from "../systems/velero/manifests.ts";
import { isFailure } from "../model/failure.ts";
import { mapLimited } from "../model/concurrency.ts";
import { type PointRecord, readPointRecord } from "./records.ts";

export interface PointsSource {
  readonly bucket: Bucket;
  /** Velero's prefix, empty or ending in "/". */
  readonly prefix: string;
  /** Our cluster name in the bucket. */
  readonly cluster: string;
}

const readsAtATime = 8;

/** All points, newest first. Cost: five small reads a backup, eight backups at a time. */
export const readPoints = async (source: PointsSource): Promise<readonly PointDetails[]> => {
  const names = await backupNames(source.bucket, source.prefix);
  const points = await mapLimited(names, readsAtATime, (name) => readPoint(source, name));
  return points.filter((point) => point !== undefined).toSorted((a, b) => b.started - a.started);
};

/** One point by its backup's name; undefined when the bucket has no such backup. */
export const readPoint = async (source: PointsSource, name: string): Promise<PointDetails | undefined> => {
  try {
    const record = await readBackup(source.bucket, source.prefix, name);
    if (record === undefined) return undefined;
    return await withEvidence(source, record);
  } catch (error) {
    // One unreadable backup must not hide the others: it is listed as unreadable.
    if (isFailure(error, "COPY_CORRUPT")) return unreadablePoint(name, error.message);
    throw error;
  }
};

/** Evidence that cannot be read is as good as none: the copies are still there. */
const withEvidence = async (source: PointsSource, record: BackupRecord): Promise<PointDetails> => {
  const id = record.backup.metadata.labels?.[pointLabel] ?? record.name;
  try {
    return pointOf(record, (await readPointRecord(source.bucket, source.cluster, id))?.record);
  } catch (error) {
    if (!isFailure(error, "VERIFICATION_FAILED")) throw error;
    const point = pointOf(record, undefined);
    return { ...point, unreadable: [...point.unreadable, error.message] };
  }
};

const unreadablePoint = (name: string, problem: string): PointDetails => ({
  id: name,
  backup: name,
  ours: false,
  phase: "Unreadable",
  started: 0,
  ended: undefined,
  errors: 1,
  warnings: 0,
  unreadable: [problem],
  copies: [],
  skipped: {},
  evidence: {},
});

const time = (text: string | null | undefined): number | undefined => {
  const moment = Date.parse(text ?? "");
  return Number.isNaN(moment) ? undefined : moment;
};

/** Joins what Velero stored with our record of the same point. Pure. */
export const pointOf = (record: BackupRecord, ours: PointRecord | undefined): PointDetails => {
  const point = { ...identityOf(record), ...progressOf(record.backup.status ?? {}), unreadable: record.missing };
  return {
    ...point,
    copies: record.podVolumeBackups.flatMap((item) => copyOf(item, point, record, ours)),
    skipped: skippedVolumes(record),
    evidence: ours?.evidence ?? {},
  };
};

const identityOf = ({ name, backup }: BackupRecord): Pick<Point, "id" | "backup" | "ours" | "partial"> => {
  const { [pointLabel]: label, [partLabel]: part } = backup.metadata.labels ?? {};
  const whole = { id: label ?? name, backup: name, ours: label !== undefined };
  return part === undefined ? whole : { ...whole, partial: true };
};

type Progress = Pick<Point, "phase" | "started" | "ended" | "errors" | "warnings">;

const progressOf = (status: NonNullable<StoredBackup["status"]>): Progress => ({
  phase: status.phase ?? "New",
  started: time(status.startTimestamp) ?? 0,
  ended: time(status.completionTimestamp),
  errors: status.errors ?? 0,
  warnings: status.warnings ?? 0,
});

const copyOf = (
  item: StoredPodVolumeBackup,
  point: Point,
  record: BackupRecord,
  ours: PointRecord | undefined,
): readonly Copy[] => {
  const claim = item.metadata.annotations?.["velero.io/pvc-name"];
  // A copy of a volume without a claim (an emptyDir that the policy let through) belongs to no volume.
  if (claim === undefined) return [];
  const namespace = item.spec.pod.namespace ?? "";
  const volume = `${namespace}/${claim}`;
  const pv = record.volumeInfos.find((info) => info.pvcNamespace === namespace && info.pvcName === claim)?.pvName;
  return [
    {
      volume,
      namespace,
      claim,
      point: point.id,
      backup: point.backup,
      repository: namespace,
      ...transferOf(item.status ?? {}, point),
      lineage: ours?.lineages[volume] ?? (pv === undefined ? undefined : `pv:${pv}`),
    },
  ];
};

type Transfer = Pick<Copy, "snapshotId" | "bytes" | "time" | "ok" | "problem">;

const transferOf = (status: NonNullable<StoredPodVolumeBackup["status"]>, point: Point): Transfer => {
  const { phase = "New", snapshotID = "", message } = status;
  const ok = phase === "Completed";
  return {
    snapshotId: snapshotID === "" ? undefined : snapshotID,
    // Velero leaves out numbers that are 0.
    bytes: status.progress?.totalBytes ?? (ok ? 0 : undefined),
    time: time(status.completionTimestamp) ?? point.ended ?? point.started,
    ok,
    problem: ok ? undefined : `Velero ended it as ${phase}${message === undefined ? "" : `: ${message}`}`,
  };
};

const skippedVolumes = (record: BackupRecord): Readonly<Record<string, string>> =>
  Object.fromEntries(
    record.volumeInfos
      .filter((info) => info.skipped === true && info.pvcName !== undefined)
      .map((info) => [`${info.pvcNamespace ?? ""}/${info.pvcName}`, info.skippedReason ?? "Velero gave no reason"]),
  );
