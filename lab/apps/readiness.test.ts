import { describe, expect, it, vi } from "vitest";
import type { Kubectl } from "../site/kubectl.ts";
import { waitForApps } from "./readiness.ts";

const app = (name: string, readyReplicas?: number) => ({
  metadata: { namespace: "media", name },
  spec: { replicas: 1, selector: { matchLabels: { app: name } } },
  status: { readyReplicas },
});

const pod = {
  metadata: { namespace: "media", name: "radarr-1", uid: "u1", labels: { app: "radarr" } },
  status: {
    phase: "Running",
    conditions: [{ type: "Ready", status: "False", message: "containers with unready status: [radarr]" }],
    containerStatuses: [
      {
        name: "radarr",
        ready: false,
        restartCount: 3,
        state: { waiting: { reason: "CrashLoopBackOff", message: "back-off 20s" } },
      },
    ],
  },
};

const event = { involvedObject: { uid: "u1" }, reason: "Unhealthy", count: 7, message: "Startup probe failed" };

/** kubectl in a cluster that stays as it is. */
const cluster =
  (workloads: readonly object[]): Kubectl =>
  ([, kinds]) =>
    Promise.resolve(JSON.stringify({ items: kinds === "pods" ? [pod] : kinds === "events" ? [event] : workloads }));

/** What waiting two minutes for the apps of a cluster says, without waiting. */
const complaintOf = async (kubectl: Kubectl): Promise<string> => {
  vi.spyOn(performance, "now").mockReturnValueOnce(0).mockReturnValue(121_000);
  try {
    return await waitForApps(kubectl).then(
      () => "ready",
      (error: Error) => error.message,
    );
  } finally {
    vi.restoreAllMocks();
  }
};

describe("waiting for the apps", () => {
  it("ends when every app has all its replicas", async () => {
    expect(await complaintOf(cluster([app("radarr", 1), app("sonarr", 1)]))).toBe("ready");
  });

  it("says of each app that has not what its pods and their containers wait for", async () => {
    expect(await complaintOf(cluster([app("radarr"), app("sonarr", 1), app("plex")]))).toBe(
      [
        "every app is not ready after 120 s:",
        "media/radarr: 0 of 1 Ready",
        "  pod radarr-1: Running",
        "    Ready: containers with unready status: [radarr]",
        "    radarr is waiting: CrashLoopBackOff: back-off 20s, not ready, restarted 3 times",
        "    event Unhealthy (7): Startup probe failed",
        "media/plex: 0 of 1 Ready",
        "  it has no pod",
      ].join("\n"),
    );
  });

  it("says why when the cluster gives no answer", async () => {
    const refused: Kubectl = () => Promise.reject(new Error("connection refused"));
    expect(await complaintOf(refused)).toBe("every app is not ready after 120 s: connection refused");
  });
});
