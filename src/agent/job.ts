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

/** A volume that a job works on. */
export interface MountedVolume {
  /** The volume is mounted under /volumes/<key>. */
  readonly key: string;
  /** "namespace/pvc", for messages. */
  readonly volume: string;
}

export interface TargetVolume extends CopyReference, MountedVolume {}

/**
 * Replaces volumes' trees by copies, and keeps the earlier ones in the volumes. "whole" does everything; with the node-agent mover, which writes the files itself,
 * "before" sets the present files aside and "after" compares and finishes.
 * Run again with the same operation it mends whatever it finds; once one volume is decided for the new files it only
 * finishes the others.
 */
export interface ReplaceJob {
  readonly kind: "replace";
  readonly part: "whole" | "before" | "after";
  readonly store: StoreReference;
  readonly operation: string;
  readonly targets: readonly TargetVolume[];
}

/**
 * Puts back what a replacement or an exchange has set aside, whatever its operation. What one volume shows as decided is
 * finished instead; "decided" is said when that is true of the operation named here.
 */
export interface PutBackJob {
  readonly kind: "put-back";
  readonly operation: string;
  readonly targets: readonly MountedVolume[];
}

/** Reports what lies in volumes, and how much room there is; changes nothing. Cost: one `lstat` for each entry. */
export interface LookJob {
  readonly kind: "look";
  readonly targets: readonly MountedVolume[];
}

/**
 * Undo: what `kept` has kept comes back, and the present files are kept under `operation`. So the same job with both
 * names exchanged undoes the undo. Run again it mends whatever it finds, like "replace".
 */
export interface SwapJob {
  readonly kind: "swap";
  /** The operation that does the exchange. */
  readonly operation: string;
  /** The operation whose kept files come back. */
  readonly kept: string;
  readonly targets: readonly MountedVolume[];
}

/** Removes, for good, what the named operations have kept. May be run again; what is not there is no error. */
export interface DiscardJob {
  readonly kind: "discard";
  readonly operations: readonly string[];
  readonly targets: readonly MountedVolume[];
}

/**
 * For volumes that cannot hold their present files beside the copy. "prove" reads each copy through, looks whether it would
 * fit, and changes nothing; "remove" removes the present files for good. What earlier operations keep stays. Both may be
 * run again.
 */
export interface ClearJob {
  readonly kind: "clear";
  readonly part: "prove" | "remove";
  readonly store: StoreReference;
  readonly targets: readonly TargetVolume[];
}

export type AgentJob = CheckJob | ReplaceJob | PutBackJob | LookJob | SwapJob | DiscardJob | ClearJob;
