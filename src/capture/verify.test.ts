import { describe, expect, it } from "vitest";
import type { AgentLine } from "../agent/lines.ts";
import { FencedBucket } from "../inventory/fenced-bucket.ts";
import { clusterUid } from "../inventory/identity.ts";
import { readPointRecord, writePointRecord } from "../inventory/records.ts";
import { someEvidence } from "../inventory/sample.ts";
import { aCluster } from "../restore/testing/cluster.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import { MemoryAgents } from "../systems/agent/memory.ts";
import { MemoryBucket } from "../systems/s3/memory.ts";
import type { Bucket } from "../systems/s3/port.ts";
import { aPodVolumeBackup, type BackupParts, storeBackup } from "../systems/velero/testing/stored-backup.ts";
import { type VerifyOptions, verifyBackup } from "./verify.ts";

const name = "media/sonarr-config";
const checked = (part: object = {}, volume = name): AgentLine => ({
  type: "checked",
  volume,
  evidence: someEvidence(part),
});

const world = async (parts: Partial<BackupParts> = {}, options: Partial<VerifyOptions> = {}) => {
  const { context, kubernetes, controllers } = await aCluster(0);
  controllers.stop();
  const bucket = new MemoryBucket(context.clock);
  await storeBackup(bucket, { name: "holdfast-p1", labels: { "holdfast.dev/point": "p1" }, ...parts });
  const agents = new MemoryAgents((_task, say) => say(checked()));
  const all: VerifyOptions = {
    context,
    kubernetes,
    agents,
    store: { endpoint: "https://nas.lab:9000", bucket: "velero", region: "", prefix: "velero/", privateCa: false },
    source: { bucket, prefix: "velero/", cluster: "lab" },
    filesPercent: 7,
    mayBeEmpty: () => false,
    lineages: { [name]: "csi:1" },
    onLine: () => undefined,
    ...options,
  };
  return {
    agents,
    bucket,
    kubernetes,
    verify: (expected: readonly string[] = [name], through: Bucket = bucket) =>
      verifyBackup("holdfast-p1", expected, { ...all, source: { ...all.source, bucket: through } }),
    record: () => readPointRecord(bucket, "lab", "p1"),
  };
};

describe("two clusters with the same configuration", () => {
  it("both verify the same backup, and only the first one's evidence is kept", async () => {
    const [first, second] = [await world(), await world()];
    const { bucket } = first;
    second.kubernetes.put(resources.namespaces, { metadata: { name: "kube-system", uid: "uid-second" } });
    const fenced = (place: typeof first): Bucket =>
      new FencedBucket(bucket, {
        cluster: "lab",
        self: async () => ({ uid: await clusterUid(place.kubernetes), name: "lab", holdfast: "0.1.0" }),
        clock: { now: () => 0 },
      });
    await first.verify(undefined, fenced(first));
    const before = JSON.stringify(await first.record());
    const calls = bucket.calls.length;
    await expect(second.verify(undefined, fenced(second))).rejects.toMatchObject({
      code: "FENCED",
      what: expect.stringContaining(await clusterUid(second.kubernetes)) as string,
      why: expect.stringContaining(await clusterUid(first.kubernetes)) as string,
    });
    expect(bucket.calls.slice(calls).filter(({ verb }) => verb === "write" || verb === "remove")).toEqual([]);
    expect(JSON.stringify(await first.record())).toBe(before);
  });
});

describe("verifyBackup", () => {
  it("has every copy looked at and finds nothing wrong with a whole backup", async () => {
    const { agents, verify } = await world();
    expect(await verify()).toMatchObject({
      missing: {},
      failed: {},
      point: { id: "p1", evidence: { [name]: { verdict: "verified" } } },
    });
    expect(agents.tasks).toMatchObject([
      {
        operation: "verify-p1",
        mounts: [],
        job: { kind: "check", filesPercent: 7, copies: [{ volume: name, repository: "media", snapshotId: "snap-1" }] },
      },
    ]);
  });

  it("keeps what was seen, with whose point it is and what the volumes were", async () => {
    const { verify, record } = await world();
    await verify();
    expect((await record())?.record).toMatchObject({
      version: 1,
      point: "p1",
      backup: "holdfast-p1",
      cluster: expect.stringMatching(/./) as string,
      lineages: { [name]: "csi:1" },
      evidence: { [name]: { verdict: "verified" } },
    });
  });

  it("keeps the lineages of the time when the point was cut", async () => {
    const { bucket, verify, record } = await world();
    await writePointRecord(
      bucket,
      "lab",
      { version: 1, point: "p1", backup: "holdfast-p1", cluster: "c", lineages: { [name]: "csi:then" }, evidence: {} },
      undefined,
    );
    await verify();
    expect((await record())?.record).toMatchObject({
      lineages: { [name]: "csi:then" },
      evidence: { [name]: { verdict: "verified" } },
    });
  });

  it("does not overwrite what somebody else has written meanwhile", async () => {
    const place = await world();
    place.agents.play(async (_task, say) => {
      say(checked());
      const present = await place.record();
      await writePointRecord(
        place.bucket,
        "lab",
        { version: 1, point: "p1", backup: "holdfast-p1", cluster: "other", lineages: {}, evidence: {} },
        present?.etag,
      );
      const read = place.bucket.get.bind(place.bucket);
      place.bucket.get = async (key) => (key.includes("points/") ? undefined : read(key));
    });
    await expect(place.verify()).rejects.toMatchObject({ code: "BUCKET_CONFLICT" });
  });

  it("names volumes that should be in it and are not", async () => {
    const { verify } = await world();
    expect((await verify([name, "home/photos"])).missing).toEqual({
      "home/photos": "Velero made no copy of it and gave no reason",
    });
  });

  it("does not miss what the user's own policy leaves out", async () => {
    const { verify } = await world({
      volumeInfos: [{ pvcNamespace: "home", pvcName: "photos", skipped: true, skippedReason: "policy" }],
    });
    expect((await verify([name, "home/photos"])).missing).toEqual({});
  });

  it("names a copy that Velero could not make, without asking the agent for it", async () => {
    const { agents, verify } = await world({
      podVolumeBackups: [aPodVolumeBackup({ status: { phase: "Failed", snapshotID: "", message: "timed out" } })],
    });
    expect(await verify()).toMatchObject({ missing: {}, failed: { [name]: "Velero ended it as Failed: timed out" } });
    expect(agents.tasks).toEqual([]);
  });

  it("names a copy that the agent finds damaged, and keeps that", async () => {
    const { agents, verify, record } = await world();
    agents.play((_task, say) => say(checked({ verdict: "failed", problems: ["blob not found", "more"] })));
    expect((await verify()).failed).toEqual({ [name]: "blob not found" });
    expect((await record())?.record.evidence[name]).toMatchObject({ verdict: "failed" });
  });

  it("takes no line for evidence that is about another volume, and silence about a copy for no good sign", async () => {
    const { agents, verify } = await world();
    agents.play((_task, say) => say(checked({}, "home/other")));
    expect(await verify()).toMatchObject({
      point: { evidence: {} },
      failed: { [name]: expect.stringContaining("was not looked at") as string },
    });
  });

  it.each([
    ["a copy with no file", { files: 0, symlinks: 0 }],
    ["a copy with nothing but directories", { files: 0, symlinks: 0, directories: 9 }],
  ])("fails %s, unless the volume may be empty", async (_what, part) => {
    for (const isExpected of [false, true]) {
      const { agents, verify } = await world({}, { mayBeEmpty: (volume) => isExpected && volume === name });
      agents.play((_task, say) => say(checked(part)));
      const { failed } = await verify();
      expect(Object.keys(failed)).toEqual(isExpected ? [] : [name]);
    }
  });

  it("fails the copy of an empty volume, of which Velero stores nothing, unless it may be empty", async () => {
    const parts = { podVolumeBackups: [aPodVolumeBackup({ status: { snapshotID: "", progress: {} } })] };
    const { agents, verify } = await world(parts);
    expect((await verify()).failed).toEqual({ [name]: expect.stringContaining("volumes.expectEmpty") as string });
    expect(agents.tasks).toEqual([]);
    expect((await (await world(parts, { mayBeEmpty: () => true })).verify()).failed).toEqual({});
  });

  it.each(["Failed", "FailedValidation", "InProgress", "SomethingNew"])(
    "does not believe in a backup that is %s in the bucket",
    async (phase) => {
      const { agents, verify, record } = await world({ status: { phase } });
      await expect(verify()).rejects.toMatchObject({ code: "VERIFICATION_FAILED", why: `its phase there is ${phase}` });
      expect([agents.tasks, await record()]).toEqual([[], undefined]);
    },
  );

  it("does not believe in a backup of which parts are missing, or that is not there", async () => {
    await expect((await world({ without: ["podVolumeBackups"] })).verify()).rejects.toMatchObject({
      code: "VERIFICATION_FAILED",
      why: expect.stringContaining("is missing") as string,
    });
    await expect((await world({ name: "other" })).verify()).rejects.toMatchObject({
      code: "VERIFICATION_FAILED",
      what: expect.stringContaining("has no backup holdfast-p1") as string,
    });
  });
});
