/**
 * A kopia repository that Velero made, opened read-only. One per source namespace.
 *
 * Contract: failures are `Failure`s (REPOSITORY_PASSWORD, REPOSITORY_FAILED, COPY_MISSING, COPY_CORRUPT, BUCKET_*);
 * nothing here ever writes to the repository; `close` releases processes and may be called twice.
 */
import type { TreeEntry } from "../../model/tree.ts";

/** One copy in the repository: what a PodVolumeBackup's snapshotID names. */
export interface KopiaSnapshot {
  /** The manifest's id. */
  readonly id: string;
  /** The tree's root directory as it was copied. */
  readonly root: CopyEntry;
  readonly files: number;
  readonly directories: number;
  readonly symlinks: number;
  /** Sum of the files' sizes. */
  readonly bytes: number;
  /** Files and directories that ignore rules left out. */
  readonly excluded: number;
  /** Entries that kopia left out because it could not read them; the first few with their reason. */
  readonly failed: number;
  readonly failures: readonly string[];
  /** Set when the copying was cut off. */
  readonly incomplete: string | undefined;
}

/** An entry of the copy's tree with the object that holds its content. */
export interface CopyEntry extends TreeEntry {
  readonly objectId: string;
}

export interface RestoreProgress {
  readonly files: number;
  readonly bytes: number;
}

export interface RestoreOptions {
  /** Files written at a time. */
  readonly parallel: number;
  /** Whether runs of zeros become holes. */
  readonly sparse: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: RestoreProgress) => void;
}

export interface Repository {
  /** COPY_MISSING when the id is not there. */
  snapshot(id: string): Promise<KopiaSnapshot>;
  /** Every entry below the root, level by level. Symbolic links come with their target. */
  entries(snapshot: KopiaSnapshot): AsyncIterable<CopyEntry>;
  /** Content of a file of the copy, from byte `from`. */
  read(entry: CopyEntry, from?: number): AsyncIterable<Uint8Array>;
  /** Checks that each content of these copies has its blob; reads `filesPercent` of the files back. COPY_CORRUPT if not. */
  verify(ids: readonly string[], filesPercent: number): Promise<void>;
  /**
   * Fetches the contents of these files for a restore that follows, many with one request. That takes their size in room
   * where kopia's cache lies.
   */
  prefetch(files: readonly CopyEntry[], signal: AbortSignal): Promise<void>;
  /** Writes the copy's tree into `directory`, which exists; what the copy does not name stays. */
  restore(snapshot: KopiaSnapshot, directory: string, options: RestoreOptions): Promise<void>;
  close(): Promise<void>;
}
