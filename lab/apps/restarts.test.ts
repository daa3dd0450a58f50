import { describe, expect, it } from "vitest";
import type { Kubectl } from "../site/kubectl.ts";
import { unaskedRestarts } from "./restarts.ts";

const container = (restartCount: number, lastState = {}) => ({
  name: "velero",
  ready: true,
  restartCount,
  state: { running: {} },
  lastState,
});
const pod = (name: string, phase: string, containerStatuses: readonly object[], message?: string) => ({
  metadata: { namespace: "velero", name, uid: name },
  status: { phase, containerStatuses, message },
});
const killed = { terminated: { reason: "OOMKilled", exitCode: 137, finishedAt: "2026-11-26T22:50:20Z" } };
const event = {
  involvedObject: { uid: "evicted" },
  reason: "Evicted",
  message: "The node was low on resource: memory.",
};

/** kubectl in a cluster with these pods. */
const cluster =
  (pods: readonly object[], log: () => Promise<string> = () => Promise.resolve("panic: oh\n")): Kubectl =>
  (words) =>
    words.includes("logs") ? log() : Promise.resolve(JSON.stringify({ items: words[1] === "pods" ? pods : [event] }));

describe("restarts that nobody asked for", () => {
  it("are none where every container is the first of its pod", async () => {
    expect(await unaskedRestarts(cluster([pod("fine", "Running", [container(0)])]))).toEqual([]);
  });

  it("tell why the container before ended, and what it said last", async () => {
    expect(await unaskedRestarts(cluster([pod("again", "Running", [container(1, killed)])]))).toEqual([
      [
        "velero: pod again: Running",
        "    velero is running, ready, restarted 1 times, the last time terminated: OOMKilled: exit code 137: 2026-11-26T22:50:20Z",
        "velero said before it ended:",
        "  panic: oh",
      ].join("\n"),
    ]);
  });

  it("tell of a log that is gone that it is", async () => {
    const gone = () => Promise.reject(new Error("previous terminated container not found"));
    const [told] = await unaskedRestarts(cluster([pod("again", "Running", [container(1, killed)])], gone));
    expect(told).toContain("  previous terminated container not found");
  });

  it("tell of a pod that was evicted, with its event", async () => {
    expect(await unaskedRestarts(cluster([pod("evicted", "Failed", [], "The node was low")]))).toEqual([
      [
        "velero: pod evicted: Failed",
        "    The node was low",
        "    event Evicted (1): The node was low on resource: memory.",
      ].join("\n"),
    ]);
  });
});
