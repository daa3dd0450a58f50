import { describe, expect, it } from "vitest";
import { Failure } from "../model/failure.ts";
import { MemoryBucket } from "../systems/s3/memory.ts";
import { storeBackup } from "../systems/velero/testing/stored-backup.ts";
import type { KitNas } from "./kit.ts";
import { evidenceOf, proveKit } from "./prove.ts";
import { aKit, aKitsBucket, kitSecrets } from "./testing/kits.ts";

describe("proving a kit", () => {
  it("opens every repository, reads the newest whole backup and logs in to the NAS with what is in the kit", async () => {
    const bucket = await aKitsBucket();
    await storeBackup(bucket, { name: "older", status: { startTimestamp: "2026-11-20T08:00:00Z" } });
    const seen: KitNas[] = [];
    const proof = await proveKit(aKit(), { bucket, openNas: async (access) => void seen.push(access) });
    expect(proof).toMatchObject({ repositories: ["media"], nas: "opened", backup: { backup: "holdfast-1" } });
    expect(seen).toEqual([aKit().nas]);
  });

  it("says that the NAS was not checked when nothing can open it, and that there is none when there is none", async () => {
    const bucket = await aKitsBucket();
    expect((await proveKit(aKit(), { bucket })).nas).toBe("not checked");
    expect((await proveKit(aKit({ nas: false }), { bucket })).nas).toBe("none");
  });

  it("passes over a backup that still runs or lacks parts, and takes the newest whole one", async () => {
    const bucket = await aKitsBucket();
    const later = { startTimestamp: "2026-11-24T08:00:00Z" };
    await storeBackup(bucket, {
      name: "running",
      status: { ...later, phase: "InProgress", completionTimestamp: null },
    });
    await storeBackup(bucket, { name: "torn", status: later, without: ["podVolumeBackups"] });
    expect((await proveKit(aKit(), { bucket })).backup.backup).toBe("holdfast-1");
  });

  it("writes nothing", async () => {
    const bucket = await aKitsBucket();
    await proveKit(aKit(), { bucket });
    expect(bucket.calls.filter(({ verb }) => verb === "write" || verb === "remove")).toEqual([]);
  });
});

describe("a kit is not proven", () => {
  it("by a password that opens no repository, or not all of them", async () => {
    const bucket = await aKitsBucket();
    const failure = await proveKit(aKit({ password: "another" }), { bucket }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "REPOSITORY_PASSWORD", what: expect.stringContaining("1 of 1") as string });
    expect(JSON.stringify(failure)).not.toContain("another");
  });

  it("by an empty bucket, or one without a whole backup: there is nothing that it could open", async () => {
    const empty = new MemoryBucket({ now: () => 0 });
    await expect(proveKit(aKit(), { bucket: empty })).rejects.toMatchObject({
      code: "COPY_MISSING",
      what: 'There is no kopia repository in the bucket "homelab" below "velero".',
    });
    const bucket = await aKitsBucket();
    await bucket.remove("velero/backups/holdfast-1/velero-backup.json");
    await expect(proveKit(aKit(), { bucket })).rejects.toMatchObject({
      code: "COPY_MISSING",
      what: 'There is no backup that is whole in the bucket "homelab" below "velero".',
    });
  });

  it("by a repository that nobody can open any more", async () => {
    const bucket = await aKitsBucket();
    bucket.seed("velero/kopia/books/kopia.blobcfg", "x");
    await expect(proveKit(aKit(), { bucket })).rejects.toMatchObject({ code: "REPOSITORY_FAILED" });
  });

  it("by S3 keys that the store does not take; the advice speaks of the kit and not of holdfast.yaml's keys", async () => {
    const bucket = await aKitsBucket();
    bucket.fail("list", new Failure("BUCKET_DENIED", { what: "The store says no.", why: "InvalidAccessKeyId" }));
    await expect(proveKit(aKit(), { bucket })).rejects.toMatchObject({
      code: "BUCKET_DENIED",
      what: "The kit's S3 access does not work: The store says no.",
      why: "InvalidAccessKeyId",
      todo: expect.stringContaining("Make a new kit") as string,
    });
  });

  it("while the store is off, which is not the kit's fault", async () => {
    const bucket = await aKitsBucket();
    bucket.fail("read", new Failure("BUCKET_UNREACHABLE", { what: "It does not answer." }));
    await expect(proveKit(aKit(), { bucket })).rejects.toMatchObject({
      code: "BUCKET_UNREACHABLE",
      what: "It does not answer.",
      todo: expect.stringContaining("Nothing is wrong with the kit so far") as string,
    });
  });

  it("by a NAS that does not take its key", async () => {
    const openNas = () => Promise.reject(new Failure("NAS_KEY_REVOKED", { what: "The key was revoked." }));
    await expect(proveKit(aKit(), { bucket: await aKitsBucket(), openNas })).rejects.toMatchObject({
      code: "NAS_KEY_REVOKED",
      what: "The kit's NAS access does not work: The key was revoked.",
    });
  });
});

describe("the evidence of a proof", () => {
  it("says which file it was, what it opened and whose it is, and holds no secret", async () => {
    const proof = await proveKit(aKit(), { bucket: await aKitsBucket() });
    const file = new TextEncoder().encode("sealed");
    const evidence = await evidenceOf(aKit(), proof, { file, now: 5, salt: "salt", outside: true });
    expect(evidence).toMatchObject({
      cluster: { name: "home", uid: "uid-of-kube-system" },
      time: 5,
      sha256: "c9d0036bed6744bcdf692fc980d8717d7e5f5a4f4e8266b4a84982602fb1cd09",
      repositories: ["media"],
      backup: "holdfast-1",
      nas: "not checked",
      outside: true,
    });
    for (const secret of kitSecrets) expect(JSON.stringify(evidence)).not.toContain(secret);
  });
});
