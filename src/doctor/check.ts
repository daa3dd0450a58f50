/** One thing that doctor looks at, and what it says about it. */
import type { FailureCode } from "../model/failure-catalogue.ts";

export type CheckVerdict = "ok" | "warning" | "failed" | "unknown";

/** What a check saw. What is failed is thrown as a Failure instead, so that it has a code and says what to do. */
export interface Finding {
  readonly verdict: "ok" | "warning" | "unknown";
  readonly found: string;
  readonly todo?: string;
}

export interface Check {
  /** Stable, for scripts: "velero-version". */
  readonly id: string;
  readonly title: string;
  /** Ids of checks without which this one can say nothing. */
  readonly needs?: readonly string[];
  look(): Promise<Finding>;
}

export interface CheckResult {
  readonly id: string;
  readonly title: string;
  readonly verdict: CheckVerdict;
  readonly found: string;
  readonly todo?: string;
  /** Of a failed check. */
  readonly code?: FailureCode;
}

export const ok = (found: string): Finding => ({ verdict: "ok", found });
export const warning = (found: string, todo: string): Finding => ({ verdict: "warning", found, todo });
export const unknown = (found: string): Finding => ({ verdict: "unknown", found });
