import type { Copy, CopyEvidence } from "./copy.ts";

/** One recovery point: all copies cut together. A Velero backup that others made is adopted under its own name. */
export interface Point {
  /** Our id ("20261123t0845-x7k2"), or the backup's name when it is not ours. */
  readonly id: string;
  readonly backup: string;
  readonly ours: boolean;
  /** Ours, and made of some volumes only. */
  readonly partial?: boolean;
  /** Velero's phase as the bucket has it. */
  readonly phase: string;
  /** ms since 1970. */
  readonly started: number;
  readonly ended: number | undefined;
  readonly errors: number;
  readonly warnings: number;
  /** Parts of the backup that could not be read from the bucket. */
  readonly unreadable: readonly string[];
}

/** A point with all that is known of its copies. */
export interface PointDetails extends Point {
  readonly copies: readonly Copy[];
  /** Why Velero says it left a volume out, by "namespace/pvc". */
  readonly skipped: Readonly<Record<string, string>>;
  /** By "namespace/pvc". */
  readonly evidence: Readonly<Record<string, CopyEvidence>>;
}
