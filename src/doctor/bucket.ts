/** The bucket by our own client: what Velero can do there says nothing about what Holdfast can. */
import { clusterUid, ownershipOf, refuseForeign } from "../inventory/identity.ts";
import { recordsPrefix } from "../inventory/records.ts";
import { Failure, isFailure } from "../model/failure.ts";
import { formatSeconds } from "../model/units.ts";
import type { Bucket } from "../systems/s3/port.ts";
import { normalPrefix } from "../systems/velero/bucket-layout.ts";
import { type Check, type Finding, ok, warning } from "./check.ts";
import type { DoctorWorld } from "./world.ts";

export const bucketChecks = (world: DoctorWorld): readonly Check[] => [
  { id: "prefix", title: "Room beside Velero", look: async () => prefixFinding(world) },
  { id: "bucket", title: "Bucket can be listed", look: () => listFinding(world) },
  {
    id: "identity",
    title: "Bucket is this cluster's",
    needs: ["kubernetes", "bucket"],
    look: () => identityFinding(world),
  },
  {
    id: "bucket-write",
    title: "Bucket can be written",
    needs: ["prefix", "bucket", "identity"],
    look: () => writeFinding(world),
  },
];

/** Velero calls its location unavailable when it finds a directory there that it does not know (ADR 0004). */
const prefixFinding = (world: DoctorWorld): Finding => {
  const { bucket, holdfast } = world.loaded.config;
  const prefix = normalPrefix(bucket.prefix);
  const ours = recordsPrefix(holdfast.cluster);
  if (!ours.startsWith(prefix)) return ok(`Velero in ${prefix}, Holdfast in ${ours}`);
  throw new Failure("CONFIG_INVALID", {
    what:
      prefix === ""
        ? "Velero has no prefix: it fills the bucket's root."
        : `Velero's prefix ${prefix} contains ${ours}.`,
    why: `Velero calls its location Unavailable, and stops, when it finds Holdfast's records in ${ours}`,
    todo: "Give Velero's BackupStorageLocation another prefix (move its objects below it), and the same in bucket.prefix of holdfast.yaml.",
  });
};

const listFinding = async (world: DoctorWorld): Promise<Finding> => {
  const { bucket } = world.loaded.config;
  const found: string[] = [];
  for await (const folder of (await world.bucket()).folders(normalPrefix(bucket.prefix))) found.push(folder);
  const place = `${bucket.endpoint}/${bucket.name}`;
  const secrets = "who can read it is root over the cluster, whose Secrets are in Velero's backups";
  return ok(found.length === 0 ? `${place} is empty below "${bucket.prefix}"` : `${place}; ${secrets}`);
};

/** A second cluster with the same configuration would mix its evidence with ours, and prune by it (design §4). */
const identityFinding = async (world: DoctorWorld): Promise<Finding> => {
  const { cluster } = world.loaded.config.holdfast;
  const [kubernetes, bucket] = await Promise.all([world.kubernetes(), world.bucket()]);
  const uid = await clusterUid(kubernetes);
  const ownership = await ownershipOf(bucket, cluster, uid);
  refuseForeign(ownership, cluster, uid);
  return ok(
    ownership.state === "ours"
      ? `${recordsPrefix(cluster)} is of this cluster (${uid}) since ${ownership.identity.firstSeen}`
      : `${recordsPrefix(cluster)} is nobody's yet; the first backup writes this cluster's UID ${uid} there`,
  );
};

/** ms. S3 stores refuse requests that are 15 minutes off, kopia writes with 5. */
const bearableDifference = 60_000;

const writeFinding = async (world: DoctorWorld): Promise<Finding> => {
  const { context, loaded } = world;
  const key = `${recordsPrefix(loaded.config.holdfast.cluster)}doctor/${context.randomId(16)}`;
  const bucket = await world.bucketWithoutFence();
  const difference = await removed(bucket, key, () => tryObject(bucket, key, context.clock));
  const clocks = `its clock differs by ${formatSeconds(Math.abs(difference))}`;
  if (Math.abs(difference) <= bearableDifference) return ok(`wrote, read and removed ${key}; ${clocks}`);
  return warning(
    `written, but ${clocks} from this machine's`,
    "Let both take their time by NTP: ages of backups are wrong, and from 15 min on S3 refuses requests.",
  );
};

/** Writes, lists and reads one object; gives how far the store's clock is ahead of ours, ms. */
const tryObject = async (bucket: Bucket, key: string, clock: { now(): number }): Promise<number> => {
  const body = new TextEncoder().encode(`${key}\n`);
  const before = clock.now();
  await bucket.put(key, body, "absent");
  const after = clock.now();
  const read = await bucket.get(key);
  if (read === undefined || Buffer.compare(read.body, body) !== 0)
    throw notAsWritten(key, read === undefined ? "it is not there" : "its content differs");
  for await (const { key: listed, modified } of bucket.list(key))
    if (listed === key) return ahead(modified, before, after);
  throw notAsWritten(key, "it is not listed");
};

/** S3 tells whole seconds, rounded down: a moment within the write's own second is no difference. */
const ahead = (modified: number, before: number, after: number): number => {
  if (modified > after) return modified - after;
  return modified + 1000 < before ? modified + 1000 - before : 0;
};

const notAsWritten = (key: string, why: string): Failure =>
  new Failure("BUCKET_REFUSED", {
    what: `What was written to "${key}" does not come back.`,
    why,
    todo: "Do not trust this store with backups before it is repaired.",
  });

/** Does the work and removes the object after it in any case; a failure of both tells of both. */
const removed = async <T>(bucket: Bucket, key: string, work: () => Promise<T>): Promise<T> => {
  let result: T;
  try {
    result = await work();
  } catch (error) {
    const second = await bucket.remove(key).then(
      () => undefined,
      (problem: unknown) => problem,
    );
    if (second === undefined || !isFailure(error)) throw error;
    if (!isFailure(second)) throw second;
    const { code, what, todo } = error;
    const why = [error.why, `removing it failed too: ${second.what}`].filter((part) => part !== undefined).join("; ");
    throw new Failure(code, {
      what,
      why,
      ...(todo === undefined ? {} : { todo }),
      cause: error,
    });
  }
  await bucket.remove(key);
  if ((await bucket.get(key)) === undefined) return result;
  throw new Failure("BUCKET_REFUSED", {
    what: `"${key}" is still there after its removal.`,
    todo: "Check the store's object lock and lifecycle rules: retention cannot free space.",
  });
};
