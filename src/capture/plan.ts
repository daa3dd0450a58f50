/** What a backup of everything will copy, with what help, and what it cannot copy. Pure. */
import { type Gap, gapOf } from "../inventory/gap.ts";
import type { Exclusion } from "../inventory/coverage.ts";
import { type Volume, volumeName } from "../model/volume.ts";

export interface StagedVolume {
  readonly volume: Volume;
  readonly why: string;
}

export interface UncopiedVolume {
  readonly volume: Volume;
  readonly why: string;
  /** True when it is left out on purpose or has no data yet, so that its absence is no fault of the backup. */
  readonly expected: boolean;
}

export interface CapturePlan {
  /** Velero copies these through the pods that mount them. */
  readonly mounted: readonly Volume[];
  /** Velero copies these through short-lived staging pods. */
  readonly staged: readonly StagedVolume[];
  readonly uncopied: readonly UncopiedVolume[];
}

const withoutData: ReadonlySet<Gap["code"]> = new Set(["excluded", "pending", "deleting"] as const);

/** Sorts every volume into one of three lists. Cost: volumes × exclusions. */
export const planCapture = (volumes: readonly Volume[], exclusions: readonly Exclusion[]): CapturePlan => {
  const mounted: Volume[] = [];
  const staged: StagedVolume[] = [];
  const uncopied: UncopiedVolume[] = [];
  for (const volume of volumes) {
    const exclusion = exclusions.find((candidate) => candidate.matches(volume));
    const gap = gapOf(volume);
    if (gap === undefined) mounted.push(volume);
    else if (gap.staging && exclusion === undefined) staged.push({ volume, why: gap.text });
    else
      uncopied.push({
        volume,
        why: exclusion?.reason ?? gap.text,
        expected: exclusion !== undefined || withoutData.has(gap.code),
      });
  }
  return { mounted, staged, uncopied };
};

/** Volumes that the backup must contain to be whole. */
export const expectedVolumes = (plan: CapturePlan): readonly string[] =>
  [...plan.mounted, ...plan.staged.map(({ volume }) => volume)].map(volumeName);
