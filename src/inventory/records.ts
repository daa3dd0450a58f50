/** Our own part of the bucket: the evidence of each recovery point (design §4). */
import { z } from "zod";
import { Failure, messageOf } from "../model/failure.ts";
import type { Bucket } from "../systems/s3/port.ts";

const evidenceSchema = z.object({
  snapshotId: z.string(),
  verdict: z.enum(["verified", "failed"]),
  time: z.number(),
  files: z.number(),
  directories: z.number(),
  symlinks: z.number(),
  bytes: z.number(),
  databases: z.number(),
  problems: z.array(z.string()),
  leftOut: z.array(z.string()),
});

const pointRecordSchema = z.object({
  version: z.literal(1),
  point: z.string(),
  backup: z.string(),
  /** UID of kube-system: whose point this is. */
  cluster: z.string(),
  /** What each volume was when the point was cut (`model/lineage.ts`), by "namespace/pvc". */
  lineages: z.record(z.string(), z.string()),
  evidence: z.record(z.string(), evidenceSchema),
});

export type PointRecord = z.output<typeof pointRecordSchema>;

/** Where a cluster's records lie; never below Velero's prefix. */
export const recordsPrefix = (cluster: string): string => `holdfast/${cluster}/`;

const pointsPrefix = (cluster: string): string => `${recordsPrefix(cluster)}points/`;
const pointKey = (cluster: string, point: string): string => `${pointsPrefix(cluster)}${point}.json`;

/** The record of a point with its ETag; undefined when there is none. Throws VERIFICATION_FAILED when it cannot be read. */
export const readPointRecord = async (
  bucket: Bucket,
  cluster: string,
  point: string,
): Promise<{ readonly record: PointRecord; readonly etag: string } | undefined> => {
  const key = pointKey(cluster, point);
  const content = await bucket.get(key);
  if (content === undefined) return undefined;
  try {
    return { record: pointRecordSchema.parse(JSON.parse(new TextDecoder().decode(content.body))), etag: content.etag };
  } catch (error) {
    throw new Failure("VERIFICATION_FAILED", {
      what: `The evidence ${key} cannot be read.`,
      why: messageOf(error),
      todo: "It is not needed to restore. Remove it and verify the point again.",
      cause: error,
    });
  }
};

/** Replaces a record, or writes the first one; BUCKET_CONFLICT when somebody else was quicker. */
export const writePointRecord = async (
  bucket: Bucket,
  cluster: string,
  record: PointRecord,
  etag: string | undefined,
): Promise<void> => {
  const body = new TextEncoder().encode(`${JSON.stringify(record, undefined, 2)}\n`);
  await bucket.put(pointKey(cluster, record.point), body, etag === undefined ? "absent" : { etag });
};
