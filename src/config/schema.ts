/** holdfast.yaml: what may be in it. The JSON schema for editors is made from this. */
import { z } from "zod";
import { parseDuration } from "../model/units.ts";

const secretReference = z
  .strictObject({
    file: z.string().min(1).optional().describe("A file that holds just the secret; relative to holdfast.yaml."),
    env: z.string().min(1).optional().describe("Name of an environment variable."),
    secret: z
      .strictObject({ namespace: z.string().min(1), name: z.string().min(1), key: z.string().min(1) })
      .optional()
      .describe("A Secret of the cluster. Cannot be read when the cluster is gone."),
  })
  .refine(
    (value) => Object.values(value).filter((part) => part !== undefined).length === 1,
    "give exactly one of file, env, secret",
  );

const credentials = z
  .strictObject({
    file: z.string().min(1).optional().describe("An AWS credentials file; relative to holdfast.yaml."),
    profile: z.string().min(1).default("default").describe("The section of that file."),
    env: z
      .strictObject({ accessKeyId: z.string().min(1), secretAccessKey: z.string().min(1) })
      .optional()
      .describe("Names of two environment variables."),
    secret: z
      .strictObject({ namespace: z.string().min(1), name: z.string().min(1), key: z.string().min(1).default("cloud") })
      .optional()
      .describe("A Secret of the cluster that holds an AWS credentials file, as Velero's does."),
  })
  .refine(
    (value) => [value.file, value.env, value.secret].filter((part) => part !== undefined).length === 1,
    "give exactly one of file, env, secret",
  );

const duration = z
  .string()
  .refine((text) => parseDuration(text) !== undefined, 'not a duration; write "24h", "90m" or "7d"')
  .describe('A duration such as "24h".');

const timeZone = z
  .string()
  .refine(isTimeZone, 'not a time zone; write one like "Europe/Berlin" or "UTC"')
  .describe("An IANA time zone: days and weeks of the retention follow it.");

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).format(0) !== "";
  } catch {
    // RangeError is the only way in which Intl says no.
    return false;
  }
}

const volumePattern = z
  .string()
  .regex(/^[^/\s]+\/[^/\s]+$/, 'not a volume; write "namespace/pvc", "*" stands for anything');

const nas = z
  .strictObject({
    kind: z
      .enum(["truenas", "zfs-ssh"])
      .describe("truenas: through its API (JSON-RPC from 25.04, REST before). zfs-ssh: any machine with ZFS."),
    url: z
      .url({ protocol: /^(wss|https|ws|http|ssh)$/ })
      .describe("wss://nas.example (TrueNAS from 25.04), https://nas.example (24.10 and older), ssh://nas.example."),
    user: z.string().min(1).describe("Who reads, snapshots and clones; give it no right to delete."),
    key: secretReference.describe("The user's API key; for ssh its private key."),
    remover: z
      .strictObject({ user: z.string().min(1), key: secretReference })
      .optional()
      .describe("Who removes what Holdfast itself made, when its time is over. Nothing is ever removed without it."),
    caFile: z.string().min(1).optional().describe("PEM file of the CA that signed the NAS' certificate."),
    hostKey: z.string().min(1).optional().describe('For ssh: the host\'s key, "ssh-ed25519 AAAA…".'),
    parents: z
      .array(z.string().regex(/^[^/@\s]+\/[^@\s]*[^/@\s]$/, "not a dataset below a pool; a whole pool is never taken"))
      .min(1)
      .describe("The storage drivers' parent datasets. Holdfast touches nothing outside of them."),
  })
  .describe("The NAS whose ZFS holds the volumes: a second layer of copies, and the fast way back.");

export const configSchema = z.strictObject({
  version: z.literal(1).describe("Version of this file's form."),
  cluster: z
    .strictObject({
      kubeconfig: z
        .string()
        .min(1)
        .optional()
        .describe("Used when neither --kubeconfig nor KUBECONFIG says otherwise."),
      context: z.string().min(1).optional(),
    })
    .prefault({}),
  bucket: z
    .strictObject({
      endpoint: z.url({ protocol: /^https?$/ }).describe("The S3 store: https://nas.example:9000."),
      name: z.string().min(1).describe("The bucket that Velero writes to."),
      prefix: z
        .string()
        .default("")
        .describe("Velero's prefix in the bucket. Holdfast writes beside it, never inside."),
      region: z.string().min(1).default("us-east-1"),
      caFile: z.string().min(1).optional().describe("PEM file of the CA that signed the store's certificate."),
      credentials,
    })
    .describe("Where Velero keeps its backups."),
  repository: z.strictObject({ password: secretReference.describe("Password of Velero's kopia repositories.") }),
  nas: nas.optional(),
  kit: z
    .strictObject({
      recipients: z
        .array(z.string().regex(/^age1[02-9ac-hj-np-z]+$/, 'not a recipient of age; `age-keygen` prints one, "age1…"'))
        .default([])
        .describe("Who can open the kit: recipients of age. Without any, it is sealed with a passphrase."),
    })
    .prefault({}),
  velero: z
    .strictObject({
      namespace: z.string().min(1).default("velero"),
      storageLocation: z.string().min(1).default("default"),
      policyConfigMap: z.string().min(1).optional().describe("ConfigMap with Velero's volume policy."),
    })
    .prefault({}),
  holdfast: z
    .strictObject({
      namespace: z.string().min(1).default("holdfast").describe("Where Holdfast's short-lived pods run."),
      cluster: z
        .string()
        .regex(/^[a-z0-9][a-z0-9-]*$/, "use lower-case letters, digits and dashes")
        .default("cluster")
        .describe("Names this cluster in the bucket."),
      image: z.string().min(1).default("ghcr.io/holdfast/holdfast:0.1.0"),
      kubeletDir: z
        .string()
        .startsWith("/")
        .default("/var/lib/kubelet")
        .describe("The kubelet's directory on the nodes (k0s and some others differ)."),
    })
    .prefault({}),
  guard: z
    .strictObject({
      mode: z
        .enum(["deny", "hold", "bin", "off"])
        .default("deny")
        .describe("How `holdfast serve` guards volumes that are not guarded yet; off: not at all."),
    })
    .prefault({}),
  policy: z
    .strictObject({
      rpo: duration.default("24h").describe("How old the newest good copy of a volume may be."),
      timeZone: timeZone.default("UTC"),
      undoFor: duration.default("7d").describe("How long what an operation has set aside is kept for its undo."),
      rememberFor: duration
        .default("90d")
        .describe("How long an operation that is over, and keeps nothing set aside, stays in the list of operations."),
      keep: z.strictObject({ daily: z.int().min(1).default(7), weekly: z.int().min(0).default(4) }).prefault({}),
    })
    .prefault({}),
  volumes: z
    .strictObject({
      exclude: z
        .array(
          z.strictObject({
            volume: volumePattern,
            reason: z.string().min(1).describe("Shown wherever the volume is missing."),
          }),
        )
        .default([])
        .describe("Volumes whose absence is no gap."),
      expectEmpty: z.array(volumePattern).default([]).describe("Volumes for which an empty copy is a good one."),
    })
    .prefault({}),
});

/** holdfast.yaml, complete with defaults. */
export type Config = z.output<typeof configSchema>;
export type SecretReference = z.output<typeof secretReference>;
export type CredentialsReference = z.output<typeof credentials>;
