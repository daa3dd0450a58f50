/** `kit check`: proves a kit complete by using it, and nothing but it. */
import { createHash } from "node:crypto";
import { readPoints } from "../inventory/points.ts";
import { openRepositories } from "../inventory/repositories.ts";
import { Failure, isFailure } from "../model/failure.ts";
import type { FailureCode } from "../model/failure-catalogue.ts";
import type { PointDetails } from "../model/point.ts";
import type { Bucket } from "../systems/s3/port.ts";
import { normalPrefix } from "../systems/velero/bucket-layout.ts";
import type { KitEvidence } from "./evidence.ts";
import { fingerprintOf } from "./fingerprint.ts";
import type { Kit, KitNas } from "./kit.ts";

/** Logs in to the NAS with this access and no other. Throws NAS_*. */
export type OpenNas = (access: KitNas) => Promise<void>;

/** The outside, opened with what is in the kit. */
export interface KitDoors {
  readonly bucket: Bucket;
  /** Absent where this Holdfast cannot speak with the kit's kind of NAS: its part is then not checked, and that is said. */
  readonly openNas?: OpenNas;
}

export interface Proof extends Pick<KitEvidence, "repositories" | "nas"> {
  /** The newest whole backup, which was read. */
  readonly backup: PointDetails;
}

/**
 * Lists the bucket, opens every repository, reads the newest backup, logs in to the NAS. Throws what stands in the way,
 * as a failing of the kit: BUCKET_*, REPOSITORY_PASSWORD, REPOSITORY_FAILED, NAS_*; COPY_MISSING when there is nothing
 * yet that it could open.
 */
export const proveKit = async (kit: Kit, doors: KitDoors): Promise<Proof> => {
  const prefix = normalPrefix(kit.bucket.prefix);
  const repositories = await asOfKit("S3 access", () => openAll(kit, doors.bucket, prefix));
  const source = { bucket: doors.bucket, prefix, cluster: kit.cluster.name };
  const points = await asOfKit("S3 access", () => readPoints(source));
  const backup = points.find(({ ended, unreadable }) => ended !== undefined && unreadable.length === 0);
  if (backup === undefined) throw nothingToOpen(kit, "no backup that is whole");
  return { repositories, backup, nas: await openedNas(kit, doors.openNas) };
};

const openAll = async (kit: Kit, bucket: Bucket, prefix: string): Promise<string[]> => {
  const { opened, closed } = await openRepositories(bucket, prefix, kit.repository.password);
  if (closed.length > 0) {
    throw new Failure("REPOSITORY_PASSWORD", {
      what: `The kit's password does not open ${closed.length} of ${opened.length + closed.length} repositories: ${closed.join(", ")}.`,
      why: "it is not the one that they were made with",
      todo: "Let repository.password in holdfast.yaml be the right one (`holdfast doctor` tells), make a new kit, and check that.",
    });
  }
  if (opened.length === 0) throw nothingToOpen(kit, "no kopia repository");
  return [...opened];
};

const nothingToOpen = ({ bucket }: Kit, what: string): Failure =>
  new Failure("COPY_MISSING", {
    what: `There is ${what} in the bucket "${bucket.name}" below "${bucket.prefix}".`,
    why: "a kit is proven by what it opens, and there is nothing to open yet",
    todo: "Make the first backup (`holdfast backup --wait`), then check the kit again.",
  });

const openedNas = async ({ nas }: Kit, open: OpenNas | undefined): Promise<Proof["nas"]> => {
  if (nas === undefined) return "none";
  if (open === undefined) return "not checked";
  await asOfKit("NAS access", () => open(nas));
  return "opened";
};

const unreachable: ReadonlySet<FailureCode> = new Set(["BUCKET_UNREACHABLE", "NAS_UNREACHABLE"]);
/** These speak of the kit, or of the store, already. */
const plain: ReadonlySet<FailureCode> = new Set(["COPY_MISSING", "REPOSITORY_PASSWORD", "REPOSITORY_FAILED"]);

/** The adapters advise to correct holdfast.yaml, which is not what failed here. */
const asOfKit = async <T>(part: string, use: () => Promise<T>): Promise<T> => {
  try {
    return await use();
  } catch (error) {
    if (!isFailure(error) || plain.has(error.code)) throw error;
    const { code, what, why } = error;
    const reason = why === undefined ? {} : { why };
    if (unreachable.has(code)) {
      const todo = "Is it on, and does this machine reach it? Nothing is wrong with the kit so far; check it again.";
      throw new Failure(code, { what, ...reason, todo, cause: error });
    }
    throw new Failure(code, {
      what: `The kit's ${part} does not work: ${what}`,
      ...reason,
      todo: "Make a new kit with a holdfast.yaml that works (`holdfast doctor` tells), and check that.",
      cause: error,
    });
  }
};

export interface Circumstances {
  /** The sealed file as it lay on the disk. */
  readonly file: Uint8Array;
  /** ms since 1970. */
  readonly now: number;
  /** A new random text for the fingerprint. */
  readonly salt: string;
  /** Whether this ran outside any cluster. */
  readonly outside: boolean;
}

/** What goes into the bucket after a check. */
export const evidenceOf = async (kit: Kit, proof: Proof, circumstances: Circumstances): Promise<KitEvidence> => ({
  version: 1,
  cluster: kit.cluster,
  time: circumstances.now,
  sha256: createHash("sha256").update(circumstances.file).digest("hex"),
  password: await fingerprintOf(kit.repository.password, circumstances.salt),
  repositories: [...proof.repositories],
  backup: proof.backup.backup,
  nas: proof.nas,
  outside: circumstances.outside,
});
