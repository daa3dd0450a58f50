import { describe, expect, it } from "vitest";
import { MemoryKubernetes } from "../systems/kubernetes/memory.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import { realWorld } from "../systems/kubernetes/testing/world.ts";
import { MemoryBucket } from "../systems/s3/memory.ts";
import { claim, clusterUid, ownershipOf, takeOver } from "./identity.ts";

const self = { uid: "uid-b", name: "home", holdfast: "0.1.0" };

describe("the cluster's UID", () => {
  it("is that of kube-system", async () => {
    const kubernetes = new MemoryKubernetes(realWorld);
    const made = await kubernetes.get(resources.namespaces, { name: "kube-system" });
    expect(await clusterUid(kubernetes)).toBe(made?.metadata.uid);
  });

  it("is not made up where there is no kube-system", async () => {
    const kubernetes = new MemoryKubernetes(realWorld);
    await kubernetes.remove(resources.namespaces, { name: "kube-system" });
    await expect(clusterUid(kubernetes)).rejects.toMatchObject({ code: "FENCED" });
  });
});

describe("taking over a bucket", () => {
  it("keeps every earlier owner, in order", async () => {
    const bucket = new MemoryBucket({ now: () => 0 });
    await claim(bucket, "home", { ...self, uid: "uid-1" }, 0);
    for (const [index, uid] of ["uid-2", "uid-3"].entries())
      await takeOver(
        bucket,
        { cluster: "home", seen: await ownershipOf(bucket, "home", uid) },
        { ...self, uid },
        index,
      );
    expect(await ownershipOf(bucket, "home", "uid-3")).toMatchObject({
      state: "ours",
      identity: { history: [{ uid: "uid-1" }, { uid: "uid-2" }] },
    });
  });

  it("is a conflict when somebody else settled it meanwhile", async () => {
    const bucket = new MemoryBucket({ now: () => 0 });
    await claim(bucket, "home", { ...self, uid: "uid-a" }, 0);
    const seen = await ownershipOf(bucket, "home", "uid-b");
    await takeOver(bucket, { cluster: "home", seen }, { ...self, uid: "uid-c" }, 1);
    await expect(takeOver(bucket, { cluster: "home", seen }, self, 2)).rejects.toMatchObject({
      code: "BUCKET_CONFLICT",
    });
    expect(await ownershipOf(bucket, "home", "uid-c")).toMatchObject({ state: "ours" });
  });

  it("replaces an identity that nobody can read", async () => {
    const bucket = new MemoryBucket({ now: () => 0 });
    bucket.seed("holdfast/home/cluster.json", "{");
    await takeOver(bucket, { cluster: "home", seen: await ownershipOf(bucket, "home", "uid-b") }, self, 0);
    expect(await ownershipOf(bucket, "home", "uid-b")).toMatchObject({ state: "ours", identity: { history: [] } });
  });
});
