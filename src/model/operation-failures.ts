/** What can go wrong with operations, with whose bucket it is, and with the kit. */
import { type CatalogueEntry, entry } from "./catalogue-entry.ts";

export const operationFailures = {
  OPERATION_UNKNOWN: entry(2, "There is no such operation.", "`holdfast operations list` lists them."),
  OPERATION_NOT_UNDOABLE: entry(
    5,
    "The operation cannot be undone any more, or never could.",
    "`holdfast operations show ID` says why. A recovery point may still have what you want: `holdfast points`.",
  ),
  OPERATION_UNFINISHED: entry(
    1,
    "An operation stopped in the middle.",
    "`holdfast resume ID` goes on with it, `holdfast undo ID` goes back. When its copy, volume or NAS is gone for good, `holdfast operations give-up ID` ends it where it stands.",
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
  GITOPS_NOT_FROZEN: entry(
    5,
    "What deploys from git cannot be made to stand still.",
    "Nothing was changed in the cluster's volumes. Switch the Application's automated sync off in git, then run it again.",
  ),
  NOT_DELETED: entry(2, "The volume is not deleted.", "`holdfast undelete --dry-run` lists what is."),
  UNDELETE_IMPOSSIBLE: entry(
    5,
    "A deleted volume cannot be brought back as it is.",
    "Nothing was changed. Remove what the message names, or restore a copy into a claim of another name: `holdfast restore --to`.",
  ),
  RETIRE_IMPOSSIBLE: entry(
    5,
    "A volume cannot be retired as things are.",
    "Nothing was changed. Do what the message says, then run it again.",
  ),
  TRASH_KEPT: entry(
    5,
    "A volume in the trash cannot be freed.",
    "Nothing was freed. The message says what keeps it; what else is named can be emptied without it.",
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
} as const satisfies Record<string, CatalogueEntry>;
