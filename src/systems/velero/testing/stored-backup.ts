/** Puts a backup into a bucket as Velero stores it; a test names only what matters to it. */
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import type { MemoryBucket } from "../../s3/memory.ts";
import { backupKey, contentsKey, podVolumeBackupsKey, resultsKey, volumeInfoKey } from "../bucket-layout.ts";

export interface BackupParts {
  readonly name: string;
  /** Velero's prefix; "velero/" when absent. */
  readonly prefix?: string;
  /** Parts that are not stored at all. */
  readonly without?: readonly ("backup" | "podVolumeBackups" | "volumeInfos" | "results" | "contents")[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly status?: object;
  readonly podVolumeBackups?: unknown;
  readonly volumeInfos?: unknown;
  readonly results?: unknown;
  /** Objects of the archive by their path in it. */
  readonly contents?: Readonly<Record<string, unknown>>;
}

export const zippedJson = (value: unknown): Uint8Array => gzipSync(JSON.stringify(value));

/** A tar.gz as Velero makes it: text is stored as it is, anything else as JSON. */
export const archiveOf = async (files: Readonly<Record<string, unknown>>): Promise<Uint8Array> => {
  const archive = pack();
  for (const [name, content] of Object.entries(files)) {
    archive.entry({ name }, typeof content === "string" ? content : JSON.stringify(content));
  }
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return gzipSync(Buffer.concat(chunks));
};

/** A PodVolumeBackup of the claim media/sonarr-config, Completed unless said otherwise. */
export const aPodVolumeBackup = (part: { readonly claim?: string; readonly status?: object } = {}): object => ({
  metadata: {
    name: "pvb-1",
    namespace: "velero",
    creationTimestamp: null,
    annotations: { "velero.io/pvc-name": part.claim ?? "sonarr-config" },
  },
  spec: { pod: { kind: "Pod", namespace: "media", name: "sonarr-1" }, volume: "config", node: "node" },
  status: {
    phase: "Completed",
    snapshotID: "snap-1",
    startTimestamp: "2026-11-23T08:45:10Z",
    completionTimestamp: "2026-11-23T08:46:00Z",
    progress: { totalBytes: 1000, bytesDone: 1000 },
    ...part.status,
  },
});

export const storeBackup = async (bucket: MemoryBucket, parts: BackupParts): Promise<void> => {
  const { name, prefix = "velero/", without = [], labels = {} } = parts;
  const status = {
    phase: "Completed",
    startTimestamp: "2026-11-23T08:45:00Z",
    completionTimestamp: "2026-11-23T08:47:00Z",
    ...parts.status,
  };
  const backup = {
    kind: "Backup",
    metadata: { name, namespace: "velero", labels, creationTimestamp: null },
    spec: {},
    status,
  };
  const bodies = {
    backup: [backupKey(prefix, name), JSON.stringify(backup)],
    podVolumeBackups: [
      podVolumeBackupsKey(prefix, name),
      zippedJson(parts.podVolumeBackups === undefined ? [aPodVolumeBackup()] : parts.podVolumeBackups),
    ],
    volumeInfos: [volumeInfoKey(prefix, name), zippedJson(parts.volumeInfos === undefined ? [] : parts.volumeInfos)],
    results: [
      resultsKey(prefix, name),
      zippedJson(parts.results === undefined ? { errors: {}, warnings: {} } : parts.results),
    ],
    contents: [contentsKey(prefix, name), await archiveOf(parts.contents ?? {})],
  } as const;
  for (const [part, [key, body]] of Object.entries(bodies)) {
    if (!without.some((left) => left === part)) bucket.seed(key, body);
  }
};
