/** A kit, and a bucket that it opens, for tests: a test names only what matters to it. */
import { parseConfig } from "../../config/read.ts";
import type { Config } from "../../config/schema.ts";
import { formatBlobPassword, scryptFormatBlob } from "../../systems/kopia/testing/format-blobs.ts";
import { MemoryBucket } from "../../systems/s3/memory.ts";
import { storeBackup } from "../../systems/velero/testing/stored-backup.ts";
import type { KitEvidence } from "../evidence.ts";
import type { Kit } from "../kit.ts";
import { makeKit } from "../make.ts";

/** Every secret of `aKit`, to look for where none may be. */
export const kitSecrets = [formatBlobPassword, "s3-secret", "nas-secret", "remover-secret"] as const;

const nasText = `
nas:
  kind: truenas
  url: wss://nas.lab
  user: holdfast
  key: { file: nas-key }
  remover: { user: holdfast-remover, key: { file: remover-key } }
  caFile: ca.pem
  parents: [tank/k8s/nfs/v]
`;

/** As holdfast.yaml of the cluster "home" has it. */
export const aConfig = (options: { readonly nas?: boolean } = {}): Config =>
  parseConfig(
    `
version: 1
cluster: { kubeconfig: kubeconfig }
bucket:
  { endpoint: "https://nas.lab:9000", name: homelab, prefix: velero, region: home, caFile: ca.pem, credentials: { file: keys } }
repository: { password: { file: password } }
holdfast: { cluster: home }
policy: { rpo: 36h }
${options.nas === false ? "" : nasText}`,
    "holdfast.yaml",
  );

const made = Date.UTC(2026, 10, 23, 12);

export const aKit = (options: { readonly nas?: boolean; readonly password?: string } = {}): Kit =>
  makeKit(
    aConfig(options),
    {
      s3: { accessKeyId: "s3-id", secretAccessKey: "s3-secret" },
      password: options.password ?? formatBlobPassword,
      bucketCa: "-----BEGIN CERTIFICATE-----\nbucket\n-----END CERTIFICATE-----\n",
      nas: options.nas === false ? undefined : { key: "nas-secret", remover: "remover-secret" },
      nasCa: "-----BEGIN CERTIFICATE-----\nnas\n-----END CERTIFICATE-----\n",
    },
    {
      now: made,
      uid: "uid-of-kube-system",
      versions: { holdfast: "0.1.0", kubernetes: "v1.33.4", velero: "v1.18.3" },
    },
  );

/** What `aKit` opens: one repository and one whole backup. */
export const aKitsBucket = async (): Promise<MemoryBucket> => {
  const bucket = new MemoryBucket({ now: () => made });
  bucket.seed("velero/kopia/media/kopia.repository", scryptFormatBlob);
  await storeBackup(bucket, { name: "holdfast-1" });
  return bucket;
};

/** The fingerprint of `formatBlobPassword` with the salt "salt", computed once: it takes a fifth of a second. */
const fingerprint = {
  algorithm: "scrypt-65536-8-1",
  salt: "salt",
  hash: "f5f5b2ee4827a1d56f91fe91fb84f2504842be04542d11232817a2d398e9c052",
} as const;

export const someKitEvidence = (part: Partial<KitEvidence> = {}): KitEvidence => ({
  version: 1,
  cluster: { name: "home", uid: "uid-of-kube-system" },
  time: made,
  sha256: "0".repeat(64),
  password: fingerprint,
  repositories: ["media"],
  backup: "holdfast-1",
  nas: "none",
  outside: true,
  ...part,
});
