import { describe, expect, it } from "vitest";
import { claim, clusterUid } from "../inventory/identity.ts";
import { Failure } from "../model/failure.ts";
import { HealthyWorld } from "./testing/healthy.ts";

const denied = (what: string): Failure => new Failure("BUCKET_DENIED", { what });
const isOurs = (key: string): boolean => key.startsWith("holdfast/cluster/doctor/");

/** What is left of a trial in our part of the bucket. */
const keysOf = async (world: HealthyWorld): Promise<readonly string[]> => {
  const keys: string[] = [];
  for await (const { key } of world.store.list("holdfast/cluster/doctor/")) keys.push(key);
  return keys;
};

describe("bucket", () => {
  it("is failed when it cannot be listed, and writing is not tried", async () => {
    const world = new HealthyWorld();
    world.store.fail("list", denied("no listing"));
    expect(await world.result("bucket")).toMatchObject({ verdict: "failed", code: "BUCKET_DENIED" });
    expect(await world.result("bucket-write")).toMatchObject({ verdict: "unknown", found: "needs bucket" });
    expect(world.store.calls.some(({ verb }) => verb === "write")).toBe(false);
  });
});

describe("prefix", () => {
  const withPrefix = (prefix: string): HealthyWorld => {
    const world = new HealthyWorld();
    const { config } = world.loaded;
    return Object.assign(world, {
      loaded: { ...world.loaded, config: { ...config, bucket: { ...config.bucket, prefix } } },
    });
  };

  it("has to leave room beside it: Velero stops when it finds our records below its own prefix; nothing is written", async () => {
    for (const prefix of ["", "/", "holdfast", "holdfast/cluster/"]) {
      const world = withPrefix(prefix);
      expect(await world.result("prefix")).toMatchObject({ verdict: "failed", code: "CONFIG_INVALID" });
      expect(await world.result("bucket-write")).toMatchObject({ verdict: "unknown", found: "needs prefix" });
      expect(world.store.calls.some(({ verb }) => verb === "write")).toBe(false);
    }
  });

  it("may begin like ours", async () => {
    expect(await withPrefix("hold").result("prefix")).toMatchObject({ verdict: "ok" });
  });
});

describe("identity", () => {
  const claimedBy = async (world: HealthyWorld, uid: string): Promise<void> =>
    claim(world.store, "cluster", { uid, name: "cluster", holdfast: "0.1.0" }, 0);

  it("is ok while the bucket is nobody's, and leaves it so", async () => {
    const world = new HealthyWorld();
    expect((await world.result("identity")).found).toContain("holdfast/cluster/ is nobody's yet");
    expect(await world.result("bucket-write")).toMatchObject({ verdict: "ok" });
    expect(await keysOf(world)).toEqual([]);
  });

  it("is ok when the bucket is this cluster's, and says since when", async () => {
    const world = new HealthyWorld();
    await claimedBy(world, await clusterUid(world.cluster));
    expect((await world.result("identity")).found).toMatch(/^holdfast\/cluster\/ is of this cluster .* since 1970-/);
  });

  it("is FENCED when the bucket is another cluster's, and nothing is tried there", async () => {
    const world = new HealthyWorld();
    await claimedBy(world, "uid-other");
    const before = world.store.calls.length;
    const { verdict, code, found, todo } = await world.result("identity");
    expect({ verdict, code }).toEqual({ verdict: "failed", code: "FENCED" });
    expect(found).toContain(await clusterUid(world.cluster));
    expect(found).toContain("uid-other");
    expect(todo).toContain("holdfast adopt");
    expect(await world.result("bucket-write")).toMatchObject({ verdict: "unknown", found: "needs identity" });
    expect(world.store.calls.slice(before).some(({ verb }) => verb === "write" || verb === "remove")).toBe(false);
  });
});

describe("bucket-write", () => {
  it("is failed when writing, listing, reading or removing is refused, and nothing stays where that is possible", async () => {
    for (const verb of ["write", "list", "read", "remove"] as const) {
      const world = new HealthyWorld();
      const restore = world.store.fail((call) => call.verb === verb && isOurs(call.key), denied(`no ${verb}`));
      expect(await world.result("bucket-write")).toMatchObject({
        verdict: "failed",
        code: "BUCKET_DENIED",
        found: `no ${verb}`,
      });
      restore();
      expect(await keysOf(world)).toHaveLength(verb === "remove" ? 1 : 0);
    }
  });

  it("removes an object whose writing took effect although its answer was lost", async () => {
    const world = new HealthyWorld();
    world.store.fail("write", denied("lost"), { afterEffect: true });
    expect(await world.result("bucket-write")).toMatchObject({ verdict: "failed", found: "lost" });
    expect(await keysOf(world)).toEqual([]);
  });

  it("tells of both when neither reading nor removing works", async () => {
    const world = new HealthyWorld();
    world.store.fail((call) => call.verb === "read" && isOurs(call.key), denied("no read"));
    world.store.fail("remove", denied("no removing"));
    expect((await world.result("bucket-write")).found).toBe("no read removing it failed too: no removing");
  });

  it("is failed when what comes back is not what was written, or stays after its removal", async () => {
    const changing = new HealthyWorld();
    const read = changing.store.get.bind(changing.store);
    changing.store.get = async (key) => (isOurs(key) ? { body: new Uint8Array(3), etag: "x" } : read(key));
    expect(await changing.result("bucket-write")).toMatchObject({ verdict: "failed", code: "BUCKET_REFUSED" });
    const keeping = new HealthyWorld();
    keeping.store.remove = async () => undefined;
    expect((await keeping.result("bucket-write")).found).toContain("still there after its removal");
  });

  it("warns when the clocks of store and machine are more than a minute apart, in either direction", async () => {
    for (const ahead of [120_000, -120_000]) {
      const { verdict, found } = await new HealthyWorld({ ahead }).result("bucket-write");
      expect(verdict).toBe("warning");
      expect(found).toMatch(/differs by (119|120|2 min)/);
    }
    expect(await new HealthyWorld({ ahead: 20_000 }).result("bucket-write")).toMatchObject({ verdict: "ok" });
  });
});
