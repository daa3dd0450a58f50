/** Restore plans for tests: whole ones, of which a test names only what matters to it. */
import { aCopy, aPoint, aVolume } from "../../inventory/sample.ts";
import type { RestoreItem, RestorePlan, Stop } from "../plan.ts";

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

export const aPlan = (part: Partial<RestorePlan> = {}): RestorePlan => ({
  operation: "op1",
  mover: "kopia",
  items: [anItem()],
  stops: [aStop()],
  blockers: [],
  warnings: [],
  steps: [],
  ...part,
});
