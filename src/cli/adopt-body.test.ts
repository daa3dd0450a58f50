import { describe, expect, it } from "vitest";
import { clusterUid } from "../inventory/identity.ts";
import { Failure } from "../model/failure.ts";
import { adoptBucket } from "./adopt-body.ts";
import { fenceOf, requireOwnBucket } from "./fence.ts";
import { showStatus } from "./status-body.ts";
import { fakeWorld, type FakeWorld } from "./testing/fake-world.ts";

const key = "holdfast/home/operations/1.json";
const write = async ({ world }: FakeWorld): Promise<unknown> => (await world.bucket()).put(key, new Uint8Array());
const typing = (...typed: readonly string[]) => ({ isTTY: true, typed });

/** An old cluster that has written, and its successor with the same holdfast.yaml. */
const twoClusters = async (...typed: readonly string[]): Promise<{ old: FakeWorld; successor: FakeWorld }> => {
  const old = fakeWorld();
  await write(old);
  return { old, successor: fakeWorld(typing(...typed), { store: old.store }) };
};

describe("holdfast adopt", () => {
  it("shows both clusters, and settles the fence for the one whose name was typed", async () => {
    const { old, successor } = await twoClusters("home");
    await expect(write(successor)).rejects.toMatchObject({ code: "FENCED" });
    await adoptBucket(successor.cli, successor.world);
    for (const { kubernetes } of [old, successor])
      expect(successor.context.err()).toContain(await clusterUid(kubernetes));
    await write(successor);
    await expect(write(old)).rejects.toMatchObject({ code: "FENCED" });
  });

  it.each([[["no"]], [["cottage"]], [[]]])("changes nothing when %j is typed", async (typed) => {
    const { old, successor } = await twoClusters(...typed);
    await expect(adoptBucket(successor.cli, successor.world)).rejects.toMatchObject({ code: "NOT_CONFIRMED" });
    await write(old);
  });

  it("is refused where nobody can be asked", async () => {
    const { old } = await twoClusters();
    const successor = fakeWorld({}, { store: old.store });
    await expect(adoptBucket(successor.cli, successor.world)).rejects.toMatchObject({ code: "NOT_INTERACTIVE" });
  });

  it("asks nothing and writes nothing when there is nothing to settle", async () => {
    const { old } = await twoClusters();
    for (const place of [old, fakeWorld()]) {
      const before = place.store.calls.length;
      await adoptBucket(place.cli, place.world);
      expect(place.context.out()).toMatch(/nothing to do/i);
      expect(place.store.calls.slice(before).some(({ verb }) => verb === "write")).toBe(false);
    }
  });
});

describe("a fenced cluster", () => {
  it("begins no backup whose end it could not write down", async () => {
    const { successor } = await twoClusters();
    await expect(requireOwnBucket(successor.world)).rejects.toMatchObject({ code: "FENCED" });
  });

  it.each(["table", "wide"] as const)("is told so by status, though it is empty: %s", async (output) => {
    const { old, successor } = await twoClusters();
    await showStatus(successor.cli, successor.world, { output });
    expect(successor.context.out()).toContain("FENCED: holdfast/home/ in the bucket is not this cluster's");
    expect(successor.context.out()).toContain(await clusterUid(old.kubernetes));
    expect(successor.context.out()).toContain("holdfast adopt");
    expect(successor.status()).toBe(5);
  });

  it("is told so in data too", async () => {
    const { successor } = await twoClusters();
    await showStatus(successor.cli, successor.world, { output: "json" });
    expect(JSON.parse(successor.context.out())).toMatchObject({ fenced: { what: expect.any(String) as string } });
  });

  it("is not told apart while its API server is silent", async () => {
    const { successor } = await twoClusters();
    successor.kubernetes.fail(() => true, new Failure("KUBERNETES_UNREACHABLE", { what: "gone" }));
    expect(await fenceOf(successor.world)).toBeUndefined();
  });
});
