import { describe, expect, it } from "vitest";
import { Failure } from "../model/failure.ts";
import { formatBlobPassword } from "../systems/kopia/testing/format-blobs.ts";
import { MemoryBucket } from "../systems/s3/memory.ts";
import { kitEvidenceKey, type KitEvidence, readKitEvidence, writeKitEvidence } from "./evidence.ts";
import { fingerprintOf, isFingerprintOf } from "./fingerprint.ts";
import { freshFor, type KitStanding, kitStanding } from "./standing.ts";
import { someKitEvidence } from "./testing/kits.ts";

const { time } = someKitEvidence();
const empty = (): MemoryBucket => new MemoryBucket({ now: () => time });

const bucketWith = (evidence: KitEvidence): MemoryBucket => {
  const bucket = empty();
  bucket.seed(kitEvidenceKey("home"), JSON.stringify(evidence));
  return bucket;
};

const standing = (
  bucket: MemoryBucket,
  options: { readonly password?: string | Failure; readonly now?: number } = {},
): Promise<KitStanding> =>
  kitStanding({
    bucket,
    cluster: "home",
    now: options.now ?? time,
    password: async () => {
      if (options.password instanceof Failure) throw options.password;
      return options.password ?? formatBlobPassword;
    },
  });

describe("the standing of the kit", () => {
  it("is not proven before any check, for one read and without the password", async () => {
    const bucket = empty();
    const found = await standing(bucket, {
      password: new Failure("SECRET_UNREADABLE", { what: "not to be asked for" }),
    });
    expect(found).toMatchObject({ proven: false, checked: undefined, because: { code: "KIT_MISSING", exitCode: 4 } });
    expect(bucket.calls).toEqual([{ verb: "read", key: "holdfast/home/kit/evidence.json" }]);
  });

  it("is proven by a check from outside the cluster with today's password, for one read", async () => {
    const bucket = bucketWith(someKitEvidence());
    expect(await standing(bucket, { now: time + 3 * 24 * 3_600_000 })).toEqual({
      proven: true,
      checked: time,
      old: false,
      text: "checked 3d ago: it opened the one repository from outside the cluster",
    });
    expect(bucket.calls).toHaveLength(1);
  });

  it("is not proven when the password has changed since", async () => {
    expect(await standing(bucketWith(someKitEvidence()), { password: "another" })).toMatchObject({
      proven: false,
      checked: time,
      because: { code: "KIT_OUTDATED", exitCode: 4 },
    });
  });

  it("is not proven by a check inside the cluster", async () => {
    expect(await standing(bucketWith(someKitEvidence({ outside: false })))).toMatchObject({
      proven: false,
      because: { code: "KIT_MISSING", what: "The kit was checked only inside the cluster." },
    });
  });

  it("is not known, which is not proven, when today's password cannot be read", async () => {
    const password = new Failure("KUBERNETES_UNREACHABLE", { what: "The API server does not answer." });
    expect(await standing(bucketWith(someKitEvidence()), { password })).toMatchObject({
      proven: false,
      because: { code: "KUBERNETES_UNREACHABLE", why: "The API server does not answer." },
    });
  });

  it("grows old after 90 days, and is proven all the same", async () => {
    const bucket = bucketWith(someKitEvidence());
    expect(await standing(bucket, { now: time + freshFor })).toMatchObject({ proven: true, old: false });
    expect(await standing(bucket, { now: time + freshFor + 1 })).toMatchObject({ proven: true, old: true });
  });

  it("does not mind a clock that is behind the one of the check", async () => {
    expect(await standing(bucketWith(someKitEvidence()), { now: time - 3_600_000 })).toMatchObject({ proven: true });
  });

  it("says when the NAS was left out", async () => {
    const found = await standing(bucketWith(someKitEvidence({ nas: "not checked" })));
    expect(found.proven && found.text).toContain("its access to the NAS was not tried");
  });

  it.each(["", "{", "null", JSON.stringify({ ...someKitEvidence(), version: 2 })])(
    "is not proven by evidence that cannot be read: %j",
    async (body) => {
      const bucket = empty();
      bucket.seed(kitEvidenceKey("home"), body);
      expect(await standing(bucket)).toMatchObject({ proven: false, because: { code: "KIT_MISSING" } });
    },
  );

  it("fails when the bucket does, instead of calling the kit missing", async () => {
    const bucket = empty();
    bucket.fail("read", new Failure("BUCKET_DENIED", { what: "no" }));
    await expect(standing(bucket)).rejects.toMatchObject({ code: "BUCKET_DENIED" });
  });
});

describe("the evidence", () => {
  it("is replaced by a newer check", async () => {
    const bucket = empty();
    expect(await writeKitEvidence(bucket, someKitEvidence())).toBe(true);
    expect(await writeKitEvidence(bucket, someKitEvidence({ time: time + 1 }))).toBe(true);
    expect((await readKitEvidence(bucket, "home"))?.evidence.time).toBe(time + 1);
  });

  it("is not replaced by a check inside the cluster, unless that is all there is", async () => {
    const bucket = empty();
    expect(await writeKitEvidence(bucket, someKitEvidence({ outside: false }))).toBe(true);
    expect(await writeKitEvidence(bucket, someKitEvidence())).toBe(true);
    expect(await writeKitEvidence(bucket, someKitEvidence({ outside: false }))).toBe(false);
    expect((await readKitEvidence(bucket, "home"))?.evidence.outside).toBe(true);
  });

  it("is not written over what somebody else wrote in between", async () => {
    const bucket = bucketWith(someKitEvidence());
    const stale = { get: bucket.get.bind(bucket) };
    bucket.get = async (key) => {
      const content = await stale.get(key);
      bucket.seed(key, JSON.stringify(someKitEvidence({ time: time + 5 })));
      return content;
    };
    await expect(writeKitEvidence(bucket, someKitEvidence({ time: time + 1 }))).rejects.toMatchObject({
      code: "BUCKET_CONFLICT",
    });
  });
});

describe("the fingerprint of a password", () => {
  it("fits that password only, and is another one with another salt", async () => {
    const one = await fingerprintOf("open sesame", "salt");
    expect(one).toEqual(someKitEvidence().password);
    expect(await isFingerprintOf(one, "open sesame")).toBe(true);
    expect(await isFingerprintOf(one, "open sesame ")).toBe(false);
    expect((await fingerprintOf("open sesame", "pepper")).hash).not.toBe(one.hash);
  });
});
