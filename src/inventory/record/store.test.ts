import { gunzipSync, gzipSync } from "node:zlib";
import { beforeEach, describe, expect, it } from "vitest";
import { Failure } from "../../model/failure.ts";
import { MemoryKubernetes } from "../../systems/kubernetes/memory.ts";
import type { KubeObject } from "../../systems/kubernetes/port.ts";
import { resources } from "../../systems/kubernetes/resources.ts";
import { realWorld } from "../../systems/kubernetes/testing/world.ts";
import { MemoryBucket } from "../../systems/s3/memory.ts";
import { FencedBucket } from "../fenced-bucket.ts";
import { aDataset, makers, viewOf } from "../datasets/testing/volumes.ts";
import { type InventoryContent, readRecordedKinds } from "./content.ts";
import { listInventories, readInventory, writeInventory } from "./store.ts";

const place = { cluster: "home", uid: "uid-a" };
const day = 86_400_000;
const start = Date.UTC(2026, 10, 25, 3);
const anObject = (object: KubeObject & Readonly<Record<string, unknown>>): KubeObject => object;

let bucket: MemoryBucket;
let kubernetes: MemoryKubernetes;
beforeEach(() => {
  bucket = new MemoryBucket({ now: () => start });
  kubernetes = new MemoryKubernetes(realWorld);
  kubernetes.put(
    resources.persistentVolumes,
    anObject({ metadata: { name: "pv-1" }, spec: { capacity: { storage: "1Gi" } } }),
  );
  kubernetes.put(
    resources.persistentVolumeClaims,
    anObject({ metadata: { name: "a", namespace: "media" }, spec: { volumeName: "pv-1" } }),
  );
  kubernetes.put(
    resources.secrets,
    anObject({ metadata: { name: "s", namespace: "media" }, data: { password: "aHVudGVyMg==" } }),
  );
});

const samples = [makers["democratic-csi NFS"](1), makers["democratic-csi iSCSI"](2)];
const look = async (nas: InventoryContent["nas"] = viewOf(samples)): Promise<InventoryContent> => ({
  kubernetes: await readRecordedKinds(kubernetes),
  nas,
});
const write = async (now: number, content?: InventoryContent): Promise<string | undefined> =>
  writeInventory(bucket, place, content ?? (await look()), now);

describe("an inventory in the bucket", () => {
  it("is plain gzip with a line for each object, in which jq finds what kubectl shows", async () => {
    const key = await write(start);
    expect(key).toBe("holdfast/home/inventory/20261125T030000000Z.ndjson.gz");
    const text = gunzipSync((await bucket.get(key!))!.body).toString("utf8");
    const lines = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines[0]).toMatchObject({
      holdfast: "inventory",
      version: 1,
      cluster: "uid-a",
      time: "2026-11-25T03:00:00.000Z",
    });
    expect(lines.slice(1).map(({ kind, nas }) => kind ?? nas)).toEqual([
      "PersistentVolume",
      "PersistentVolumeClaim",
      "dataset",
      "dataset",
      "nfs-share",
      "iscsi-target",
      "iscsi-extent",
      "iscsi-target-extent",
    ]);
    expect(lines[2]).toMatchObject({ resource: "persistentvolumeclaims", object: { spec: { volumeName: "pv-1" } } });
  });

  it("has no Secret in it", async () => {
    const key = await write(start);
    expect(gunzipSync((await bucket.get(key!))!.body).toString("utf8")).not.toContain("aHVudGVyMg==");
  });

  it("leaves out what the NAS exports for somebody else", async () => {
    const foreign = { id: 99, path: "/mnt/tank/home/anna", enabled: true, comment: "", settings: {} };
    const view = viewOf(samples);
    await write(start, await look({ ...view, exports: { ...view.exports!, nfs: [...view.exports!.nfs, foreign] } }));
    expect((await readInventory(bucket, "home"))?.nas?.exports?.nfs.map(({ id }) => id)).toEqual([1]);
  });

  it("is read as it was at a time", async () => {
    const first = await write(start);
    kubernetes.put(resources.persistentVolumes, anObject({ metadata: { name: "pv-2" }, spec: {} }));
    const second = await write(start + day);
    const at = async (time?: number) => (await readInventory(bucket, "home", time))?.key;
    expect([
      await at(),
      await at(start + day),
      await at(start + day - 1),
      await at(start),
      await at(start - 1),
    ]).toEqual([second, second, first, first, undefined]);
  });

  it.each([
    [
      "an object is new",
      () =>
        void kubernetes.put(resources.deployments, anObject({ metadata: { name: "x", namespace: "media" }, spec: {} })),
    ],
    ["an object is gone", () => kubernetes.remove(resources.persistentVolumes, { name: "pv-1" })],
    [
      "a spec changed",
      () =>
        kubernetes.mergePatch(
          resources.persistentVolumes,
          { name: "pv-1" },
          { spec: { persistentVolumeReclaimPolicy: "Retain" } },
        ),
    ],
    [
      "an annotation changed",
      () =>
        kubernetes.mergePatch(resources.persistentVolumes, { name: "pv-1" }, { metadata: { annotations: { a: "b" } } }),
    ],
    [
      "an object was made again under its name",
      async () => {
        const pv = await kubernetes.get(resources.persistentVolumes, { name: "pv-1" });
        await kubernetes.remove(resources.persistentVolumes, { name: "pv-1" });
        await kubernetes.create(resources.persistentVolumes, { ...pv!, metadata: { name: "pv-1" } });
      },
    ],
  ])("is written anew when %s", async (_what, change: () => unknown) => {
    await write(start);
    await change();
    expect(await write(start + 1)).toBeDefined();
  });

  it.each([
    ["a dataset was made again under its name", { guid: "77" }],
    ["a property changed", { properties: { "democratic-csi:managed_resource": "false" } }],
  ])("is written anew when %s", async (_what, part) => {
    const [sample] = samples;
    await write(start, await look(viewOf([sample!])));
    const changed = { ...sample!, dataset: { ...sample!.dataset, ...part } };
    expect(await write(start + 1, await look(viewOf([changed])))).toBeDefined();
  });

  it("is not written anew for statuses, versions, and space that was used", async () => {
    await write(start);
    await kubernetes.mergePatch(
      resources.persistentVolumes,
      { name: "pv-1" },
      { status: { phase: "Released" } },
      { subresource: "status" },
    );
    const used = samples.map((sample) => ({ ...sample, dataset: { ...sample.dataset, used: 9, available: 1 } }));
    expect(await write(start + 1, await look(viewOf(used)))).toBeUndefined();
  });

  it("tells a NAS that was not read from one without datasets", async () => {
    await write(start, await look(viewOf([])));
    expect((await readInventory(bucket, "home"))?.nas).toEqual({ ...viewOf([]) });
    expect(await writeInventory(bucket, place, { ...(await look()), nas: undefined }, start + 1)).toBeDefined();
    expect((await readInventory(bucket, "home"))?.nas).toBeUndefined();
  });

  it("is the newest even when the clock goes back, and says the real time inside", async () => {
    await write(start);
    kubernetes.put(resources.persistentVolumes, anObject({ metadata: { name: "pv-2" }, spec: {} }));
    const late = await write(start - day);
    expect(late).toBe("holdfast/home/inventory/20261125T030000001Z.ndjson.gz");
    expect((await readInventory(bucket, "home"))?.head.time).toBe("2026-11-24T03:00:00.000Z");
  });

  it.each([
    ["cut off", (body: Uint8Array) => body.slice(0, -9)],
    ["no gzip", () => new TextEncoder().encode("x")],
    ["empty", () => gzipSync("")],
    ["of another kind", () => gzipSync('{"holdfast":"kit"}\n')],
    ["torn inside", (body: Uint8Array) => gzipSync(gunzipSync(body).toString("utf8").slice(0, -9))],
  ])("is COPY_CORRUPT, naming its key, when it is %s, and the next look replaces it", async (_what, damage) => {
    const key = await write(start);
    bucket.seed(key!, damage((await bucket.get(key!))!.body));
    await expect(readInventory(bucket, "home")).rejects.toMatchObject({
      code: "COPY_CORRUPT",
      what: expect.stringContaining(key!) as string,
    });
    expect(await write(start + 1)).toBeDefined();
    expect(await readInventory(bucket, "home")).toBeDefined();
  });

  it("passes over what else lies there", async () => {
    bucket.seed("holdfast/home/inventory/readme.txt", "x");
    bucket.seed("holdfast/home/inventory/soon.ndjson.gz", "x");
    expect(await listInventories(bucket, "home")).toEqual([]);
    expect(await readInventory(bucket, "home")).toBeUndefined();
  });

  it("is not written by another cluster", async () => {
    await write(start);
    const self = async () => ({ uid: "uid-b", name: "home", holdfast: "0.1.0" });
    bucket.seed(
      "holdfast/home/cluster.json",
      JSON.stringify({ version: 1, uid: "uid-a", name: "home", holdfast: "0", firstSeen: "", history: [] }),
    );
    const fenced = new FencedBucket(bucket, { cluster: "home", self, clock: { now: () => start } });
    await expect(
      writeInventory(fenced, { ...place, uid: "uid-b" }, await look(viewOf([])), start + 1),
    ).rejects.toMatchObject({ code: "FENCED" });
    expect(await listInventories(bucket, "home")).toHaveLength(1);
  });
});

describe("the cluster's part of an inventory", () => {
  it("has no kinds that the server does not have", async () => {
    const bare = new MemoryKubernetes(realWorld, { groups: [] });
    expect((await readRecordedKinds(bare)).map(({ resource }) => resource.plural)).not.toContain("applications");
    expect((await readRecordedKinds(kubernetes)).map(({ resource }) => resource.plural)).toContain("applications");
  });

  it("is not made with a part missing", async () => {
    const gone = new Failure("KUBERNETES_UNREACHABLE", { what: "gone" });
    kubernetes.fail({ resource: resources.storageClasses }, gone);
    await expect(readRecordedKinds(kubernetes)).rejects.toBe(gone);
  });
});

describe("a clone's dataset", () => {
  it("is recorded with its origin", async () => {
    const clone = aDataset("tank/k8s/nfs/v/clone", { origin: "tank/k8s/nfs/v/pvc-1@s" });
    await write(start, await look({ ...viewOf(samples), datasets: [clone] }));
    expect((await readInventory(bucket, "home"))?.nas?.datasets).toEqual([clone]);
  });
});
