import { gzipSync } from "node:zlib";
import { beforeEach, describe, expect, it } from "vitest";
import { Failure } from "../../model/failure.ts";
import { failureOf } from "../../model/testing/failure-of.ts";
import { MemoryBucket } from "../s3/memory.ts";
import { backupNames, readBackup, readStoredBackup } from "./backup-record.ts";
import { aPodVolumeBackup, storeBackup, zippedJson } from "./testing/stored-backup.ts";

const prefix = "velero/";
const folder = `${prefix}backups/nightly`;
const pvbKey = `${folder}/nightly-podvolumebackups.json.gz`;
const infoKey = `${folder}/nightly-volumeinfo.json.gz`;
const resultsKey = `${folder}/nightly-results.gz`;

let bucket: MemoryBucket;
beforeEach(() => {
  bucket = new MemoryBucket({ now: () => 0 });
});

describe("the names of backups", () => {
  it("are the folders below Velero's prefix, and nothing of other prefixes", async () => {
    await storeBackup(bucket, { name: "b" });
    await storeBackup(bucket, { name: "a" });
    await storeBackup(bucket, { name: "foreign", prefix: "other/" });
    bucket.seed("velero/backups/README", "not a backup");
    bucket.seed("velero/restores/r/velero-restore.json", "{}");
    expect(await backupNames(bucket, prefix)).toEqual(["a", "b"]);
    expect(await backupNames(bucket, "other/")).toEqual(["foreign"]);
    expect(await backupNames(bucket, "")).toEqual([]);
  });

  it("are found in a bucket without a prefix", async () => {
    await storeBackup(bucket, { name: "a", prefix: "" });
    expect(await backupNames(bucket, "")).toEqual(["a"]);
  });
});

describe("a backup in the bucket", () => {
  it("is read whole", async () => {
    await storeBackup(bucket, {
      name: "nightly",
      labels: { "holdfast.dev/point": "p1" },
      podVolumeBackups: [aPodVolumeBackup()],
      volumeInfos: [{ pvcName: "x", pvcNamespace: "media", pvName: "pv-1", skipped: true, skippedReason: "policy" }],
      results: {
        errors: { velero: ["no space"], cluster: ["no node"], namespaces: { media: ["one", "two"], home: ["three"] } },
        warnings: { velero: ["slow"] },
      },
    });
    const record = await readBackup(bucket, prefix, "nightly");
    expect(record).toMatchObject({
      name: "nightly",
      backup: { metadata: { labels: { "holdfast.dev/point": "p1" } }, status: { phase: "Completed" } },
      podVolumeBackups: [{ status: { snapshotID: "snap-1", progress: { totalBytes: 1000 } } }],
      volumeInfos: [{ pvcName: "x", skipped: true }],
      errors: ["no space", "no node", "media: one", "media: two", "home: three"],
      warnings: ["slow"],
      missing: [],
    });
  });

  it("is read although Velero writes null for empty lists", async () => {
    await storeBackup(bucket, {
      name: "nightly",
      podVolumeBackups: null,
      volumeInfos: null,
      results: { errors: { velero: null, cluster: null, namespaces: null }, warnings: null },
    });
    expect(await readBackup(bucket, prefix, "nightly")).toMatchObject({
      podVolumeBackups: [],
      volumeInfos: [],
      errors: [],
      warnings: [],
      missing: [],
    });
  });

  it("names the parts that it lacks", async () => {
    await storeBackup(bucket, { name: "nightly", without: ["podVolumeBackups", "results", "volumeInfos"] });
    const record = await readBackup(bucket, prefix, "nightly");
    expect(record?.missing.toSorted()).toEqual([pvbKey, resultsKey, infoKey]);
    expect(record?.podVolumeBackups).toEqual([]);
  });

  it("does not exist without velero-backup.json, whatever else the folder has", async () => {
    await storeBackup(bucket, { name: "nightly", without: ["backup"] });
    expect(await readBackup(bucket, prefix, "nightly")).toBeUndefined();
    expect(await readStoredBackup(bucket, prefix, "nightly")).toBeUndefined();
  });

  it("keeps the fields of which Holdfast knows nothing", async () => {
    await storeBackup(bucket, { name: "nightly", status: { formatVersion: "1.1.0" } });
    expect((await readStoredBackup(bucket, prefix, "nightly"))?.status).toMatchObject({ formatVersion: "1.1.0" });
  });

  const zipped = zippedJson([aPodVolumeBackup()]);
  // What the AWS plugin 1.14.1 and 1.14.2 stored: the chunks' framing inside the body.
  const framed = Buffer.concat([
    Buffer.from("1f4\r\n"),
    zipped,
    Buffer.from("\r\n0\r\nx-amz-checksum-crc32:AAAA==\r\n"),
  ]);
  it.each([
    ["framed by a bad plugin", pvbKey, framed],
    ["cut short", pvbKey, zipped.slice(0, -10)],
    ["empty", resultsKey, new Uint8Array()],
    ["not zipped", infoKey, "[]"],
    ["no JSON", pvbKey, gzipSync("[{")],
    ["not UTF-8", resultsKey, gzipSync(Buffer.from('{"errors":{"velero":["\u00FF"]}}', "latin1"))],
    ["of another form", pvbKey, gzipSync('[{"metadata":{"name":"x"}}]')],
    ["a list where an object belongs", resultsKey, gzipSync("[]")],
    ["no JSON itself", `${folder}/velero-backup.json`, "<html>"],
    ["without a name", `${folder}/velero-backup.json`, "{}"],
  ])("is COPY_CORRUPT, naming the key, when an object of it is %s", async (_, key, body) => {
    await storeBackup(bucket, { name: "nightly" });
    bucket.seed(key, body);
    const failure = await failureOf(readBackup(bucket, prefix, "nightly"));
    expect(failure.code).toBe("COPY_CORRUPT");
    expect(failure.what).toContain(key);
    expect(failure.why).toMatch(/\S/);
  });

  it("lets the bucket's own failures through", async () => {
    await storeBackup(bucket, { name: "nightly" });
    const denied = new Failure("BUCKET_DENIED", { what: "no" });
    bucket.fail(({ key }) => key === pvbKey, denied);
    await expect(readBackup(bucket, prefix, "nightly")).rejects.toBe(denied);
  });
});
