/** The record of the last `kit check`, beside the points' evidence in the bucket. It holds nothing secret. */
import { z } from "zod";
import { recordsPrefix } from "../inventory/records.ts";
import { Failure, messageOf } from "../model/failure.ts";
import type { Bucket } from "../systems/s3/port.ts";
import { fingerprintSchema } from "./fingerprint.ts";

const kitEvidenceSchema = z.object({
  version: z.literal(1),
  cluster: z.object({ name: z.string(), uid: z.string().optional() }),
  /** When the kit was checked; ms since 1970. */
  time: z.number(),
  /** Of the sealed file, hex: which kit it was. */
  sha256: z.string(),
  password: fingerprintSchema,
  /** Namespaces whose repositories it opened. */
  repositories: z.array(z.string()),
  /** Name of the backup that it read. */
  backup: z.string(),
  nas: z.enum(["opened", "not checked", "none"]),
  /** False when the check ran in a pod of a cluster: that proves nothing about the night when there is none. */
  outside: z.boolean(),
});

export type KitEvidence = z.output<typeof kitEvidenceSchema>;

export const kitEvidenceKey = (cluster: string): string => `${recordsPrefix(cluster)}kit/evidence.json`;

/** Undefined when no kit was ever checked. Throws KIT_MISSING when the record cannot be read. Cost: one read. */
export const readKitEvidence = async (
  bucket: Bucket,
  cluster: string,
): Promise<{ readonly evidence: KitEvidence; readonly etag: string } | undefined> => {
  const key = kitEvidenceKey(cluster);
  const content = await bucket.get(key);
  if (content === undefined) return undefined;
  try {
    return {
      evidence: kitEvidenceSchema.parse(JSON.parse(new TextDecoder().decode(content.body))),
      etag: content.etag,
    };
  } catch (error) {
    throw new Failure("KIT_MISSING", {
      what: `The evidence ${key} cannot be read.`,
      why: error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error),
      todo: "Remove that object, then `holdfast kit check FILE`.",
      cause: error,
    });
  }
};

/**
 * Records a check, by compare-and-swap: BUCKET_CONFLICT when somebody else was quicker. A check inside a cluster does not
 * replace one from outside; then false.
 */
export const writeKitEvidence = async (bucket: Bucket, evidence: KitEvidence): Promise<boolean> => {
  const present = await readKitEvidence(bucket, evidence.cluster.name);
  if (!evidence.outside && present?.evidence.outside === true) return false;
  const body = new TextEncoder().encode(`${JSON.stringify(evidence, undefined, 2)}\n`);
  const condition = present === undefined ? "absent" : { etag: present.etag };
  await bucket.put(kitEvidenceKey(evidence.cluster.name), body, condition);
  return true;
};
