/** What `holdfast undelete` finds, prints, and refuses. How plans are carried out: `src/guard/undelete/undelete.test.ts`. */
import { describe, expect, it } from "vitest";
import { putVolume } from "../guard/protect/testing/cluster.ts";
import type { PersistentVolume } from "../inventory/raw.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import { recordInventory } from "./nas-view.ts";
import { fakeWorld, type FakeWorld } from "./testing/fake-world.ts";
import { bringBack } from "./undelete-body.ts";

const flags = { yes: true, dryRun: true, json: false, timeout: 1000 };
const claims = resources.persistentVolumeClaims;

const ask = async (
  place: FakeWorld,
  changed: Partial<typeof flags>,
  ...references: readonly string[]
): Promise<string> => {
  await bringBack(place.cli, place.world, { ...flags, ...changed }, references);
  return place.context.out();
};

const policyOf = async ({ kubernetes }: FakeWorld, name: string): Promise<string | undefined> =>
  (await kubernetes.get<PersistentVolume>(resources.persistentVolumes, { name }))?.spec.persistentVolumeReclaimPolicy;

/** Media has two claims: one that stands, and one that is being deleted. */
const withDeletion = async (): Promise<FakeWorld> => {
  const place = fakeWorld();
  putVolume(place.kubernetes, "media/radarr");
  putVolume(place.kubernetes, "media/sonarr", { metadata: { finalizers: ["kubernetes.io/pvc-protection"] } });
  await place.kubernetes.remove(claims, { namespace: "media", name: "sonarr" });
  return place;
};

/** An inventory knows a claim; now claim, PersistentVolume and bytes are gone. */
const withoutBytes = async (): Promise<FakeWorld> => {
  const place = await withDeletion();
  const { kubernetes, world } = place;
  putVolume(kubernetes, "misc/old");
  await recordInventory(world, undefined);
  await kubernetes.remove(claims, { namespace: "misc", name: "old" });
  await kubernetes.remove(resources.persistentVolumes, { name: "pv-old" });
  return place;
};

describe("holdfast undelete", () => {
  it("finds nothing where nothing is deleted", async () => {
    const place = fakeWorld();
    putVolume(place.kubernetes, "media/radarr");
    expect(await ask(place, {})).toBe("Nothing is deleted.\n");
    expect(JSON.parse(await ask(place, { json: true }).then((text) => text.split("\n")[1] ?? ""))).toEqual({
      type: "plan",
      plan: { volumes: [] },
    });
  });

  it("says of each volume what is left of it, and changes nothing in a dry run", async () => {
    const place = await withDeletion();
    const text = await ask(place, {});
    expect(text).toContain("media/sonarr\n  its claim is being deleted; its bytes are untouched: nothing is lost\n");
    expect(text).not.toContain("radarr");
    expect(await policyOf(place, "pv-sonarr")).toBe("Delete");
  });

  it("starts the app again, unless that is being deleted too", async () => {
    const planWith = async (going: object): Promise<string> => {
      const place = await withDeletion();
      const volumes = [{ name: "config", persistentVolumeClaim: { claimName: "sonarr" } }];
      place.kubernetes.put(resources.deployments, {
        metadata: { namespace: "media", name: "sonarr", ...going },
        spec: { replicas: 1, template: { spec: { containers: [], volumes } } },
      } as never);
      return ask(place, {});
    };
    expect(await planWith({})).toContain("Deployment media/sonarr");
    const going = { deletionTimestamp: "2026-01-01T00:00:00Z", finalizers: ["foregroundDeletion"] };
    expect(await planWith(going)).not.toContain("Deployment media/sonarr");
  });

  it("says of one that stands that it is not deleted", async () => {
    await expect(ask(await withDeletion(), {}, "media/radarr")).rejects.toMatchObject({ code: "NOT_DELETED" });
  });

  it("keeps the bytes, and stops before it begins, when a right is missing", async () => {
    const place = await withDeletion();
    place.kubernetes.deny({ verb: "create", resource: claims });
    await expect(ask(place, { dryRun: false })).rejects.toMatchObject({
      code: "KUBERNETES_FORBIDDEN",
      why: "missing: create persistentvolumeclaims cluster-wide",
    });
    expect(await policyOf(place, "pv-sonarr")).toBe("Retain");
    expect(await policyOf(place, "pv-radarr")).toBe("Delete");
  });

  it("lists without a name what has no bytes left, and brings back the rest", async () => {
    const text = await ask(await withoutBytes(), {});
    expect(text).toContain("misc/old\n  its bytes are gone: `holdfast undelete misc/old` brings it back from a copy");
    expect(text).toMatch(/make the claim media\/sonarr again/);
    expect(text).not.toMatch(/make the claim misc\/old again/);
  });

  it("is an error, and no good news, where all that is deleted cannot come back", async () => {
    const place = fakeWorld();
    const { kubernetes, world } = place;
    putVolume(kubernetes, "misc/old");
    await recordInventory(world, undefined);
    await kubernetes.remove(claims, { namespace: "misc", name: "old" });
    kubernetes.put(claims, { metadata: { namespace: "misc", name: "other" }, spec: { volumeName: "pv-old" } } as never);
    const claimRef = { namespace: "misc", name: "other" };
    await kubernetes.mergePatch(resources.persistentVolumes, { name: "pv-old" }, { spec: { claimRef } });
    await expect(ask(place, {})).rejects.toMatchObject({
      code: "UNDELETE_IMPOSSIBLE",
      why: "PersistentVolume pv-old belongs to misc/other now",
    });
  });

  it("says of one that was named that there is no copy of it", async () => {
    await expect(ask(await withoutBytes(), {}, "misc/old")).rejects.toMatchObject({ code: "COPY_MISSING" });
  });
});
