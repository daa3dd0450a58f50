/**
 * A kopia repository that Velero made, opened read-only. One per source namespace.
 *
 * Contract: failures are `Failure`s (REPOSITORY_PASSWORD, REPOSITORY_FAILED, COPY_MISSING, COPY_CORRUPT, BUCKET_*);
 * nothing here ever writes to the repository; `close` releases processes and scratch files and may be called twice.
 */
import type { TreeEntry } from "../../model/tree.ts";

/** One copy in the repository: what a PodVolumeBackup's snapshotID names. */
export interface KopiaSnapshot {
  /** The manifest's id. */
  readonly id: string;
  readonly startTime: string;
  readonly endTime: string;
  /** Object id of the tree's root directory. */
  readonly rootObject: string;
  readonly files: number;
  readonly directories: number;
  readonly bytes: number;
  /** Entries that kopia left out because of errors. */
  readonly failed: number;
  readonly description: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** An entry of the copy's tree with the object that holds its content. */
export interface CopyEntry extends TreeEntry {
  readonly objectId: string;
}

export interface RestoreProgress {
  readonly files: number;
  readonly bytes: number;
}

export interface Repository {
  snapshots(): Promise<readonly KopiaSnapshot[]>;
  /** COPY_MISSING when the id is not there. */
  snapshot(id: string): Promise<KopiaSnapshot>;
  /** Every entry below the root, parents before children, names in byte order within a directory. */
  entries(snapshot: KopiaSnapshot): AsyncIterable<CopyEntry>;
  /** Content of a file of the copy. */
  read(entry: CopyEntry): AsyncIterable<Uint8Array>;
  /** Checks that each content of these copies has its blob; reads `filesPercent` of the files back. COPY_CORRUPT if not. */
  verify(ids: readonly string[], filesPercent: number): Promise<void>;
  /** Writes the copy's tree into `directory`, which exists; what the copy does not name stays. */
  restore(
    snapshot: KopiaSnapshot,
    directory: string,
    options: { readonly parallel: number; readonly onProgress?: (progress: RestoreProgress) => void },
  ): Promise<void>;
  close(): Promise<void>;
}
