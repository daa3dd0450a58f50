import { expect, it } from "vitest";
import { interruptible } from "./interruptible.ts";
import { MemoryKubernetes } from "./memory.ts";
import { resources } from "./resources.ts";
import { realWorld } from "./testing/world.ts";
import { following } from "./watch/conformance.ts";

const { configMaps } = resources;
const at = { name: "a", namespace: "media" };

const start = () => {
  const memory = new MemoryKubernetes(realWorld, {
    logs: async function* () {
      yield "one";
      await new Promise(() => undefined);
    },
  });
  const controller = new AbortController();
  return { memory, controller, kubernetes: interruptible(memory, controller.signal) };
};

it("passes calls through until the signal aborts, and then gives its reason", async () => {
  const { memory, controller, kubernetes } = start();
  memory.put(configMaps, { metadata: at });
  expect((await kubernetes.get(configMaps, at))?.metadata.name).toBe("a");
  controller.abort(new Error("Ctrl-C"));
  await expect(kubernetes.get(configMaps, at)).rejects.toThrow("Ctrl-C");
  expect((await memory.get(configMaps, at))?.metadata.name).toBe("a");
});

it("does not wait for a call that hangs", async () => {
  const { memory, controller, kubernetes } = start();
  memory.get = () => new Promise<undefined>(() => undefined);
  const call = kubernetes.get(configMaps, at);
  controller.abort(new Error("Ctrl-C"));
  await expect(call).rejects.toThrow("Ctrl-C");
});

it("ends watches in order, and logs with the reason", async () => {
  const { memory, controller, kubernetes } = start();
  memory.put(resources.pods, { metadata: at });
  const watch = following((signal) => kubernetes.watch(resources.pods, {}, signal));
  const lines: string[] = [];
  const logs = (async () => {
    for await (const line of kubernetes.logs(at, { container: "main", follow: true })) lines.push(line);
  })();
  expect(await watch.first(1)).toEqual(["ADDED a"]);
  await expect.poll(() => lines).toEqual(["one"]);
  controller.abort(new Error("Ctrl-C"));
  await expect(watch.end).resolves.toBeUndefined();
  await expect(logs).rejects.toThrow("Ctrl-C");
});
