/** The server against the twin: what it does by itself, and what happens to it. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { guardKey, openingKey, openingUntilKey } from "../guard/protect/mode.ts";
import { planOpening } from "../guard/protect/opening.ts";
import { readGuardView } from "../guard/protect/view.ts";
import { Failure } from "../model/failure.ts";
import { leaseName } from "../operation/locks.ts";
import { Life } from "../operation/testing/mortal.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import { serveLock, serveVerb } from "./names.ts";
import { conflict, ServerScene, unreachable } from "./testing/scene.ts";

const claims = resources.persistentVolumeClaims;
const sonarr = "media/sonarr";
const ownedByPod = { ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: "web", uid: "u" }] };
const bucketDown = new Failure("BUCKET_UNREACHABLE", { what: "no answer" });
const foreign = new Failure("FENCED", { what: "fenced", why: "it is of another cluster" });

let scene: ServerScene;
beforeEach(() => {
  scene = new ServerScene();
});
afterEach(() => scene.close());

const modeOf = async (path: string) => (await scene.claim(path))?.metadata.annotations?.[guardKey];
const isGuarded = async (path: string, mode = "deny"): Promise<boolean> => {
  const claim = await scene.claim(path);
  const held = claim?.metadata.finalizers?.includes("holdfast.dev/guard") === true;
  const pv = await scene.policyOf(claim?.spec.volumeName ?? "");
  return claim?.metadata.annotations?.[guardKey] === mode && held && pv === "Retain";
};
const remove = (path: string) => {
  const [namespace = "", name = ""] = path.split("/");
  return scene.kubernetes.remove(claims, { namespace, name });
};
const lease = () => scene.kubernetes.get(resources.leases, { namespace: "default", name: leaseName(serveLock) });

describe("volumes that are not guarded", () => {
  it("are guarded within seconds, those that were there and those that come", async () => {
    scene.put(sonarr);
    const server = scene.start("a");
    await scene.until(() => isGuarded(sonarr), 3000);
    await expect(remove(sonarr)).rejects.toMatchObject({ code: "KUBERNETES_REFUSED" });
    scene.put("media/radarr");
    await scene.until(() => isGuarded("media/radarr"), 3000);
    await scene.until(() => server.standing.volumes.guarded === 2, 3000);
    expect((await scene.journal.sizes()).size).toBe(2);
  });

  it("are left alone when they are rightly not guarded, and nothing is begun for them", async () => {
    scene.put("media/web-scratch", { metadata: ownedByPod });
    scene.put("media/out", { metadata: { annotations: { [guardKey]: "off" } } });
    const server = scene.start("a");
    await scene.until(() => server.standing.volumes.excepted === 2, 5000);
    expect((await scene.journal.sizes()).size).toBe(0);
  });

  it("get the mode that was asked for; those that have one keep it", async () => {
    scene.put(sonarr);
    const first = scene.start("a", { mode: "hold" });
    await scene.until(() => isGuarded(sonarr, "hold"), 3000);
    first.end();
    await first.ended;
    scene.put("media/radarr");
    scene.start("b");
    await scene.until(() => isGuarded("media/radarr"), 20_000);
    expect(await modeOf(sonarr)).toBe("hold");
  });

  it("are guarded also beside one that nobody can guard, which is told and tried again", async () => {
    scene.put(sonarr);
    scene.put("media/bad");
    const server = scene.start("a");
    const mend = server.kubernetes.fail(
      { verb: "patch", resource: claims, name: "bad" },
      () => new Failure("KUBERNETES_REFUSED", { what: "another policy says no" }),
    );
    await scene.until(() => isGuarded(sonarr), 30_000);
    await scene.until(() => server.standing.failing.get("guard media/bad") === "another policy says no", 30_000);
    expect(await isGuarded("media/bad")).toBe(false);
    const tries = (await scene.journal.sizes()).size;
    await scene.pass(60_000);
    expect((await scene.journal.sizes()).size - tries).toBeLessThan(8);
    mend();
    await scene.until(() => isGuarded("media/bad"), 300_000);
    await scene.until(() => server.standing.failing.size === 0, 1000);
  });

  it("are guarded again when somebody takes parts of the guard away", async () => {
    scene.put(sonarr);
    scene.start("a");
    await scene.until(() => isGuarded(sonarr), 3000);
    await scene.kubernetes.remove(resources.admissionPolicyBindings, { name: "holdfast-guard" });
    const isBack = async () =>
      (await scene.kubernetes.get(resources.admissionPolicyBindings, { name: "holdfast-guard" })) !== undefined;
    await scene.until(isBack, 10_000);
    await expect(remove(sonarr)).rejects.toMatchObject({ code: "KUBERNETES_REFUSED" });
  });
});

describe("a claim that is deleted", () => {
  it("keeps its bytes though it was never guarded, and says so", async () => {
    scene.put(sonarr);
    const server = scene.start("a", { mode: "off" });
    await scene.until(() => server.standing.lastReconcile !== undefined, 3000);
    await remove(sonarr);
    await scene.until(async () => (await scene.policyOf("pv-sonarr")) === "Retain", 300);
    await scene.until(() => server.standing.retained === 1, 1000);
    expect(await scene.events()).toEqual(["HoldfastRetained"]);
    await scene.unprotect(sonarr);
    await scene.pass(2000);
    expect([server.standing.retained, await scene.policyOf("pv-sonarr")]).toEqual([1, "Retain"]);
  });

  it("keeps its bytes also when others write to the PersistentVolume, or a patch fails at first", async () => {
    scene.put(sonarr);
    const server = scene.start("a", { mode: "off" });
    await scene.until(() => server.standing.lastReconcile !== undefined, 3000);
    const patch = { verb: "patch", resource: resources.persistentVolumes };
    server.kubernetes.fail(patch, conflict, { times: 2 });
    server.kubernetes.fail(patch, () => new Failure("KUBERNETES_REFUSED", { what: "no" }), { times: 3 });
    await remove(sonarr);
    await scene.until(async () => (await scene.policyOf("pv-sonarr")) === "Retain", 20_000);
    await scene.until(() => server.standing.failing.size === 0, 2000);
    expect(server.standing).toMatchObject({ retained: 1, failures: 3 });
  });

  it("goes with its bytes when it was ephemeral, also once it is gone", async () => {
    scene.put("media/web-scratch", { metadata: ownedByPod });
    const server = scene.start("a");
    await scene.until(() => server.standing.lastReconcile !== undefined, 3000);
    await remove("media/web-scratch");
    await scene.pass(2000);
    await scene.unprotect("media/web-scratch");
    await scene.pass(40_000);
    expect(await scene.claim("media/web-scratch")).toBeUndefined();
    expect([server.standing.retained, await scene.policyOf("pv-web-scratch")]).toEqual([0, "Delete"]);
  });

  it("past the policy is held until the bucket has it, and let go then", async () => {
    scene.put(sonarr);
    scene.bucketFailure = bucketDown;
    const server = scene.start("a");
    await scene.until(() => isGuarded(sonarr), 5000);
    await scene.removePastThePolicy(sonarr);
    await scene.unprotect(sonarr);
    await scene.pass(60_000);
    expect((await scene.claim(sonarr))?.metadata.finalizers).toEqual(["holdfast.dev/guard"]);
    expect(server.lines.map(({ text }) => text)).toContain(
      `${sonarr} is being deleted, and waits for the inventory in the bucket to have it`,
    );
    scene.bucketFailure = undefined;
    await scene.until(async () => (await scene.claim(sonarr)) === undefined, 180_000);
    expect(await scene.policyOf("pv-sonarr")).toBe("Retain");
    expect(await scene.events()).toContain("HoldfastLetGo");
  });

  it("in mode hold stays until it is answered", async () => {
    scene.put(sonarr);
    scene.start("a", { mode: "hold" });
    await scene.until(() => isGuarded(sonarr, "hold"), 5000);
    await remove(sonarr);
    await scene.unprotect(sonarr);
    await scene.pass(60_000);
    const held = await scene.claim(sonarr);
    expect(held?.metadata.finalizers).toEqual(["holdfast.dev/guard"]);
    const annotations = { [openingKey]: held?.metadata.uid };
    await scene.kubernetes.mergePatch(claims, held?.metadata ?? { name: "" }, { metadata: { annotations } });
    await scene.until(async () => (await scene.claim(sonarr)) === undefined, 5000);
  });
});

describe("an opening", () => {
  it("is closed when its time is over, not before", async () => {
    scene.put(sonarr);
    scene.start("a");
    await scene.until(() => isGuarded(sonarr), 3000);
    const claim = await scene.claim(sonarr);
    const until = new Date(scene.clock.now() + 30_000).toISOString();
    const annotations = { [openingKey]: claim?.metadata.uid, [openingUntilKey]: until };
    const user = scene.kubernetes.as("a user");
    await user.mergePatch(claims, claim?.metadata ?? { name: "" }, { metadata: { annotations } });
    const isOpen = async () => (await scene.claim(sonarr))?.metadata.annotations?.[openingKey] !== undefined;
    await scene.pass(25_000);
    expect(await isOpen()).toBe(true);
    await scene.until(async () => !(await isOpen()), 8000);
    expect(await isGuarded(sonarr)).toBe(true);
    await expect(remove(sonarr)).rejects.toMatchObject({ code: "KUBERNETES_REFUSED" });
  });
});

describe("a user's own operation", () => {
  it("is not taken for damage to the guard while it is in the middle, and its wish stands afterwards", async () => {
    scene.put(sonarr);
    scene.start("a");
    await scene.until(() => isGuarded(sonarr), 3000);
    await scene.pass(5000);
    const plan = planOpening(await readGuardView(scene.kubernetes), {
      volume: sonarr,
      until: scene.clock.now() + 3_600_000,
    });
    const done = scene.userOperations(1200).start("user-1", plan);
    await scene.pass(60_000);
    expect(await done).toMatchObject({ status: "done" });
    const { metadata } = (await scene.claim(sonarr)) ?? {};
    expect(metadata?.annotations).toMatchObject({ [openingKey]: metadata?.uid, [guardKey]: "deny" });
    expect(metadata?.finalizers).toEqual(["kubernetes.io/pvc-protection"]);
    await remove(sonarr);
    expect((await scene.claim(sonarr))?.metadata.deletionTimestamp).toBeDefined();
  });
});

describe("a server whose world breaks", () => {
  it("goes on after its watches have expired, and sees what happened meanwhile", async () => {
    scene.put(sonarr);
    const server = scene.start("a", { mode: "off" });
    await scene.until(() => server.standing.lastReconcile !== undefined, 3000);
    await remove(sonarr);
    scene.kubernetes.expireWatches();
    scene.put("media/radarr");
    await scene.until(async () => (await scene.policyOf("pv-sonarr")) === "Retain", 5000);
    await scene.until(() => server.standing.volumes.unguarded === 1, 5000);
    expect(server.standing.isLeader).toBe(true);
  });

  it("waits for an API server that is away for minutes, and keeps what was deleted meanwhile", async () => {
    scene.put(sonarr);
    const server = scene.start("a", { mode: "off" });
    await scene.until(() => server.standing.lastReconcile !== undefined, 3000);
    const back = server.kubernetes.fail(() => true, unreachable);
    scene.kubernetes.expireWatches();
    await scene.pass(120_000);
    expect([server.standing.isLeader, server.standing.waitsFor]).toEqual([false, "no answer"]);
    await remove(sonarr);
    back();
    await scene.until(async () => (await scene.policyOf("pv-sonarr")) === "Retain", 20_000);
    expect(server.lines.length).toBeLessThan(30);
  });

  it("that may not read a kind says so and keeps bytes all the same", async () => {
    scene.put(sonarr);
    const server = scene.start("a");
    server.kubernetes.deny({ resource: resources.statefulSets });
    await scene.until(() => server.standing.failing.has("watching"), 5000);
    await remove(sonarr);
    await scene.until(async () => (await scene.policyOf("pv-sonarr")) === "Retain", 1000);
    expect(server.standing.missing).toEqual(["statefulsets"]);
  });

  it("whose bucket is another cluster's keeps bytes, and changes nothing else", async () => {
    scene.bucketFailure = foreign;
    scene.put(sonarr);
    scene.put("media/radarr");
    const server = scene.start("a");
    await scene.until(() => server.standing.fenced !== undefined, 3000);
    await remove(sonarr);
    await scene.until(async () => (await scene.policyOf("pv-sonarr")) === "Retain", 1000);
    await scene.pass(30_000);
    expect(await modeOf("media/radarr")).toBeUndefined();
    scene.bucketFailure = undefined;
    await scene.until(() => isGuarded("media/radarr"), 130_000);
  });
});

describe("several servers", () => {
  it("leave it to one; another one takes over when that one ends", async () => {
    scene.put(sonarr);
    const first = scene.start("a");
    await scene.until(() => isGuarded(sonarr), 3000);
    const second = scene.start("b");
    await scene.until(() => second.standing.waitsFor.startsWith("another one leads"), 10_000);
    expect([first.standing.isLeader, second.standing.isLeader]).toEqual([true, false]);
    first.end();
    await first.ended;
    await scene.until(() => second.standing.isLeader, 10_000);
    scene.put("media/radarr");
    await scene.until(() => isGuarded("media/radarr"), 3000);
  });

  it("do not both act: one that was paused and has lost its lease writes nothing when it wakes", async () => {
    scene.put(sonarr);
    const first = scene.start("a", { mode: "off" });
    await scene.until(() => first.standing.lastReconcile !== undefined, 3000);
    const second = scene.start("b", { mode: "off" });
    await scene.until(() => second.standing.waitsFor.startsWith("another one leads"), 10_000);
    const patches = { verb: "patch", resource: resources.persistentVolumes };
    const mend = second.kubernetes.fail(patches, () => new Failure("KUBERNETES_REFUSED", { what: "no" }));
    // It is stopped between looking at the PersistentVolume and changing it.
    first.kubernetes.fail(({ verb, resource }) => {
      if (verb === "get" && resource?.plural === "persistentvolumes") first.freeze();
      return false;
    }, unreachable);
    await remove(sonarr);
    await scene.until(() => second.standing.isLeader, 40_000);
    const writes: string[] = [];
    first.kubernetes.fail(({ verb, resource }) => {
      if (verb !== "get" && verb !== "list" && verb !== "watch" && resource?.plural !== "selfsubjectaccessreviews")
        writes.push(`${verb} ${resource?.plural}`);
      return false;
    }, unreachable);
    first.thaw();
    await scene.until(() => first.standing.waitsFor.startsWith("another one leads"), 20_000);
    // Its own lease, as it had it: that is another one by now, and stays.
    expect(writes.filter((write) => write !== "delete leases")).toEqual([]);
    expect([second.standing.isLeader, await scene.policyOf("pv-sonarr")]).toEqual([true, "Delete"]);
    expect(first.lines.map(({ event }) => event)).toContain("lease-lost");
    mend();
    await scene.until(async () => (await scene.policyOf("pv-sonarr")) === "Retain", 70_000);
  });

  it.each(Array.from({ length: 30 }, (_, index) => 8 + index * 9))(
    "carry on what one has left that was killed at call %i",
    async (call) => {
      scene.put(sonarr);
      scene.put("media/radarr");
      const life = new Life(call);
      const first = scene.start("a", { life });
      await scene.pass(10_000);
      scene.put("media/late");
      const second = scene.start("b");
      const all = [sonarr, "media/radarr", "media/late"];
      await scene.until(async () => (await Promise.all(all.map((path) => isGuarded(path)))).every(Boolean), 120_000);
      await scene.until(() => Math.max(second.standing.volumes.guarded, first.standing.volumes.guarded) === 3, 60_000);
      expect([...second.standing.failing]).toEqual([]);
    },
  );
});

describe("a server that is told to end", () => {
  it("ends within seconds, lets its lease go, and leaves the guard as it is", async () => {
    scene.put(sonarr);
    const server = scene.start("a");
    await scene.until(() => isGuarded(sonarr), 3000);
    expect(await lease()).toBeDefined();
    server.end();
    await scene.pass(200);
    await server.ended;
    expect(await lease()).toBeUndefined();
    expect(await isGuarded(sonarr)).toBe(true);
  });

  it("ends also while the API server does not answer", async () => {
    const server = scene.start("a");
    await scene.until(() => server.standing.isLeader, 3000);
    server.kubernetes.fail(() => true, unreachable);
    server.end();
    await scene.pass(6000);
    await server.ended;
    expect(server.lines.at(-1)?.event).toBe("ended");
  });
});

it("names its operations, so that undo passes them over", async () => {
  scene.put(sonarr);
  scene.start("a");
  await scene.until(() => isGuarded(sonarr), 3000);
  const [id = ""] = (await scene.journal.sizes()).keys();
  const [planned = ""] = await scene.journal.read(id);
  expect(JSON.parse(planned)).toMatchObject({
    plan: { verb: serveVerb, title: expect.stringContaining("by holdfast serve") as string },
  });
});
