import { beforeEach, describe, expect, it } from "vitest";
import { Failure } from "../model/failure.ts";
import { MemoryKubernetes } from "../systems/kubernetes/memory.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import { handClock, jumpingClock } from "../systems/kubernetes/testing/world.ts";
import { defaultLockTimes, leaseName, Locks } from "./locks.ts";

const times = defaultLockTimes;
const never = new AbortController().signal;
const holder = (run: string) => ({ operation: `op-${run}`, run, what: `restore media/sonarr, on ${run}` });

let clock: ReturnType<typeof jumpingClock>;
let kubernetes: MemoryKubernetes;
beforeEach(() => {
  clock = jumpingClock();
  kubernetes = new MemoryKubernetes({ clock, randomId: () => "0" });
});

const worldOf = (own: { now(): number; sleep(ms: number, signal?: AbortSignal): Promise<void> } = clock) => ({
  kubernetes,
  clock: own,
  namespace: "default",
  times,
});

/** What a promise fails with. Asked for at once, so that its failure is never unhandled. */
const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

const leases = async () => (await kubernetes.list(resources.leases)).items.map(({ metadata }) => metadata.name);

describe("locks on volumes", () => {
  it("are Leases that name the holder, and go with it", async () => {
    const still = handClock();
    const locks = await Locks.acquire(worldOf(still), ["media/sonarr", "home/mealie"], holder("a"), never);
    expect(await leases()).toEqual([leaseName("home/mealie"), leaseName("media/sonarr")]);
    const lease = await kubernetes.get(resources.leases, { namespace: "default", name: leaseName("media/sonarr") });
    expect(lease).toMatchObject({
      metadata: { annotations: { "holdfast.dev/volume": "media/sonarr" } },
      spec: { holderIdentity: "op-a/a", leaseDurationSeconds: 30 },
    });
    locks.demand();
    await locks.release();
    expect(await leases()).toEqual([]);
  });

  it("keep others out, who learn who it is at the holder's next sign of life", async () => {
    const own = handClock();
    const locks = await Locks.acquire(worldOf(own), ["media/sonarr"], holder("a"), never);
    const other = handClock();
    const second = Locks.acquire(worldOf(other), ["home/mealie", "media/sonarr"], holder("b"), never);
    const refused = failureOf(second);
    await other.advance(0);
    await own.advance(times.renewEvery);
    await other.advance(times.lookEvery);
    expect(await refused).toMatchObject({
      code: "LOCKED",
      why: expect.stringContaining("restore media/sonarr, on a (operation op-a)") as string,
    });
    expect(await leases()).toEqual([leaseName("media/sonarr")]);
    await locks.release();
  });

  it.each([-86_400_000, 0, 86_400_000])(
    "of a dead process fall after their time, also when its clock was wrong by %d ms",
    async (wrong) => {
      const other = { now: () => clock.now() + wrong, sleep: () => new Promise<void>(() => undefined) };
      await Locks.acquire(worldOf(other), ["media/sonarr"], holder("a"), never);
      const began = clock.now();
      const locks = await Locks.acquire(worldOf(), ["media/sonarr"], holder("b"), never);
      expect(clock.now() - began).toBeGreaterThanOrEqual(times.duration);
      locks.demand();
      await locks.release();
    },
  );

  it("that a run has lost, and that nobody has taken, are its own again at once", async () => {
    const own = handClock();
    const lost = await Locks.acquire(worldOf(own), ["media/sonarr"], holder("a"), never);
    await own.advance(times.duration);
    expect(() => lost.demand()).toThrow("LOCK_LOST");
    const again = await Locks.acquire(worldOf(own), ["media/sonarr"], holder("a"), never);
    again.demand();
    await again.release();
  });

  it("of a dead process with many volumes fall together", async () => {
    const volumes = Array.from({ length: 9 }, (_, index) => `media/app-${index}`);
    const dead = { now: () => clock.now(), sleep: () => new Promise<void>(() => undefined) };
    await Locks.acquire(worldOf(dead), volumes, holder("a"), never);
    const began = clock.now();
    const locks = await Locks.acquire(worldOf(), volumes, holder("b"), never);
    expect(clock.now() - began).toBeGreaterThanOrEqual(times.duration);
    expect(clock.now() - began).toBeLessThan(1.5 * times.duration);
    await locks.release();
  });

  it("of a living process are not taken because another one of its is dead", async () => {
    const dead = { now: () => clock.now(), sleep: () => new Promise<void>(() => undefined) };
    await Locks.acquire(worldOf(dead), ["a/a"], holder("a"), never);
    const living = handClock();
    await Locks.acquire(worldOf(living), ["b/b"], holder("b"), never);
    const own = handClock();
    const refused = failureOf(Locks.acquire(worldOf(own), ["a/a", "b/b"], holder("c"), never));
    for (let passed = 0; passed < times.duration + 10_000; passed += times.lookEvery) {
      await living.advance(times.lookEvery);
      await own.advance(times.lookEvery);
    }
    expect(await refused).toMatchObject({
      code: "LOCKED",
      why: expect.stringContaining("on b (operation op-b)") as string,
    });
  });

  it("are not taken from a living process, whose clock is a day ahead", async () => {
    const own = handClock();
    const ahead = { ...own, now: () => own.now() + 86_400_000 };
    const locks = await Locks.acquire(worldOf(ahead), ["media/sonarr"], holder("a"), never);
    const other = handClock();
    const second = Locks.acquire(worldOf(other), ["media/sonarr"], holder("b"), never);
    const refused = failureOf(second);
    await other.advance(0);
    await own.advance(times.renewEvery);
    await other.advance(times.lookEvery);
    expect(await refused).toMatchObject({ code: "LOCKED" });
    await locks.release();
  });

  it("are lost to a process that slept through its time, before anybody else may have them", async () => {
    const own = handClock();
    const locks = await Locks.acquire(worldOf(own), ["media/sonarr"], holder("a"), never);
    let slept = 0;
    const sleeper = { ...own, now: () => own.now() + slept };
    const paused = await Locks.acquire(worldOf(sleeper), ["home/mealie"], holder("c"), never);
    slept = times.duration - times.margin;
    expect(() => paused.demand()).toThrow("LOCK_LOST");
    expect(paused.signal.aborted).toBe(true);
    locks.demand();
    await locks.release();
  });

  it("are not given back by a process that lost them to another", async () => {
    const own = handClock();
    const dead = { ...own, sleep: () => new Promise<void>(() => undefined) };
    const lost = await Locks.acquire(worldOf(dead), ["media/sonarr"], holder("a"), never);
    const taken = await Locks.acquire(worldOf(), ["media/sonarr"], holder("b"), never);
    const before = await kubernetes.get(resources.leases, { namespace: "default", name: leaseName("media/sonarr") });
    void lost.release();
    await new Promise((resolve) => setImmediate(resolve));
    const after = await kubernetes.get(resources.leases, { namespace: "default", name: leaseName("media/sonarr") });
    expect(after?.metadata.uid).toBe(before?.metadata.uid);
    await taken.release();
  });

  it("survive a cluster that does not answer for a while, and are lost when it takes too long", async () => {
    const own = handClock();
    const locks = await Locks.acquire(worldOf(own), ["media/sonarr"], holder("a"), never);
    const back = kubernetes.fail(
      { verb: "patch", resource: resources.leases },
      new Failure("KUBERNETES_UNREACHABLE", { what: "no answer" }),
    );
    await own.advance(times.renewEvery);
    locks.demand();
    back();
    await own.advance(times.renewEvery);
    locks.demand();
    kubernetes.fail(
      { verb: "patch", resource: resources.leases },
      new Failure("KUBERNETES_UNREACHABLE", { what: "no answer" }),
    );
    for (let turn = 0; turn < 6; turn += 1) await own.advance(times.renewEvery);
    expect(locks.signal.reason).toMatchObject({ code: "LOCK_LOST" });
  });

  it("end an interrupted wait", async () => {
    const own = handClock();
    await Locks.acquire(worldOf(own), ["media/sonarr"], holder("a"), never);
    const stop = new AbortController();
    const waiting = Locks.acquire(worldOf(handClock()), ["media/sonarr"], holder("b"), stop.signal);
    const ended = failureOf(waiting);
    await new Promise((resolve) => setImmediate(resolve));
    stop.abort(new Error("enough"));
    expect(await ended).toMatchObject({ message: "enough" });
  });

  it("have names that Kubernetes takes, different for different volumes", () => {
    const long = `media/${"x".repeat(240)}`;
    for (const name of [long, "media/a", "media-a/b"])
      expect(leaseName(name)).toMatch(/^[a-z0-9][a-z0-9.-]{0,251}[a-z0-9]$/);
    expect(leaseName("a/b.c")).not.toBe(leaseName("a.b/c"));
  });
});
