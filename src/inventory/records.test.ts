import { beforeEach, describe, expect, it } from "vitest";
import { Failure } from "../model/failure.ts";
import { MemoryBucket } from "../systems/s3/memory.ts";
import { type PointRecord, readPointRecord, recordsPrefix, writePointRecord } from "./records.ts";
import { someEvidence } from "./sample.ts";

const key = "holdfast/home/points/p1.json";
const evidence = { ...someEvidence(), problems: ["torn"], leftOut: ["cache"] };
const record: PointRecord = {
  version: 1,
  point: "p1",
  backup: "holdfast-p1",
  cluster: "uid",
  lineages: { "media/a": "driver:handle" },
  evidence: { "media/a": evidence },
};

let bucket: MemoryBucket;
beforeEach(() => {
  bucket = new MemoryBucket({ now: () => 0 });
});

describe("the record of a point", () => {
  it("is read as it was written, at its place beside Velero's prefix", async () => {
    await writePointRecord(bucket, "home", record, undefined);
    expect((await readPointRecord(bucket, "home", "p1"))?.record).toEqual(record);
    expect((await bucket.get(key))?.body.at(-1)).toBe(0x0a);
    expect(key.startsWith(recordsPrefix("home"))).toBe(true);
  });

  it("is undefined where there is none, and another cluster's is not ours", async () => {
    await writePointRecord(bucket, "cottage", record, undefined);
    expect(await readPointRecord(bucket, "home", "p1")).toBeUndefined();
  });

  it("is not written for the first time twice", async () => {
    await writePointRecord(bucket, "home", record, undefined);
    await expect(writePointRecord(bucket, "home", { ...record, evidence: {} }, undefined)).rejects.toMatchObject({
      code: "BUCKET_CONFLICT",
    });
    expect((await readPointRecord(bucket, "home", "p1"))?.record.evidence).toEqual(record.evidence);
  });

  it("is replaced by who has read it last, and not by who has an older ETag", async () => {
    await writePointRecord(bucket, "home", record, undefined);
    const first = await readPointRecord(bucket, "home", "p1");
    await writePointRecord(bucket, "home", { ...record, lineages: {} }, first?.etag);
    const late = writePointRecord(bucket, "home", { ...record, evidence: {} }, first?.etag);
    await expect(late).rejects.toMatchObject({ code: "BUCKET_CONFLICT" });
    expect((await readPointRecord(bucket, "home", "p1"))?.record).toEqual({ ...record, lineages: {} });
  });

  it.each([
    ["no JSON", "{"],
    ["empty", ""],
    ["of a later version", JSON.stringify({ ...record, version: 2 })],
    ["without evidence", JSON.stringify({ ...record, evidence: undefined })],
    [
      "with a verdict that we do not know",
      JSON.stringify({ ...record, evidence: { "media/a": { ...evidence, verdict: "fine" } } }),
    ],
    [
      "with a count that is no number",
      JSON.stringify({ ...record, evidence: { "media/a": { ...evidence, files: "1" } } }),
    ],
  ])("is VERIFICATION_FAILED, naming its key, when it is %s", async (_, text) => {
    bucket.seed(key, text);
    await expect(readPointRecord(bucket, "home", "p1")).rejects.toMatchObject({
      code: "VERIFICATION_FAILED",
      what: expect.stringContaining(key) as string,
    });
  });

  it("lets the bucket's own failures through", async () => {
    const gone = new Failure("BUCKET_UNREACHABLE", { what: "off" });
    bucket.fail("read", gone);
    await expect(readPointRecord(bucket, "home", "p1")).rejects.toBe(gone);
  });
});
