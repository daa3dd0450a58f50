/** Where Velero keeps what in its bucket. Source: pkg/persistence/object_store_layout.go, Velero 1.18. */

/** Velero's prefix as keys need it: empty, or ending in one slash. */
export const normalPrefix = (prefix: string | undefined): string => {
  const trimmed = (prefix ?? "").replaceAll(/^\/+|\/+$/g, "");
  return trimmed === "" ? "" : `${trimmed}/`;
};

export const backupsPrefix = (prefix: string): string => `${prefix}backups/`;

const part = (prefix: string, backup: string, file: string): string => `${backupsPrefix(prefix)}${backup}/${file}`;

export const backupKey = (prefix: string, backup: string): string => part(prefix, backup, "velero-backup.json");
export const volumeInfoKey = (prefix: string, backup: string): string =>
  part(prefix, backup, `${backup}-volumeinfo.json.gz`);
export const podVolumeBackupsKey = (prefix: string, backup: string): string =>
  part(prefix, backup, `${backup}-podvolumebackups.json.gz`);
export const resultsKey = (prefix: string, backup: string): string => part(prefix, backup, `${backup}-results.gz`);
export const resourceListKey = (prefix: string, backup: string): string =>
  part(prefix, backup, `${backup}-resource-list.json.gz`);
export const contentsKey = (prefix: string, backup: string): string => part(prefix, backup, `${backup}.tar.gz`);

/** Below it lies one kopia repository for each namespace. */
export const repositoriesPrefix = (prefix: string): string => `${prefix}kopia/`;

/** Prefix of the kopia repository that holds a namespace's volumes. */
export const repositoryPrefix = (prefix: string, namespace: string): string =>
  `${repositoriesPrefix(prefix)}${namespace}/`;
