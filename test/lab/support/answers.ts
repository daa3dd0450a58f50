/** What the CLI prints as JSON, as far as the lab's tests look at it. */
export interface EvidenceAnswer {
  readonly verdict: string;
  readonly files: number;
  readonly databases: number;
  readonly problems: readonly string[];
  readonly leftOut: readonly string[];
}

export interface StatusRow {
  readonly volume: string;
  readonly workloads: readonly string[];
  readonly verdict: string;
  readonly withinRpo: boolean;
  readonly excluded: boolean;
  readonly reason?: string;
  readonly ageSeconds?: number;
  readonly copy?: { readonly point: string; readonly bytes: number };
  readonly evidence?: EvidenceAnswer;
}

export interface StatusAnswer {
  readonly source: "cluster" | "backup";
  readonly lastKnown?: { readonly backup: string; readonly because: string };
  readonly protected: boolean;
  readonly kit: { readonly proven: boolean; readonly reason: string; readonly checked?: string };
  readonly volumes: readonly StatusRow[];
}

export interface PointRow {
  readonly id: string;
  readonly backup: string;
  readonly ours: boolean;
  readonly phase: string;
  readonly started: string;
  readonly ended?: string;
  readonly verified: number;
  readonly stored: number;
  readonly failed: number;
}

export interface PointsAnswer {
  readonly points: readonly PointRow[];
}

export interface PointAnswer extends PointRow {
  readonly copies: readonly {
    readonly volume: string;
    readonly verdict: string;
    readonly snapshotId?: string;
    readonly time: string;
    readonly evidence?: EvidenceAnswer;
  }[];
  readonly skipped: Readonly<Record<string, string>>;
}

export interface WhyAnswer {
  readonly volume: string;
  readonly verdict?: string;
  readonly reason?: string;
  readonly excluded?: boolean;
  readonly gap?: { readonly code: string; readonly text: string };
  readonly copies: readonly { readonly point: string; readonly verdict: string; readonly note: string }[];
}

export interface OperationAnswer {
  readonly id: string;
  readonly verb: string;
  readonly status: "forward" | "back" | "done" | "as-before" | "undone" | "settled";
  readonly began: string;
  readonly volumes: readonly string[];
  readonly setAside: readonly { readonly volume: string; readonly where: string; readonly bytes?: number }[];
  readonly until?: string;
}

export interface OperationsAnswer {
  readonly operations: readonly OperationAnswer[];
  readonly unreadable: readonly object[];
}

/** What --json prints on standard output. */
export interface PlanLine {
  readonly type: "plan";
  readonly plan: {
    readonly volumes: readonly { readonly source: string; readonly target: string; readonly point: string }[];
    readonly stops: readonly { readonly kind: string; readonly name: string; readonly replicas: number }[];
    readonly warnings: readonly string[];
  };
}

export interface RestoredVolume {
  readonly volume: string;
  readonly files: number;
  readonly databases: number;
  readonly notKept: readonly string[];
}

export interface RestoreResult {
  readonly type: "result";
  readonly operation: string;
  readonly volumes: readonly RestoredVolume[];
}

export interface BackupResult {
  readonly type: "result";
  readonly point: string;
  readonly backup: string;
  readonly volumes: readonly { readonly volume: string; readonly verdict: string; readonly files: number }[];
  readonly missing: Readonly<Record<string, string>>;
  readonly failed: Readonly<Record<string, string>>;
  readonly uncopied: readonly { readonly volume: string; readonly why: string; readonly expected: boolean }[];
}
