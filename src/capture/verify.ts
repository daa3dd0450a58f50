/**
 * Looks at what a backup has really left in the bucket, and keeps what was seen as evidence (design §5).
 * Cost: the agent's check of each copy, plus five small reads and one write of the bucket.
 */
import type { AgentLine } from "../agent/lines.ts";
import type { CopyReference, StoreReference } from "../agent/job.ts";
import type { Context } from "../context.ts";
import { isEmptyCopy } from "../inventory/coverage.ts";
import { clusterUid } from "../inventory/identity.ts";
import { type PointsSource, readPoint } from "../inventory/points.ts";
import { readPointRecord, writePointRecord } from "../inventory/records.ts";
import type { Copy, CopyEvidence } from "../model/copy.ts";
import { Failure } from "../model/failure.ts";
import type { PointDetails } from "../model/point.ts";
import type { Agents } from "../systems/agent/port.ts";
import type { Kubernetes } from "../systems/kubernetes/port.ts";
import { isUsable } from "../systems/velero/phases.ts";

export interface VerifyOptions {
  readonly context: Context;
  readonly kubernetes: Kubernetes;
  readonly agents: Agents;
  readonly store: StoreReference;
  readonly source: PointsSource;
  /** Share of files that are read back whole, 0 to 100. */
  readonly filesPercent: number;
  /** Volumes of which an empty copy is a good one. */
  readonly mayBeEmpty: (volume: string) => boolean;
  /** The lineage of each live volume, by name. */
  readonly lineages: Readonly<Record<string, string>>;
  readonly onLine: (line: AgentLine) => void;
}

/** What the bucket holds of a backup, after every copy in it was looked at. */
export interface Verification {
  readonly point: PointDetails;
  /** Volumes that should be in it and are not, with the reason. */
  readonly missing: Readonly<Record<string, string>>;
  /** Volumes whose copy is bad, with what is wrong. */
  readonly failed: Readonly<Record<string, string>>;
}

/** Throws VERIFICATION_FAILED when the backup as a whole is not in the bucket; what is wrong with copies is in the result. */
export const verifyBackup = async (
  backup: string,
  expected: readonly string[],
  options: VerifyOptions,
): Promise<Verification> => {
  const point = await readPoint(options.source, backup);
  if (point === undefined)
    throw new Failure("VERIFICATION_FAILED", {
      what: `The bucket has no backup ${backup}, although Velero says that it is done.`,
      todo: "Do bucket.name and bucket.prefix in holdfast.yaml name the place that Velero writes to? `holdfast doctor` compares them.",
    });
  if (!isUsable(point.phase) || point.unreadable.length > 0) {
    throw new Failure("VERIFICATION_FAILED", {
      what: `The backup ${backup} is not whole in the bucket.`,
      why: [`its phase there is ${point.phase}`, ...point.unreadable.map((key) => `${key} is missing`)].join("; "),
    });
  }
  const evidence = await lookAt(point, options);
  await keep(point, evidence, options);
  const verified = { ...point, evidence };
  return { point: verified, missing: missingFrom(point, expected), failed: failuresOf(verified) };
};

const lookAt = async (point: PointDetails, options: VerifyOptions): Promise<Readonly<Record<string, CopyEvidence>>> => {
  const evidence: Record<string, CopyEvidence> = {};
  const now = (): number => options.context.clock.now();
  for (const copy of point.copies.filter(isEmptyCopy)) evidence[copy.volume] = judged(nothing(now()), copy, options);
  const copies = point.copies.flatMap(checkable);
  if (copies.length === 0) return evidence;
  const byName = new Map(point.copies.map((copy) => [copy.volume, copy]));
  await options.agents.run(
    {
      operation: `verify-${point.id}`,
      job: { kind: "check", store: options.store, copies, filesPercent: options.filesPercent },
      mounts: [],
    },
    (line) => {
      const copy = line.type === "checked" ? byName.get(line.volume) : undefined;
      if (line.type === "checked" && copy !== undefined)
        evidence[line.volume] = judged({ ...line.evidence, time: now() }, copy, options);
      options.onLine(line);
    },
    options.context.signal,
  );
  return evidence;
};

const checkable = (copy: Copy): readonly CopyReference[] =>
  copy.ok && copy.snapshotId !== undefined
    ? [{ volume: copy.volume, repository: copy.repository, snapshotId: copy.snapshotId }]
    : [];

const nothing = (time: number): CopyEvidence => ({
  snapshotId: "",
  verdict: "verified",
  time,
  files: 0,
  directories: 0,
  symlinks: 0,
  bytes: 0,
  databases: 0,
  problems: [],
  leftOut: [],
});

/** An empty copy of a volume that nobody expects to be empty is the way in which losses hide. */
const judged = (evidence: CopyEvidence, copy: Copy, options: VerifyOptions): CopyEvidence => {
  if (evidence.files + evidence.symlinks > 0 || evidence.problems.length > 0 || options.mayBeEmpty(copy.volume))
    return evidence;
  const problem =
    "the copy has not a single file; if that is right, name the volume under volumes.expectEmpty in holdfast.yaml";
  return { ...evidence, verdict: "failed", problems: [problem] };
};

/** Writes the point's record; one that exists already keeps the lineages of the time when the point was cut. */
const keep = async (
  point: PointDetails,
  evidence: Readonly<Record<string, CopyEvidence>>,
  options: VerifyOptions,
): Promise<void> => {
  const { bucket, cluster } = options.source;
  const present = await readPointRecord(bucket, cluster, point.id);
  const record = {
    version: 1 as const,
    point: point.id,
    backup: point.backup,
    cluster: await clusterUid(options.kubernetes),
    lineages: present?.record.lineages ?? { ...options.lineages },
    evidence: Object.fromEntries(
      Object.entries(evidence).map(([volume, seen]) => [
        volume,
        { ...seen, problems: [...seen.problems], leftOut: [...seen.leftOut] },
      ]),
    ),
  };
  await writePointRecord(bucket, cluster, record, present?.etag);
};

const missingFrom = (point: PointDetails, expected: readonly string[]): Readonly<Record<string, string>> => {
  const copied = new Set(point.copies.map((copy) => copy.volume));
  // What the user's own volume policy leaves out is listed by `status`, and is no fault of the backup.
  const absent = expected.filter((volume) => !copied.has(volume) && point.skipped[volume] === undefined);
  return Object.fromEntries(absent.map((volume) => [volume, "Velero made no copy of it and gave no reason"]));
};

const failuresOf = (point: PointDetails): Readonly<Record<string, string>> =>
  Object.fromEntries(
    point.copies.flatMap((copy) => {
      const seen = point.evidence[copy.volume];
      const problem =
        copy.problem ??
        (seen === undefined ? "it was not looked at: the agent said nothing about it" : seen.problems[0]);
      return problem === undefined ? [] : [[copy.volume, problem]];
    }),
  );
