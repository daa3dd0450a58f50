import { beforeEach, describe, expect, it } from "vitest";
import { Failure } from "../model/failure.ts";
import { MemoryBucket } from "../systems/s3/memory.ts";
import { FencedBucket } from "./fenced-bucket.ts";
import { identityKey, ownershipOf, takeOver } from "./identity.ts";
import { writePointRecord } from "./records.ts";

const key = "holdfast/home/operations/1.json";
const bytes = new TextEncoder().encode("{}");
const now = Date.UTC(2026, 10, 25);
const unreachable = new Failure("KUBERNETES_UNREACHABLE", { what: "10.0.0.1:6443 does not answer.", todo: "wait" });

let store: MemoryBucket;
beforeEach(() => {
  store = new MemoryBucket({ now: () => now });
});

/** Holdfast of a cluster with the same configuration as all others of this test. */
const holdfastOf = (uid: string): FencedBucket =>
  new FencedBucket(store, {
    cluster: "home",
    self: async () => ({ uid, name: "home", holdfast: "0.1.0" }),
    clock: { now: () => now },
  });

const contents = async (): Promise<Readonly<Record<string, string>>> => {
  const found: Record<string, string> = {};
  for await (const { key, etag } of store.list("")) found[key] = etag;
  return found;
};

const identity = async (): Promise<unknown> =>
  JSON.parse(new TextDecoder().decode((await store.get(identityKey("home")))?.body));

describe("the bucket behind the fence", () => {
  it("gets the cluster's name with the first write, once", async () => {
    const ours = holdfastOf("uid-a");
    await ours.put(key, bytes);
    const first = await store.get("holdfast/home/cluster.json");
    await ours.put(key, bytes);
    await ours.remove(key);
    expect(await identity()).toEqual({
      version: 1,
      uid: "uid-a",
      name: "home",
      holdfast: "0.1.0",
      firstSeen: "2026-11-25T00:00:00.000Z",
      history: [],
    });
    expect((await store.get("holdfast/home/cluster.json"))?.etag).toBe(first?.etag);
    expect(Object.keys(await contents())).toEqual(["holdfast/home/cluster.json"]);
  });

  it("takes no name for reading", async () => {
    const ours = holdfastOf("uid-a");
    expect(await ours.get(key)).toBeUndefined();
    for await (const _ of ours.list("")) expect.unreachable();
    for await (const _ of ours.folders("")) expect.unreachable();
    expect(await contents()).toEqual({});
  });

  it("lets a second cluster with the same configuration read everything and write nothing", async () => {
    await holdfastOf("uid-a").put(key, bytes);
    const before = await contents();
    const second = holdfastOf("uid-b");
    for (const write of [
      () => second.put(key, bytes),
      () => second.put(`${key}.new`, bytes, "absent"),
      () => second.remove(key),
    ])
      await expect(write()).rejects.toMatchObject({
        code: "FENCED",
        what: expect.stringContaining("uid-b") as string,
        why: 'cluster.json names the cluster uid-a ("home", first seen 2026-11-25T00:00:00.000Z)',
      });
    expect((await second.get(key))?.body).toEqual(bytes);
    expect(await contents()).toEqual(before);
  });

  it("closes behind a cluster whose name was replaced while it worked", async () => {
    const first = holdfastOf("uid-a");
    await first.put(key, bytes);
    const seen = await ownershipOf(store, "home", "uid-b");
    const self = { uid: "uid-b", name: "home", holdfast: "0.2.0" };
    await takeOver(store, { cluster: "home", seen }, self, now + 1000);
    await expect(first.put(key, bytes)).rejects.toMatchObject({
      code: "FENCED",
      what: expect.stringContaining("uid-a") as string,
    });
    await holdfastOf("uid-b").put(key, bytes);
    expect(await identity()).toMatchObject({
      uid: "uid-b",
      history: [{ uid: "uid-a", name: "home", holdfast: "0.1.0", replaced: "2026-11-25T00:00:01.000Z" }],
    });
  });

  it("lets only one of two clusters through that come to an empty bucket at the same time", async () => {
    const outcomes = await Promise.allSettled([
      holdfastOf("uid-a").put("holdfast/home/a", bytes),
      holdfastOf("uid-b").put("holdfast/home/b", bytes),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    expect(outcomes[1]).toMatchObject({ reason: { code: "FENCED" } });
    expect(Object.keys(await contents())).toEqual(["holdfast/home/a", "holdfast/home/cluster.json"]);
  });

  it("lets two processes of one cluster through at the same time", async () => {
    await Promise.all([
      holdfastOf("uid-a").put("holdfast/home/a", bytes),
      holdfastOf("uid-a").put("holdfast/home/b", bytes),
    ]);
    expect(Object.keys(await contents())).toEqual(["holdfast/home/a", "holdfast/home/b", "holdfast/home/cluster.json"]);
  });

  it("goes on when the answer to its claim was lost", async () => {
    store.fail(
      ({ verb, key }) => verb === "write" && key.endsWith("cluster.json"),
      new Failure("BUCKET_CONFLICT", { what: "retried" }),
      {
        times: 1,
        afterEffect: true,
      },
    );
    await holdfastOf("uid-a").put(key, bytes);
    expect(await store.get(key)).toBeDefined();
  });

  it("stays closed to a new cluster where older evidence has no cluster.json beside it", async () => {
    const record = { version: 1 as const, point: "p", backup: "b", cluster: "uid-a", lineages: {}, evidence: {} };
    await writePointRecord(store, "home", record, undefined);
    const before = await contents();
    await expect(holdfastOf("uid-b").put(key, bytes)).rejects.toMatchObject({
      code: "FENCED",
      why: expect.stringContaining("uid-a") as string,
    });
    expect(await contents()).toEqual(before);
    await holdfastOf("uid-a").put(key, bytes);
    expect(await identity()).toMatchObject({ uid: "uid-a" });
  });

  it.each(["", "{", "{}", '{"version":2,"uid":"uid-a"}'])("stays closed when cluster.json is %j", async (text) => {
    store.seed("holdfast/home/cluster.json", text);
    await expect(holdfastOf("uid-a").put(key, bytes)).rejects.toMatchObject({
      code: "FENCED",
      why: expect.stringContaining("cannot be read") as string,
    });
    expect(Object.keys(await contents())).toEqual(["holdfast/home/cluster.json"]);
  });

  it("reads and does not write while nobody can say which cluster this is, and writes when somebody can", async () => {
    let isUp = false;
    const bucket = new FencedBucket(store, {
      cluster: "home",
      self: async () => {
        if (!isUp) throw unreachable;
        return { uid: "uid-a", name: "home", holdfast: "0.1.0" };
      },
      clock: { now: () => now },
    });
    await expect(bucket.put(key, bytes)).rejects.toMatchObject({
      code: "KUBERNETES_UNREACHABLE",
      what: expect.stringContaining("Nothing is written to holdfast/home/") as string,
      why: unreachable.what,
      todo: "wait",
    });
    await expect(bucket.remove(key)).rejects.toMatchObject({ code: "KUBERNETES_UNREACHABLE" });
    expect(await bucket.get(key)).toBeUndefined();
    expect(await contents()).toEqual({});
    isUp = true;
    await bucket.put(key, bytes);
    expect(await store.get(key)).toBeDefined();
  });

  it("stands around this cluster's place only", async () => {
    await holdfastOf("uid-a").put(key, bytes);
    await holdfastOf("uid-b").put("holdfast/cottage/x.json", bytes);
    expect(await store.get("holdfast/cottage/x.json")).toBeDefined();
  });

  it("writes nothing when the place cannot be looked at", async () => {
    const gone = new Failure("BUCKET_DENIED", { what: "no" });
    store.fail("read", gone);
    await expect(holdfastOf("uid-a").put(key, bytes)).rejects.toBe(gone);
    expect(store.calls.filter(({ verb }) => verb === "write")).toEqual([]);
  });
});
