import { describe, expect, it } from "vitest";
import { Failure } from "../../model/failure.ts";
import { ApiError } from "./api-error.ts";
import { MemoryKubernetes } from "./memory.ts";
import type { Kubernetes } from "./port.ts";
import { resources } from "./resources.ts";
import { retrying } from "./retrying.ts";
import { jumpingClock, realWorld } from "./testing/world.ts";

const { configMaps } = resources;
const at = { name: "a", namespace: "media" };

const answered = (status: number, retryAfterMilliseconds?: number): Failure =>
  new Failure("KUBERNETES_REFUSED", {
    what: "refused",
    cause: new ApiError({ status, reason: "", message: "", retryAfterMilliseconds }),
  });

const broken = (code: string): Failure =>
  new Failure("KUBERNETES_UNREACHABLE", { what: "broken", cause: Object.assign(new Error(code), { code }) });

/** A port that fails `times` times with an error, behind the wrapper. */
const failing = (error: Error, times: number) => {
  const clock = jumpingClock();
  const memory = new MemoryKubernetes({ clock, randomId: realWorld.randomId });
  const { metadata } = memory.put(configMaps, { metadata: at });
  memory.fail({}, error, { times });
  const kubernetes = retrying(memory, { clock, randomId: () => "zzzzzzzz" });
  return { kubernetes, clock, tries: () => clock.slept.length + 1, version: metadata.resourceVersion ?? "" };
};

const reads: [string, (kubernetes: Kubernetes) => Promise<unknown>][] = [
  ["version", (kubernetes) => kubernetes.version()],
  ["get", (kubernetes) => kubernetes.get(configMaps, at)],
  ["list", (kubernetes) => kubernetes.list(configMaps)],
  ["apply", (kubernetes) => kubernetes.apply(configMaps, { metadata: at })],
  ["a patch without a version", (kubernetes) => kubernetes.mergePatch(configMaps, at, { data: { a: "1" } })],
  ["a removal of one uid", (kubernetes) => kubernetes.remove(configMaps, { ...at, name: "gone" }, { uid: "u" })],
];

const onceOnly: [string, (kubernetes: Kubernetes, version: string) => Promise<unknown>][] = [
  ["create", (kubernetes) => kubernetes.create(configMaps, { metadata: { ...at, name: "b" } })],
  [
    "a patch with a version",
    (kubernetes, resourceVersion) => kubernetes.mergePatch(configMaps, at, { metadata: { resourceVersion } }),
  ],
  ["a removal by name alone", (kubernetes) => kubernetes.remove(configMaps, at)],
];

describe("retrying", () => {
  it.each(reads)("tries %s again after a reset connection", async (_name, call) => {
    const { kubernetes, tries } = failing(broken("ECONNRESET"), 2);
    await call(kubernetes);
    expect(tries()).toBe(3);
  });

  it.each(onceOnly)("does not try %s again when it may have happened", async (_name, call) => {
    for (const error of [broken("ECONNRESET"), answered(500), answered(503)]) {
      const { kubernetes, tries, version } = failing(error, 1);
      await expect(call(kubernetes, version)).rejects.toBe(error);
      expect(tries()).toBe(1);
    }
  });

  it.each(onceOnly)("tries %s again when the server turned it away", async (_name, call) => {
    const { kubernetes, tries, version } = failing(answered(429), 1);
    await call(kubernetes, version);
    expect(tries()).toBe(2);
  });

  it.each([500, 502, 503, 504])("tries reads again after a %i", async (status) => {
    const { kubernetes, tries } = failing(answered(status), 1);
    await kubernetes.list(configMaps);
    expect(tries()).toBe(2);
  });

  it.each([
    ["400", answered(400)],
    ["404", answered(404)],
    ["501", answered(501)],
    ["a refused connection", broken("ECONNREFUSED")],
    ["a name that does not exist", broken("ENOTFOUND")],
    ["a missing right", new Failure("KUBERNETES_FORBIDDEN", { what: "no" })],
    ["a defect", new TypeError("defect")],
  ])("does not try again after %s", async (_name, error) => {
    const { kubernetes, tries } = failing(error, 1);
    await expect(kubernetes.list(configMaps)).rejects.toBe(error);
    expect(tries()).toBe(1);
  });

  it("gives up after four attempts, with the last error", async () => {
    const error = answered(503);
    const { kubernetes, tries, clock } = failing(error, 10);
    await expect(kubernetes.list(configMaps)).rejects.toBe(error);
    expect(tries()).toBe(4);
    expect(clock.slept).toEqual([250, 500, 1000]);
  });

  it("waits as long as the server asks", async () => {
    const { kubernetes, clock } = failing(answered(429, 7000), 1);
    await kubernetes.list(configMaps);
    expect(clock.slept).toEqual([7250]);
  });

  it("leaves it to the caller when the server asks for more patience than it has", async () => {
    const error = answered(503, 120_000);
    const { kubernetes, clock } = failing(error, 1);
    await expect(kubernetes.list(configMaps)).rejects.toBe(error);
    expect(clock.slept).toEqual([]);
  });
});
