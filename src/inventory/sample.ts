/** Volumes, mounts, copies and points for tests: whole objects of which a test names only what matters to it. */
import type { Copy, CopyEvidence } from "../model/copy.ts";
import type { PointDetails } from "../model/point.ts";
import type { Mount, Volume } from "../model/volume.ts";

export const aMount = (part: Partial<Mount> = {}): Mount => ({
  pod: "sonarr-1",
  podUid: "pod-1",
  node: "node",
  phase: "Running",
  workload: { kind: "Deployment", name: "sonarr" },
  volume: "config",
  by: "main",
  excludedByAnnotation: false,
  ...part,
});

export const aVolume = (part: Partial<Volume> = {}): Volume => ({
  namespace: "media",
  claim: "sonarr-config",
  claimUid: "claim-1",
  phase: "Bound",
  storageClass: "nas-iscsi",
  volumeMode: "Filesystem",
  accessModes: ["ReadWriteOnce"],
  capacity: 2 ** 30,
  created: "2026-11-01T00:00:00Z",
  deleting: false,
  excludedByLabel: false,
  backing: {
    name: "pv-1",
    uid: "pv-uid-1",
    reclaimPolicy: "Delete",
    source: "csi",
    driver: "org.democratic-csi.iscsi",
    handle: "pvc-1",
  },
  mounts: [aMount()],
  workloads: [{ kind: "Deployment", name: "sonarr" }],
  ...part,
});

export const aCopy = (part: Partial<Copy> = {}): Copy => ({
  volume: "media/sonarr-config",
  namespace: "media",
  claim: "sonarr-config",
  point: "p1",
  backup: "holdfast-p1",
  snapshotId: "snap-1",
  repository: "media",
  bytes: 1000,
  time: 1000,
  ok: true,
  problem: undefined,
  lineage: "org.democratic-csi.iscsi:pvc-1",
  ...part,
});

export const someEvidence = (part: Partial<CopyEvidence> = {}): CopyEvidence => ({
  snapshotId: "snap-1",
  verdict: "verified",
  time: 2000,
  files: 10,
  directories: 2,
  symlinks: 1,
  bytes: 1000,
  databases: 1,
  problems: [],
  leftOut: [],
  ...part,
});

export const aPoint = (part: Partial<PointDetails> = {}): PointDetails => ({
  id: "p1",
  backup: "holdfast-p1",
  ours: true,
  phase: "Completed",
  started: 500,
  ended: 1000,
  errors: 0,
  warnings: 0,
  unreadable: [],
  copies: [aCopy()],
  skipped: {},
  evidence: {},
  ...part,
});
