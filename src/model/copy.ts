/** How far the evidence goes for one copy of one volume (design §2). */
export type Verdict = "missing" | "stored" | "verified" | "proven" | "failed" | "stale";

/** One copy of one volume in one recovery point, in the layer `velero`. */
export interface Copy {
  /** "namespace/pvc" at the time of the copy. */
  readonly volume: string;
  readonly namespace: string;
  readonly claim: string;
  /** The recovery point's id. */
  readonly point: string;
  /** Velero's backup. */
  readonly backup: string;
  /** The PodVolumeBackup's snapshotID: kopia's manifest id. Undefined when nothing was stored. */
  readonly snapshotId: string | undefined;
  /** Kopia repository of the copy: the namespace that the pod was in. */
  readonly repository: string;
  /** Bytes of the tree when it was read; undefined when unknown. */
  readonly bytes: number | undefined;
  /** When the copying of this volume ended, ms since 1970. */
  readonly time: number;
  readonly ok: boolean;
  /** Why there is no copy although the backup saw the volume. */
  readonly problem: string | undefined;
  /** The volume's lineage at the time (`lineage.ts`); "pv:NAME" where only Velero recorded it. */
  readonly lineage: string | undefined;
}

/** What verification saw of one copy. Kept in the bucket under `points/<point>.json`. */
export interface CopyEvidence {
  /** Empty for the copy of an empty volume, of which Velero stores nothing. */
  readonly snapshotId: string;
  readonly verdict: "verified" | "failed";
  /** When it was looked at, ms since 1970. */
  readonly time: number;
  readonly files: number;
  readonly directories: number;
  readonly symlinks: number;
  readonly bytes: number;
  /** SQLite files of the copy that were opened and checked. */
  readonly databases: number;
  /** What is wrong; empty when verified. */
  readonly problems: readonly string[];
  /** What the copy lacks on purpose of somebody: ignore files, cache directories, entries kopia cannot keep. */
  readonly leftOut: readonly string[];
}
