/**
 * Whose part of the bucket this is (design §4): `cluster.json` names the cluster by the UID of its namespace kube-system,
 * which no other cluster has, however alike their configurations are.
 */
import { z } from "zod";
import { Failure, isFailure, messageOf } from "../model/failure.ts";
import type { KubeObject, Kubernetes } from "../systems/kubernetes/port.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import type { Bucket } from "../systems/s3/port.ts";
import { readPointRecord, recordsPrefix } from "./records.ts";

const ownerSchema = z.object({
  /** UID of kube-system. */
  uid: z.string().min(1),
  /** holdfast.cluster of whoever wrote it. */
  name: z.string(),
  /** Version of the Holdfast that wrote it. */
  holdfast: z.string(),
  /** When the cluster was first seen here, ISO 8601. */
  firstSeen: z.string(),
});

const identitySchema = ownerSchema.extend({
  version: z.literal(1),
  /** Clusters that this part of the bucket belonged to before, oldest first, and when each was replaced. */
  history: z.array(ownerSchema.extend({ replaced: z.string() })),
});

export type ClusterIdentity = z.output<typeof identitySchema>;

/** The cluster that this process works for. */
export interface Self {
  readonly uid: string;
  readonly name: string;
  /** Holdfast's version. */
  readonly holdfast: string;
}

/** What the bucket says about its owner. */
export type Ownership =
  | { readonly state: "unclaimed" }
  | { readonly state: "ours"; readonly identity: ClusterIdentity; readonly etag: string }
  | { readonly state: "foreign"; readonly identity: ClusterIdentity; readonly etag: string }
  /** There is a cluster.json that cannot be understood: it may be anybody's. */
  | { readonly state: "unreadable"; readonly why: string; readonly etag: string }
  /** From before there was a cluster.json: the newest evidence names another cluster. */
  | { readonly state: "foreign-evidence"; readonly uid: string };

export const identityKey = (cluster: string): string => `${recordsPrefix(cluster)}cluster.json`;

/** UID of kube-system. Throws what the API server's silence throws, and FENCED where there is no such namespace. */
export const clusterUid = async (kubernetes: Kubernetes): Promise<string> => {
  const uid = (await kubernetes.get<KubeObject>(resources.namespaces, { name: "kube-system" }))?.metadata.uid;
  if (uid !== undefined) return uid;
  throw new Failure("FENCED", {
    what: "It is not known which cluster this is: it has no namespace kube-system.",
    todo: "Does the kubeconfig point at a Kubernetes cluster, and may its user read that namespace?",
  });
};

/** Reads only. Cost: one small read; without a cluster.json also a list of the points and one more read. */
export const ownershipOf = async (bucket: Bucket, cluster: string, uid: string): Promise<Ownership> => {
  const content = await bucket.get(identityKey(cluster));
  if (content === undefined) return ownershipByEvidence(bucket, cluster, uid);
  const { etag } = content;
  try {
    const identity = identitySchema.parse(JSON.parse(new TextDecoder().decode(content.body)));
    return { state: identity.uid === uid ? "ours" : "foreign", identity, etag };
  } catch (error) {
    return { state: "unreadable", why: messageOf(error), etag };
  }
};

const ownershipByEvidence = async (bucket: Bucket, cluster: string, uid: string): Promise<Ownership> => {
  const prefix = `${recordsPrefix(cluster)}points/`;
  let newest: string | undefined;
  for await (const { key } of bucket.list(prefix)) if (key.endsWith(".json")) newest = key;
  const owner = newest === undefined ? undefined : await ownerOfPoint(bucket, cluster, newest.slice(prefix.length, -5));
  return owner === undefined || owner === uid ? { state: "unclaimed" } : { state: "foreign-evidence", uid: owner };
};

const ownerOfPoint = async (bucket: Bucket, cluster: string, point: string): Promise<string | undefined> => {
  try {
    const owner = (await readPointRecord(bucket, cluster, point))?.record.cluster;
    return owner === "" ? undefined : owner;
  } catch (error) {
    // A torn record says nothing about its owner, and is told where evidence is read.
    if (isFailure(error, "VERIFICATION_FAILED")) return undefined;
    throw error;
  }
};

/** Throws FENCED, naming both clusters, unless the place is ours or nobody's. */
export const refuseForeign = (ownership: Ownership, cluster: string, uid: string): void => {
  const why = foreignOwner(ownership);
  if (why === undefined) return;
  throw new Failure("FENCED", {
    what: `${recordsPrefix(cluster)} in the bucket is not this cluster's (${uid}): nothing is written there.`,
    why,
  });
};

/** Whose it is instead, in words; undefined when it is ours or nobody's. */
export const foreignOwner = (ownership: Ownership): string | undefined => {
  if (ownership.state === "foreign") {
    const { uid, name, firstSeen } = ownership.identity;
    return `cluster.json names the cluster ${uid} ("${name}", first seen ${firstSeen})`;
  }
  if (ownership.state === "unreadable") return `cluster.json cannot be read: ${ownership.why}`;
  if (ownership.state === "foreign-evidence")
    return `there is no cluster.json, but the newest recovery point is of the cluster ${ownership.uid}`;
  return undefined;
};

/** Names this cluster as the first owner. BUCKET_CONFLICT when another one was quicker. */
export const claim = async (bucket: Bucket, cluster: string, self: Self, now: number): Promise<void> => {
  await bucket.put(identityKey(cluster), encode({ version: 1, ...ownerNow(self, now), history: [] }), "absent");
};

/**
 * Makes this cluster the owner of what `seen` says is another one's, and keeps that one in the history. BUCKET_CONFLICT
 * when the identity has changed since.
 */
export const takeOver = async (
  bucket: Bucket,
  place: { readonly cluster: string; readonly seen: Ownership },
  self: Self,
  now: number,
): Promise<void> => {
  const { cluster, seen } = place;
  const replaced = new Date(now).toISOString();
  const identity = { version: 1 as const, ...ownerNow(self, now), history: historyOf(seen, replaced) };
  await bucket.put(identityKey(cluster), encode(identity), "etag" in seen ? { etag: seen.etag } : "absent");
};

const historyOf = (seen: Ownership, replaced: string): ClusterIdentity["history"] => {
  if (seen.state === "foreign-evidence") return [{ uid: seen.uid, name: "", holdfast: "", firstSeen: "", replaced }];
  if (seen.state !== "foreign") return [];
  const { uid, name, holdfast, firstSeen, history } = seen.identity;
  return [...history, { uid, name, holdfast, firstSeen, replaced }];
};

const ownerNow = ({ uid, name, holdfast }: Self, now: number): z.output<typeof ownerSchema> => ({
  uid,
  name,
  holdfast,
  firstSeen: new Date(now).toISOString(),
});

const encode = (identity: ClusterIdentity): Uint8Array =>
  new TextEncoder().encode(`${JSON.stringify(identity, undefined, 2)}\n`);
