/** Velero's phases. Source: pkg/apis/velero/v1, Velero 1.18. */

const terminal: ReadonlySet<string> = new Set([
  "Completed",
  "PartiallyFailed",
  "Failed",
  "FailedValidation",
  "Canceled",
]);

/** True when Velero will not change the object by itself any more. Holds for backups, restores and volume transfers. */
export const isTerminal = (phase: string): boolean => terminal.has(phase);

/** True when the backup's files are all in the bucket, with whatever gaps it reports. */
export const isUsable = (phase: string): boolean => phase === "Completed" || phase === "PartiallyFailed";
