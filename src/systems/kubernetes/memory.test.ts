import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { describeKubernetes } from "./conformance.ts";
import { MemoryKubernetes } from "./memory.ts";

const randomId = (length: number): string =>
  Array.from(randomBytes(length), (byte) => (byte % 36).toString(36)).join("");
const clock = {
  now: () => Date.now(),
  sleep: (milliseconds: number, signal?: AbortSignal) => sleep(milliseconds, undefined, signal ? { signal } : {}),
};

describeKubernetes("MemoryKubernetes", async () => {
  const kubernetes = new MemoryKubernetes({ clock, randomId });
  const nobody = kubernetes.as("holdfast-nobody");
  nobody.deny({});
  return { kubernetes, nobody, run: randomId(6), close: async () => undefined };
});
