/** One Velero backup as the bucket has it. The cluster's Backup object may say more than was ever stored; this does not. */
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { z } from "zod";
import { Failure, messageOf } from "../../model/failure.ts";
import type { Bucket } from "../s3/port.ts";
import { backupKey, backupsPrefix, podVolumeBackupsKey, resultsKey, volumeInfoKey } from "./bucket-layout.ts";

const unzip = promisify(gunzip);

const metadata = z.looseObject({
  name: z.string(),
  namespace: z.string().optional(),
  labels: z.record(z.string(), z.string()).optional(),
  annotations: z.record(z.string(), z.string()).optional(),
});

const backupSchema = z.looseObject({
  metadata,
  spec: z.looseObject({ storageLocation: z.string().optional() }).optional(),
  status: z
    .looseObject({
      phase: z.string().optional(),
      startTimestamp: z.string().optional(),
      completionTimestamp: z.string().optional(),
      errors: z.number().optional(),
      warnings: z.number().optional(),
      failureReason: z.string().optional(),
    })
    .optional(),
});

const podVolumeBackupSchema = z.looseObject({
  metadata,
  spec: z.looseObject({
    pod: z.looseObject({ namespace: z.string().optional(), name: z.string().optional() }),
    volume: z.string(),
  }),
  status: z
    .looseObject({
      phase: z.string().optional(),
      snapshotID: z.string().optional(),
      message: z.string().optional(),
      completionTimestamp: z.string().nullish(),
      progress: z.looseObject({ totalBytes: z.number().optional(), bytesDone: z.number().optional() }).optional(),
    })
    .optional(),
});

const volumeInfoSchema = z.looseObject({
  pvcName: z.string().optional(),
  pvcNamespace: z.string().optional(),
  pvName: z.string().optional(),
  skipped: z.boolean().optional(),
  skippedReason: z.string().optional(),
  result: z.string().optional(),
});

const messages = z.looseObject({
  velero: z.array(z.string()).nullish(),
  cluster: z.array(z.string()).nullish(),
  namespaces: z.record(z.string(), z.array(z.string())).nullish(),
});
const resultsSchema = z.looseObject({ errors: messages.nullish(), warnings: messages.nullish() });

export type StoredBackup = z.output<typeof backupSchema>;
export type StoredPodVolumeBackup = z.output<typeof podVolumeBackupSchema>;
export type StoredVolumeInfo = z.output<typeof volumeInfoSchema>;
type StoredMessages = z.output<typeof messages>;

export interface BackupRecord {
  readonly name: string;
  readonly backup: StoredBackup;
  readonly podVolumeBackups: readonly StoredPodVolumeBackup[];
  readonly volumeInfos: readonly StoredVolumeInfo[];
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
  /** Keys that a finished backup has and this one lacks. */
  readonly missing: readonly string[];
}

/** Names of all backups in the bucket, in byte order. Cost: one list call for a thousand. */
export const backupNames = async (bucket: Bucket, prefix: string): Promise<readonly string[]> => {
  const names: string[] = [];
  for await (const folder of bucket.folders(backupsPrefix(prefix))) names.push(folder.split("/").at(-2) ?? "");
  return names.filter((name) => name !== "");
};

/** The Backup object as stored; undefined when the folder has none (a backup that began and never got that far). */
export const readStoredBackup = async (
  bucket: Bucket,
  prefix: string,
  name: string,
): Promise<StoredBackup | undefined> => {
  const key = backupKey(prefix, name);
  const content = await bucket.get(key);
  return content === undefined ? undefined : parse(key, content.body, backupSchema);
};

/** Everything about one backup. Throws COPY_CORRUPT, naming the key, when a part cannot be decoded. Cost: four reads. */
export const readBackup = async (bucket: Bucket, prefix: string, name: string): Promise<BackupRecord | undefined> => {
  const backup = await readStoredBackup(bucket, prefix, name);
  if (backup === undefined) return undefined;
  const missing: string[] = [];
  const zipped = async <T>(key: string, schema: z.ZodType<T>): Promise<T | undefined> => {
    const content = await bucket.get(key);
    if (content !== undefined) return parse(key, await unzipped(key, content.body), schema);
    missing.push(key);
    return undefined;
  };
  const [podVolumeBackups, volumeInfos, results] = await Promise.all([
    zipped(podVolumeBackupsKey(prefix, name), z.array(podVolumeBackupSchema).nullable()),
    zipped(volumeInfoKey(prefix, name), z.array(volumeInfoSchema).nullable()),
    zipped(resultsKey(prefix, name), resultsSchema),
  ]);
  return {
    name,
    backup,
    podVolumeBackups: podVolumeBackups ?? [],
    volumeInfos: volumeInfos ?? [],
    errors: texts(results?.errors),
    warnings: texts(results?.warnings),
    missing,
  };
};

const texts = (found: StoredMessages | null | undefined): readonly string[] => [
  ...(found?.velero ?? []),
  ...(found?.cluster ?? []),
  ...Object.entries(found?.namespaces ?? {}).flatMap(([namespace, lines]) =>
    lines.map((line) => `${namespace}: ${line}`),
  ),
];

const corrupt = (key: string, error: unknown): Failure =>
  new Failure("COPY_CORRUPT", {
    what: `The bucket's object ${key} cannot be read.`,
    why: messageOf(error),
    todo: "Nothing in this backup can be trusted. Old plugins (1.14.1, 1.14.2) store such objects: check Velero's plugin version, then back up again.",
    cause: error,
  });

const unzipped = async (key: string, body: Uint8Array): Promise<Uint8Array> => {
  try {
    return await unzip(body);
  } catch (error) {
    throw corrupt(key, error);
  }
};

const parse = <T>(key: string, body: Uint8Array, schema: z.ZodType<T>): T => {
  try {
    return schema.parse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body)));
  } catch (error) {
    throw corrupt(key, error instanceof z.ZodError ? z.prettifyError(error) : error);
  }
};
