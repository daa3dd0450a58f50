/**
 * Every failure that a user can meet, in one place. `docs/errors.md` is written from it (a test compares them).
 * Exit statuses: 1 failure · 2 usage · 3 partial · 4 not protected or RPO missed · 5 preflight refused ·
 * 6 verification failed · 10 no copy found · 11 locked · 130 interrupted.
 */
import { type CatalogueEntry, entry } from "./catalogue-entry.ts";
import { nasFailures } from "./nas-failures.ts";
import { operationFailures } from "./operation-failures.ts";

export const catalogue = {
  USAGE: entry(2, "The command line is not understood.", "See --help of the command."),
  CONFIG_MISSING: entry(
    2,
    "No holdfast.yaml was found.",
    "Give --config FILE, set HOLDFAST_CONFIG, or write ./holdfast.yaml.",
  ),
  CONFIG_INVALID: entry(
    2,
    "holdfast.yaml cannot be used as it is written.",
    "Correct the lines that the message shows; docs/set-up.md explains every setting.",
  ),
  SECRET_UNREADABLE: entry(
    2,
    "A secret that holdfast.yaml refers to cannot be read.",
    "Put the secret where the setting points, or let the setting point to where it is. Nothing else was tried.",
  ),
  KUBECONFIG_MISSING: entry(2, "No kubeconfig was found.", "Set KUBECONFIG or give --kubeconfig FILE."),
  KUBECONFIG_INVALID: entry(
    2,
    "The kubeconfig cannot be used.",
    "Try it with `kubectl --kubeconfig FILE get nodes`; another context is chosen with --context NAME.",
  ),
  NOT_INTERACTIVE: entry(
    2,
    "A change needs an answer, and there is no terminal to ask on.",
    "Add --yes after reading the plan of --dry-run.",
  ),
  NOT_CONFIRMED: entry(
    2,
    "The change was not confirmed; nothing was done.",
    "Run it again, and type the volume's name when it is the right one.",
  ),
  KUBERNETES_UNREACHABLE: entry(
    1,
    "The API server does not answer.",
    "`kubectl get nodes` must work first. `holdfast status` and `holdfast points` need only the bucket.",
  ),
  KUBERNETES_UNTRUSTED: entry(
    1,
    "The API server's certificate is not trusted.",
    "Put the cluster's CA into the kubeconfig, and use a server name that its certificate has.",
  ),
  KUBERNETES_UNAUTHORIZED: entry(
    1,
    "The API server does not accept these credentials.",
    "Renew the kubeconfig's credentials; `kubectl auth whoami` shows who you are.",
  ),
  KUBERNETES_FORBIDDEN: entry(
    5,
    "An RBAC rule is missing.",
    "Grant the rule that the message names; `holdfast doctor` lists all that are missing.",
  ),
  KUBERNETES_CONFLICT: entry(
    1,
    "An object changed under our hands.",
    "Somebody else changes the same object: find out who (a GitOps tool, an operator), then run it again.",
  ),
  KUBERNETES_REFUSED: entry(
    1,
    "The API server refused a request.",
    "Read the server's reason in the message; an admission policy or a quota is the usual one.",
  ),
  BUCKET_UNREACHABLE: entry(
    1,
    "The S3 endpoint does not answer.",
    "Is the store on, and is bucket.endpoint in holdfast.yaml right?",
  ),
  BUCKET_UNTRUSTED: entry(
    1,
    "The S3 endpoint's certificate is not trusted.",
    "Name the CA's file under bucket.caFile in holdfast.yaml.",
  ),
  BUCKET_DENIED: entry(
    1,
    "The S3 credentials are wrong or lack a right.",
    "Check the keys that bucket.credentials names, the rights that they have on the bucket, and this machine's clock.",
  ),
  BUCKET_MISSING: entry(1, "The bucket does not exist.", "Create it, or correct bucket.name in holdfast.yaml."),
  BUCKET_CONFLICT: entry(
    1,
    "An object in the bucket changed under our hands.",
    "Another Holdfast writes to the same place: run it again when that one is done.",
  ),
  BUCKET_REFUSED: entry(
    1,
    "The S3 endpoint refused a request.",
    "Read the store's reason in the message. bucket.endpoint must name the store's S3 port, not its web page.",
  ),
  REPOSITORY_PASSWORD: entry(
    1,
    "The repository password does not open the kopia repository.",
    "Use the password of the Velero that made the repository: Secret velero-repo-credentials in Velero's namespace. Without it the copies are closed for everyone.",
  ),
  REPOSITORY_FAILED: entry(
    1,
    "kopia could not read the repository.",
    "`holdfast doctor` tells store and repository apart; kopia's own reason is in the message.",
  ),
  VELERO_ABSENT: entry(
    5,
    "Velero is not installed in the cluster.",
    "Install it as docs/set-up.md shows, or correct velero.namespace in holdfast.yaml.",
  ),
  VELERO_TOO_OLD: entry(5, "This version of Velero is not supported.", "Upgrade Velero to 1.18."),
  VELERO_UNHEALTHY: entry(
    5,
    "Velero is installed but cannot work.",
    "`holdfast doctor` says which part; `kubectl -n velero logs deployment/velero` says why.",
  ),
  BACKUP_FAILED: entry(
    1,
    "Velero ended the backup without a usable copy.",
    "Read the reason in the message, or `velero backup logs NAME`; older recovery points are untouched.",
  ),
  BACKUP_INTERRUPTED: entry(
    1,
    "Velero ended while it made the backup.",
    "Make another one: `holdfast backup --wait`. `kubectl -n velero describe pods` and `kubectl -n velero logs deployment/velero --previous` say why it ended: want of memory, a node that restarted, an upgrade.",
  ),
  BACKUP_PARTIAL: entry(
    3,
    "The backup lacks some volumes.",
    "`holdfast why VOLUME` says what stands in the way of each that is missing.",
  ),
  VERIFICATION_FAILED: entry(
    6,
    "What was read does not agree with what should be there.",
    "Do not count on this copy. Make a new backup; if it fails again, suspect the store or its disks.",
  ),
  NOT_PROTECTED: entry(
    4,
    "At least one volume has no good copy within the RPO.",
    "`holdfast why VOLUME` explains one; `holdfast backup --wait` makes a new recovery point.",
  ),
  VOLUME_UNKNOWN: entry(2, "There is no such volume.", "`holdfast status -o name` lists all volumes."),
  VOLUME_AMBIGUOUS: entry(2, "The name fits several volumes.", "Write it with its namespace: namespace/pvc."),
  NAMESPACE_UNKNOWN: entry(
    2,
    "There is no such namespace.",
    "`holdfast status` lists the namespaces that have volumes.",
  ),
  POINT_UNKNOWN: entry(10, "There is no such recovery point.", "`holdfast points` lists them."),
  COPY_MISSING: entry(
    10,
    "The recovery point has no copy of this volume.",
    "`holdfast why VOLUME` lists the points that have one.",
  ),
  COPY_CORRUPT: entry(
    6,
    "The copy cannot be read whole.",
    "Take another point: `holdfast points`. Then make a new backup, and check the store.",
  ),
  TARGET_UNUSABLE: entry(
    5,
    "The target volume cannot be restored into as it is.",
    "Change what the message names, or restore into another claim with --to.",
  ),
  TARGET_TOO_SMALL: entry(
    5,
    "The copy does not fit into the target volume.",
    "The present and the restored files must fit side by side. Free space, grow the volume, restore into a larger claim with --to, or let the present files go first with --make-room (NO UNDO).",
  ),
  TARGET_IN_USE: entry(
    5,
    "Something uses the target volume that Holdfast cannot stop.",
    "Stop what the message names, then restore again.",
  ),
  TARGET_ESCAPES: entry(
    5,
    "The way to the volume's files leads outside the volume.",
    "Nothing was written. Look at the symbolic link or mount that the message names, and remove it.",
  ),
  APP_CAME_BACK: entry(
    1,
    "The app started again by itself during the restore.",
    "Pause what started it (Argo CD's self-healing, an operator, an autoscaler), then restore again. The present files are as they were.",
  ),
  APP_NOT_READY: entry(
    1,
    "The data is restored, but the app does not become Ready.",
    "Look at its pods with `kubectl describe` and `kubectl logs`: the cause lies outside the volume.",
  ),
  AGENT_FAILED: entry(
    1,
    "The short-lived pod that moves or checks data failed.",
    "Read the pod's reason in the message. An image that cannot be pulled and a Pod Security policy are the usual ones.",
  ),
  ...nasFailures,
  ...operationFailures,
  LOCKED: entry(11, "Another operation works on this volume.", "Wait until that operation has ended, or end it."),
  TIMEOUT: entry(
    1,
    "Something took longer than --timeout allows.",
    "See what it waited for in the message; give more time with --timeout 30m.",
  ),
  INTERRUPTED: entry(
    130,
    "Interrupted.",
    "A restore puts the present files back before it ends. Run it again when you are ready.",
  ),
} as const satisfies Record<string, CatalogueEntry>;

/** The stable name of a failure, as printed and as documented. */
export type FailureCode = keyof typeof catalogue;
