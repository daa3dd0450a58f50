/** What an agent pod is told to do: the content of /job/job.json. It names secrets' files, never secrets. */

/** The S3 store with Velero's repositories. */
export interface StoreReference {
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  /** Velero's prefix, empty or ending in "/". */
  readonly prefix: string;
  /** True when the file `ca.crt` beside the job holds the store's CA. */
  readonly privateCa: boolean;
}

/** One copy in a repository. */
export interface CopyReference {
  /** "namespace/pvc", for messages. */
  readonly volume: string;
  /** The kopia repository: the namespace that the volume was in. */
  readonly repository: string;
  readonly snapshotId: string;
}

/** Reads copies without touching any volume. */
export interface CheckJob {
  readonly kind: "check";
  readonly store: StoreReference;
  readonly copies: readonly CopyReference[];
  /** Share of files whose content is read back, 0 to 100. */
  readonly filesPercent: number;
}

export interface TargetVolume extends CopyReference {
  /** The volume is mounted under /volumes/<key>. */
  readonly key: string;
}

/**
 * Replaces volumes' trees by copies. "whole" does everything; with the node-agent mover, which writes the files itself,
 * "before" sets the present files aside and "after" compares and finishes.
 */
export interface ReplaceJob {
  readonly kind: "replace";
  readonly part: "whole" | "before" | "after";
  readonly store: StoreReference;
  readonly operation: string;
  readonly targets: readonly TargetVolume[];
}

/** Puts back what a replacement has set aside. */
export interface PutBackJob {
  readonly kind: "put-back";
  readonly targets: readonly { readonly key: string; readonly volume: string }[];
}

export type AgentJob = CheckJob | ReplaceJob | PutBackJob;
