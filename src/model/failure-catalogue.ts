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
  readonly todo: string;
}

const entry = (exit: CatalogueEntry["exit"], meaning: string, todo: string): CatalogueEntry => ({
  exit,
  meaning,
  todo,
});

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
    "The present and the restored files must fit side by side. Free space, grow the volume, or restore into a larger claim with --to.",
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
  NAS_UNREACHABLE: entry(
    1,
    "The NAS does not answer.",
    "Is it on, and is nas.url in holdfast.yaml right? Files and copies are as they were.",
  ),
  NAS_UNTRUSTED: entry(
    1,
    "The NAS' certificate or host key is not the one that is trusted.",
    "Name the CA's file under nas.caFile, or the host key under nas.hostKey, in holdfast.yaml.",
  ),
  NAS_INSECURE: entry(
    2,
    "The connection to the NAS would not be encrypted.",
    "Use wss:// or https:// in nas.url: TrueNAS revokes every API key that it sees in clear.",
  ),
  NAS_UNAUTHORIZED: entry(
    1,
    "The NAS does not accept these credentials.",
    "Check the user and the key under nas in holdfast.yaml; docs/nas/ says how to make them.",
  ),
  NAS_KEY_REVOKED: entry(
    1,
    "The API key has expired or was revoked.",
    "Make a new key on the NAS. TrueNAS revokes a key that was ever sent without encryption: look for who does that.",
  ),
  NAS_FORBIDDEN: entry(
    5,
    "The credential lacks a right on the NAS.",
    "Grant the role that the message names; docs/nas/ lists what is needed, and what should not be given.",
  ),
  NAS_VERSION_UNKNOWN: entry(
    5,
    "Holdfast does not know this version of the NAS.",
    "It was tried with TrueNAS 24.10 to 26. Nothing was changed.",
  ),
  NAS_UNSUPPORTED: entry(5, "The NAS cannot do this.", "The message says what does instead."),
  NAS_EXISTS: entry(
    1,
    "A name on the NAS is taken.",
    "Look at what has it: Holdfast never takes over what it did not make.",
  ),
  NAS_MISSING: entry(
    1,
    "Something is no longer on the NAS.",
    "Somebody removed or renamed it: see `holdfast why VOLUME`.",
  ),
  NAS_BUSY: entry(
    1,
    "Something on the NAS is in use or held.",
    "Stop what uses it, or release its hold, then run it again.",
  ),
  NAS_HAS_CLONES: entry(
    1,
    "A snapshot has clones, so it and its dataset must stay.",
    "The message names the clones. `holdfast settle` makes those of a restore independent.",
  ),
  NAS_HAS_CHILDREN: entry(
    1,
    "There are datasets below this one.",
    "Holdfast removes one dataset at a time, and only its own.",
  ),
  NAS_FULL: entry(
    1,
    "The pool or a quota of the NAS is full.",
    "Free space; `holdfast doctor` shows how much there is.",
  ),
  NAS_READ_ONLY: entry(
    1,
    "The pool cannot be written.",
    "`zpool status` on the NAS says why it is read-only or suspended. Nothing was changed.",
  ),
  NAS_NOT_OURS: entry(
    5,
    "What has this name on the NAS is not what Holdfast made.",
    "Nothing was removed. Look at it by hand before you do anything.",
  ),
  NAS_REFUSED: entry(1, "The NAS refused a request.", "Read its reason in the message."),
  DATASET_UNKNOWN: entry(
    5,
    "It is not known which dataset is behind the volume.",
    "`holdfast why VOLUME` shows what was looked at. Volumes of drivers that Holdfast does not know are restored from Velero's copies.",
  ),
  DATASET_AMBIGUOUS: entry(
    5,
    "Several datasets could be behind the volume.",
    "The message names them and what speaks for each: put right what is wrong on the NAS. Nothing is guessed.",
  ),
  OPERATION_UNKNOWN: entry(2, "There is no such operation.", "`holdfast operations list` lists them."),
  OPERATION_NOT_UNDOABLE: entry(
    5,
    "The operation cannot be undone any more, or never could.",
    "`holdfast operations show ID` says why. A recovery point may still have what you want: `holdfast points`.",
  ),
  OPERATION_UNFINISHED: entry(
    1,
    "An operation stopped in the middle.",
    "`holdfast resume ID` goes on with it, `holdfast undo ID` goes back.",
  ),
  JOURNAL_UNREADABLE: entry(
    1,
    "An operation's journal cannot be read.",
    "The message names the file. Its mirror in the bucket may be whole: `holdfast operations show ID` says so.",
  ),
  LOCK_LOST: entry(
    11,
    "The lock on a volume was lost while the operation ran.",
    "The machine slept, or the cluster was away for too long. `holdfast operations list` shows where it stands; `holdfast resume ID` goes on.",
  ),
  FENCED: entry(
    5,
    "The bucket belongs to another cluster.",
    "Nothing was written. If this is the old cluster's successor, settle it with `holdfast adopt`; else give it a bucket or a name of its own (holdfast.cluster).",
  ),
  KIT_MISSING: entry(
    4,
    "There is no kit, or none that was ever checked.",
    "`holdfast kit create`, then `holdfast kit check FILE`.",
  ),
  KIT_UNREADABLE: entry(1, "The kit cannot be opened.", "Is it the right file, and the right identity or passphrase?"),
  KIT_TOO_NEW: entry(1, "The kit was made by a newer Holdfast.", "Open it with that Holdfast, or with `age -d`."),
  KIT_OTHER_CLUSTER: entry(
    5,
    "The kit belongs to another cluster.",
    "Take the kit of this cluster, or name the holdfast.yaml of the kit's cluster with --config.",
  ),
  KIT_OUTDATED: entry(
    4,
    "The kit no longer has what the cluster uses today.",
    "Make a new one: `holdfast kit create`, then `holdfast kit check FILE`. Keep the old one for older backups.",
  ),
  KIT_NOT_WRITTEN: entry(
    1,
    "The kit was not written where --out says.",
    "Give another file with --out; --yes replaces one that is there.",
  ),
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
