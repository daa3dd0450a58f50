import { gzipSync } from "node:zlib";
import { beforeEach, describe, expect, it } from "vitest";
import { Failure } from "../model/failure.ts";
import type { Copy } from "../model/copy.ts";
import { MemoryBucket } from "../systems/s3/memory.ts";
import { aPodVolumeBackup, storeBackup } from "../systems/velero/testing/stored-backup.ts";
import { evidenceFor, verdictOf } from "./coverage.ts";
import { type PointsSource, readPoint, readPoints } from "./points.ts";
import { type PointRecord, writePointRecord } from "./records.ts";
import { someEvidence } from "./sample.ts";

const ours = { "holdfast.dev/point": "p1" };
const volume = "media/sonarr-config";

let bucket: MemoryBucket;
let source: PointsSource;
beforeEach(() => {
  bucket = new MemoryBucket({ now: () => 0 });
  source = { bucket, prefix: "velero/", cluster: "home" };
});

const aRecord = (part: Partial<PointRecord> = {}): PointRecord => ({
  version: 1,
  point: "p1",
  backup: "holdfast-p1",
  cluster: "uid",
  lineages: { [volume]: "driver:handle" },
  evidence: { [volume]: { ...someEvidence(), problems: [], leftOut: [] } },
  ...part,
});

const onlyCopy = async (name: string): Promise<Copy> => {
  const copies = (await readPoint(source, name))?.copies ?? [];
  expect(copies).toHaveLength(1);
  return copies[0]!;
};

const verdicts = async (name: string): Promise<readonly string[]> => {
  const point = await readPoint(source, name);
  return point?.copies.map((copy) => verdictOf(copy, evidenceFor(copy, point))) ?? [];
};

describe("a recovery point of ours", () => {
  it("joins what Velero stored with the record of the same point", async () => {
    await storeBackup(bucket, { name: "holdfast-p1", labels: ours, status: { errors: 1, warnings: 2 } });
    await writePointRecord(bucket, "home", aRecord(), undefined);
    expect(await readPoint(source, "holdfast-p1")).toEqual({
      id: "p1",
      backup: "holdfast-p1",
      ours: true,
      phase: "Completed",
      started: Date.UTC(2026, 10, 23, 8, 45),
      ended: Date.UTC(2026, 10, 23, 8, 47),
      errors: 1,
      warnings: 2,
      unreadable: [],
      copies: [
        {
          volume,
          namespace: "media",
          claim: "sonarr-config",
          point: "p1",
          backup: "holdfast-p1",
          snapshotId: "snap-1",
          repository: "media",
          bytes: 1000,
          time: Date.UTC(2026, 10, 23, 8, 46),
          ok: true,
          problem: undefined,
          lineage: "driver:handle",
        },
      ],
      skipped: {},
      evidence: { [volume]: someEvidence() },
    });
    expect(await verdicts("holdfast-p1")).toEqual(["verified"]);
  });

  it("is no more than stored when the evidence is of another snapshot", async () => {
    await storeBackup(bucket, { name: "holdfast-p1", labels: ours });
    const evidence = { [volume]: { ...someEvidence({ snapshotId: "snap-2" }), problems: [], leftOut: [] } };
    await writePointRecord(bucket, "home", aRecord({ evidence }), undefined);
    expect(await verdicts("holdfast-p1")).toEqual(["stored"]);
  });

  it("takes nothing from the record that another cluster keeps of a point of that name", async () => {
    await storeBackup(bucket, { name: "holdfast-p1", labels: ours });
    await writePointRecord(bucket, "cottage", aRecord(), undefined);
    expect(await verdicts("holdfast-p1")).toEqual(["stored"]);
    expect((await onlyCopy("holdfast-p1")).lineage).toBeUndefined();
  });

  it("keeps its copies, and says so, when its record cannot be read", async () => {
    await storeBackup(bucket, { name: "holdfast-p1", labels: ours, without: ["results"] });
    bucket.seed("holdfast/home/points/p1.json", "{");
    const point = await readPoint(source, "holdfast-p1");
    expect(await verdicts("holdfast-p1")).toEqual(["stored"]);
    expect(point?.phase).toBe("Completed");
    expect(point?.unreadable).toEqual([
      "velero/backups/holdfast-p1/holdfast-p1-results.gz",
      expect.stringContaining("holdfast/home/points/p1.json"),
    ]);
  });
});

describe("a backup that others made", () => {
  it("is adopted under its own name, with the volume's PV for its lineage", async () => {
    await storeBackup(bucket, {
      name: "nightly",
      volumeInfos: [
        { pvcNamespace: "home", pvcName: "sonarr-config", pvName: "pv-other" },
        { pvcNamespace: "media", pvcName: "sonarr-config", pvName: "pv-1" },
      ],
    });
    expect(await readPoint(source, "nightly")).toMatchObject({
      id: "nightly",
      backup: "nightly",
      ours: false,
      evidence: {},
    });
    expect((await onlyCopy("nightly")).lineage).toBe("pv:pv-1");
  });

  it("tells which volumes Velero left out, and why", async () => {
    await storeBackup(bucket, {
      name: "nightly",
      volumeInfos: [
        { pvcNamespace: "media", pvcName: "films", skipped: true, skippedReason: "policy" },
        { pvcNamespace: "media", pvcName: "other", skipped: true },
        { pvcNamespace: "media", pvcName: "sonarr-config", skipped: false },
        { pvName: "no-claim", skipped: true },
      ],
    });
    expect((await readPoint(source, "nightly"))?.skipped).toEqual({
      "media/films": "policy",
      "media/other": "Velero gave no reason",
    });
  });
});

describe("a copy", () => {
  it.each([
    ["Failed", { phase: "Failed", snapshotID: "", message: "no space" }, "Velero ended it as Failed: no space"],
    ["Canceled without a word", { phase: "Canceled", snapshotID: "" }, "Velero ended it as Canceled"],
    [
      "still running when the backup was stored",
      { phase: "InProgress", snapshotID: "" },
      "Velero ended it as InProgress",
    ],
  ])("is failed, with the reason, when Velero's transfer was %s", async (_, status, problem) => {
    await storeBackup(bucket, { name: "b", podVolumeBackups: [aPodVolumeBackup({ status })] });
    expect(await onlyCopy("b")).toMatchObject({ ok: false, problem, snapshotId: undefined });
    expect(await verdicts("b")).toEqual(["failed"]);
  });

  it("is failed when it is Completed and names no snapshot", async () => {
    await storeBackup(bucket, { name: "b", podVolumeBackups: [aPodVolumeBackup({ status: { snapshotID: "" } })] });
    expect(await verdicts("b")).toEqual(["failed"]);
  });

  it("has no bytes when Velero, having copied nothing, leaves the number out", async () => {
    await storeBackup(bucket, { name: "b", podVolumeBackups: [aPodVolumeBackup({ status: { progress: {} } })] });
    expect((await onlyCopy("b")).bytes).toBe(0);
  });

  it("has an unknown size when it did not end well", async () => {
    await storeBackup(bucket, {
      name: "b",
      podVolumeBackups: [aPodVolumeBackup({ status: { phase: "Failed", progress: {} } })],
    });
    expect((await onlyCopy("b")).bytes).toBeUndefined();
  });

  it.each([null, undefined, "", "no time"])(
    "is as old as the backup's end when its own is %j",
    async (completionTimestamp) => {
      await storeBackup(bucket, {
        name: "b",
        podVolumeBackups: [aPodVolumeBackup({ status: { completionTimestamp } })],
      });
      expect((await onlyCopy("b")).time).toBe(Date.UTC(2026, 10, 23, 8, 47));
    },
  );

  it("belongs to no volume when what was copied has no claim", async () => {
    const emptyDir = { ...aPodVolumeBackup(), metadata: { name: "pvb" } };
    await storeBackup(bucket, { name: "b", podVolumeBackups: [emptyDir, aPodVolumeBackup()] });
    expect((await onlyCopy("b")).volume).toBe(volume);
  });
});

describe("all points", () => {
  const damage = (name: string): void =>
    bucket.seed(`velero/backups/${name}/${name}-podvolumebackups.json.gz`, gzipSync("{}"));

  it("come newest first, whatever their names", async () => {
    const starts = { b: "2026-11-21T00:00:00Z", c: "2026-11-23T00:00:00Z", a: "2026-11-22T00:00:00Z" };
    for (const [name, startTimestamp] of Object.entries(starts))
      await storeBackup(bucket, { name, status: { startTimestamp } });
    expect((await readPoints(source)).map(({ id }) => id)).toEqual(["c", "a", "b"]);
  });

  it("list an unreadable backup as such, after those that can be read, and hide none", async () => {
    await storeBackup(bucket, { name: "damaged" });
    damage("damaged");
    await storeBackup(bucket, { name: "good" });
    const [good, damaged, ...others] = await readPoints(source);
    expect(others).toEqual([]);
    expect(good).toMatchObject({ id: "good", unreadable: [] });
    expect(damaged).toMatchObject({ id: "damaged", phase: "Unreadable", copies: [], errors: 1 });
    expect(damaged?.unreadable).toEqual([expect.stringContaining("damaged-podvolumebackups.json.gz")]);
  });

  it("leave out a folder that never got a velero-backup.json", async () => {
    await storeBackup(bucket, { name: "begun", without: ["backup"] });
    expect(await readPoints(source)).toEqual([]);
  });

  it("tell the parts that a backup lacks", async () => {
    await storeBackup(bucket, { name: "b", without: ["podVolumeBackups"] });
    expect((await readPoints(source))[0]).toMatchObject({
      copies: [],
      unreadable: ["velero/backups/b/b-podvolumebackups.json.gz"],
    });
  });

  it("end with the bucket's failure, and never with fewer points, when the bucket fails", async () => {
    await storeBackup(bucket, { name: "a" });
    await storeBackup(bucket, { name: "b" });
    const gone = new Failure("BUCKET_UNREACHABLE", { what: "off" });
    const mend = bucket.fail(({ verb, key }) => verb === "read" && key.includes("b-results"), gone);
    await expect(readPoints(source)).rejects.toBe(gone);
    mend();
    bucket.fail(({ key }) => key.startsWith("holdfast/"), gone);
    await expect(readPoints(source)).rejects.toBe(gone);
  });
});
