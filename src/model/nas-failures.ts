/** What can go wrong with the NAS, and with finding what on it belongs to a volume. */
import { type CatalogueEntry, entry } from "./catalogue-entry.ts";

export const nasFailures = {
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
} as const satisfies Record<string, CatalogueEntry>;
