/** Restore plans for tests: whole ones, of which a test names only what matters to it. */
import { aCopy, aPoint, aVolume } from "../../inventory/sample.ts";
import type { ReplaceTask } from "../movers/replacement.ts";
import { type PlanInput, planRestore, type RestoreItem, type RestorePlan, type Stop } from "../plan.ts";

export const anItem = (part: Partial<RestoreItem> = {}): RestoreItem => ({
  key: "v1",
  source: "media/sonarr-config",
  chosen: { copy: aCopy(), point: aPoint(), evidence: undefined, why: "the newest good copy" },
  target: aVolume(),
  inPlace: true,
  ...part,
});

export const aStop = (part: Partial<Stop> = {}): Stop => ({
  kind: "Deployment",
  namespace: "media",
  name: "sonarr",
  replicas: 1,
  ...part,
});

/** The plan of a restore of these volumes, as `planRestore` makes it. */
export const aPlan = (part: Partial<Omit<PlanInput, "replicasOf">> = {}, replicas = 1): RestorePlan =>
  planRestore({
    mover: "kopia",
    items: [anItem()],
    keepFor: "7d",
    makeRoom: false,
    replicasOf: () => replicas,
    ...part,
  });

/** What a mover is asked to do. */
export const aTask: ReplaceTask = {
  operation: "op1",
  items: [{ key: "v1", namespace: "media", claim: "sonarr-config", repository: "media", snapshotId: "snap-1" }],
};
