/**
 * Every failure that a user can meet, in one place. `docs/errors.md` is written from it (a test compares them).
 * Exit statuses: 1 failure · 2 usage · 3 partial · 4 not protected or RPO missed · 5 preflight refused ·
 * 6 verification failed · 10 no copy found · 11 locked · 130 interrupted.
 */
interface CatalogueEntry {
  readonly exit: 1 | 2 | 3 | 4 | 5 | 6 | 10 | 11 | 130;
  /** The family's meaning, for the list of errors in the documents. */
  readonly meaning: string;
  /** What to do, when the place that throws has nothing better to say. */
  readonly todo?: string;
}

const entry = (exit: CatalogueEntry["exit"], meaning: string, todo?: string): CatalogueEntry =>
  todo === undefined ? { exit, meaning } : { exit, meaning, todo };

export const catalogue = {
  USAGE: entry(2, "The command line is not understood.", "See --help of the command."),
  CONFIG_MISSING: entry(2, "No holdfast.yaml was found.", "Give --config FILE, set HOLDFAST_CONFIG, or write ./holdfast.yaml."),
  CONFIG_INVALID: entry(2, "holdfast.yaml cannot be used as it is written."),
  SECRET_UNREADABLE: entry(2, "A secret that holdfast.yaml refers to cannot be read."),
  KUBECONFIG_MISSING: entry(2, "No kubeconfig was found.", "Set KUBECONFIG or give --kubeconfig FILE."),
  KUBECONFIG_INVALID: entry(2, "The kubeconfig cannot be used."),
  NOT_INTERACTIVE: entry(2, "A change needs an answer, and there is no terminal to ask on.", "Add --yes after reading the plan of --dry-run."),
  NOT_CONFIRMED: entry(2, "The change was not confirmed; nothing was done."),
  KUBERNETES_UNREACHABLE: entry(1, "The API server does not answer."),
  KUBERNETES_UNTRUSTED: entry(1, "The API server's certificate is not trusted."),
  KUBERNETES_UNAUTHORIZED: entry(1, "The API server does not accept these credentials."),
  KUBERNETES_FORBIDDEN: entry(5, "An RBAC rule is missing."),
  KUBERNETES_CONFLICT: entry(1, "An object changed under our hands."),
  KUBERNETES_REFUSED: entry(1, "The API server refused a request."),
  BUCKET_UNREACHABLE: entry(1, "The S3 endpoint does not answer."),
  BUCKET_UNTRUSTED: entry(1, "The S3 endpoint's certificate is not trusted.", "Name the CA's file under bucket.caFile in holdfast.yaml."),
  BUCKET_DENIED: entry(1, "The S3 credentials are wrong or lack a right."),
  BUCKET_MISSING: entry(1, "The bucket does not exist."),
  BUCKET_CONFLICT: entry(1, "An object in the bucket changed under our hands."),
  BUCKET_REFUSED: entry(1, "The S3 endpoint refused a request."),
  REPOSITORY_PASSWORD: entry(1, "The repository password does not open the kopia repository."),
  REPOSITORY_FAILED: entry(1, "kopia could not read the repository."),
  VELERO_ABSENT: entry(5, "Velero is not installed in the cluster."),
  VELERO_TOO_OLD: entry(5, "This version of Velero is not supported."),
  VELERO_UNHEALTHY: entry(5, "Velero is installed but cannot work."),
  BACKUP_FAILED: entry(1, "Velero ended the backup without a usable copy."),
  BACKUP_PARTIAL: entry(3, "The backup lacks some volumes."),
  VERIFICATION_FAILED: entry(6, "What was read does not agree with what should be there."),
  NOT_PROTECTED: entry(4, "At least one volume has no good copy within the RPO."),
  VOLUME_UNKNOWN: entry(2, "There is no such volume."),
  VOLUME_AMBIGUOUS: entry(2, "The name fits several volumes."),
  NAMESPACE_UNKNOWN: entry(2, "There is no such namespace."),
  POINT_UNKNOWN: entry(10, "There is no such recovery point."),
  COPY_MISSING: entry(10, "The recovery point has no copy of this volume."),
  COPY_CORRUPT: entry(6, "The copy cannot be read whole."),
  TARGET_UNUSABLE: entry(5, "The target volume cannot be restored into as it is."),
  TARGET_TOO_SMALL: entry(5, "The copy does not fit into the target volume."),
  TARGET_IN_USE: entry(5, "Something uses the target volume that Holdfast cannot stop."),
  TARGET_ESCAPES: entry(5, "The way to the volume's files leads outside the volume."),
  APP_CAME_BACK: entry(1, "The app started again by itself during the restore."),
  APP_NOT_READY: entry(1, "The data is restored, but the app does not become Ready."),
  AGENT_FAILED: entry(1, "The short-lived pod that moves or checks data failed."),
  LOCKED: entry(11, "Another operation works on this volume."),
  TIMEOUT: entry(1, "Something took longer than --timeout allows."),
  INTERRUPTED: entry(130, "Interrupted."),
} as const satisfies Record<string, CatalogueEntry>;

/** The stable name of a failure, as printed and as documented. */
export type FailureCode = keyof typeof catalogue;
