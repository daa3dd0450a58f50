/** The copies that a job puts into volumes, each with the volume that it goes into. */
import type { KopiaSnapshot, Repository } from "../systems/kopia/port.ts";
import type { TargetVolume } from "./job.ts";
import type { OpenRepository } from "./repositories.ts";
import type { Target } from "./target.ts";

export interface CopyForVolume {
  readonly volume: TargetVolume;
  readonly target: Target;
  readonly repository: Repository;
  readonly snapshot: KopiaSnapshot;
}

/** In the order of `volumes`, of which `targets` are the opened ones. Throws COPY_MISSING and what keeps a repository shut. */
export const openCopies = async (
  volumes: readonly TargetVolume[],
  targets: readonly Target[],
  open: OpenRepository,
): Promise<readonly CopyForVolume[]> => {
  // All at a time: opening one takes a second of deriving keys and reading indexes.
  await Promise.all([...new Set(volumes.map(({ repository }) => repository))].map(open));
  const copies: CopyForVolume[] = [];
  for (const [index, volume] of volumes.entries()) {
    const target = targets[index];
    if (target === undefined) continue;
    const repository = await open(volume.repository);
    copies.push({ volume, target, repository, snapshot: await repository.snapshot(volume.snapshotId) });
  }
  return copies;
};
