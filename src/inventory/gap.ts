/** Why Velero would make no copy of a volume as it stands now (facts: Velero's file-system backup, silent skips). */
import type { Mount, Volume } from "../model/volume.ts";

/** The reason's stable name; `text` says it for a person. */
export type GapCode =
  | "excluded"
  | "pending"
  | "deleting"
  | "block"
  | "host-path"
  | "not-mounted"
  | "init-only"
  | "pod-not-running";

export interface Gap {
  readonly code: GapCode;
  readonly text: string;
  /** A short-lived staging pod that mounts the claim lets Velero copy it. */
  readonly staging: boolean;
}

const gap = (code: GapCode, text: string, staging = false): Gap => ({ code, text, staging });

const running = (mount: Mount): boolean => mount.phase === "Running";

/** The first thing that stands in the way of a copy; undefined when Velero would take the volume as it is. */
export const gapOf = (volume: Volume): Gap | undefined => lastingGap(volume) ?? mountGap(volume.mounts);

/** What no staging pod can mend. */
const lastingGap = (volume: Volume): Gap | undefined => {
  if (volume.excludedByLabel) return gap("excluded", "labelled velero.io/exclude-from-backup");
  if (volume.deleting) return gap("deleting", "the claim is being deleted");
  if (volume.phase !== "Bound") return gap("pending", `the claim is ${volume.phase}: it has no data yet`);
  if (volume.volumeMode === "Block")
    return gap("block", "a raw block volume: Velero's file-system backup never reads those");
  if (volume.backing?.source === "hostPath") {
    return gap(
      "host-path",
      "a hostPath volume: Velero's file-system backup skips those; use a `local` volume or a CSI driver",
    );
  }
  return undefined;
};

const mountGap = (mounts: readonly Mount[]): Gap | undefined => {
  if (mounts.length === 0) return gap("not-mounted", "no pod mounts it", true);
  const usable = mounts.filter((mount) => mount.by === "main" && !mount.excludedByAnnotation);
  if (usable.some(running)) return undefined;
  if (usable.length > 0)
    return gap("pod-not-running", `its pod ${usable[0]?.pod ?? ""} is ${usable[0]?.phase ?? "not running"}`, true);
  if (mounts.every((mount) => mount.excludedByAnnotation))
    return gap("excluded", "taken out by the pod's annotation backup.velero.io/backup-volumes-excludes");
  return gap("init-only", "only init containers mount it, and Velero looks at main containers", true);
};
