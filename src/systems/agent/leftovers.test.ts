import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { aCluster, type Cluster, mounting } from "../../restore/testing/cluster.ts";
import type { KubeObject } from "../kubernetes/port.ts";
import { resources } from "../kubernetes/resources.ts";
import { clearLeftovers } from "./leftovers.ts";

let cluster: Cluster;
beforeEach(async () => {
  cluster = await aCluster(1);
  cluster.controllers.stop();
});
afterEach(() => cluster.controllers.stop());

const labels = (operation: string) => ({ "holdfast.dev/operation": operation });
const now = Date.parse("2026-11-24T01:00:00Z");
const holder = (operation: string, claim = "sonarr-config", creationTimestamp = "2026-11-24T00:50:00Z"): void =>
  void cluster.kubernetes.put(resources.pods, {
    metadata: { name: `holder-${operation}`, namespace: "media", labels: labels(operation), creationTimestamp },
    spec: mounting(claim),
    status: { phase: "Running" },
  } as KubeObject);
const agent = (operation: string, phase: string | undefined): void => {
  const metadata = { name: `agent-${operation}`, namespace: "holdfast", labels: labels(operation) };
  cluster.kubernetes.put(resources.pods, {
    metadata,
    spec: {},
    ...(phase === undefined ? {} : { status: { phase } }),
  } as KubeObject);
  cluster.kubernetes.put(resources.secrets, { metadata });
};
const clear = () =>
  clearLeftovers(cluster.kubernetes, [{ namespace: "media", claim: "sonarr-config" }], "holdfast", now);
const left = async (): Promise<readonly string[]> => {
  const lists = await Promise.all(
    [resources.pods, resources.secrets].map((resource) =>
      cluster.kubernetes.list(resource, { labels: "holdfast.dev/operation" }),
    ),
  );
  return lists.flatMap(({ items }) => items.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toSorted();
};

describe("clearLeftovers", () => {
  it("removes the pods and secrets of a dead restore, and no pod of the app", async () => {
    holder("dead");
    agent("dead", "Failed");
    const app = (await cluster.pods()).filter((name) => !name.startsWith("holder"));
    // Without its kubelet the twin keeps a pod until it is removed with no grace, as these are.
    await clear();
    expect([await left(), await cluster.pods()]).toEqual([[], app]);
  });

  it.each(["Running", "Pending", undefined])(
    "refuses while another restore works on the claim, its agent being %s",
    async (phase) => {
      holder("live");
      agent("live", phase);
      const before = await left();
      await expect(clear()).rejects.toMatchObject({
        code: "LOCKED",
        todo: expect.stringContaining("kubectl -n holdfast delete pod agent-live") as string,
      });
      expect(await left()).toEqual(before);
    },
  );

  it("refuses while another restore holds the claim and has not started its agent yet", async () => {
    holder("new", "sonarr-config", "2026-11-24T00:59:30Z");
    await expect(clear()).rejects.toMatchObject({ code: "LOCKED" });
    expect(await left()).toEqual(["Pod holder-new"]);
  });

  it("does not touch a restore that works on other claims", async () => {
    holder("other", "radarr-config");
    agent("other", "Running");
    const before = await left();
    await clear();
    expect(await left()).toEqual(before);
  });

  it("removes nothing of a claim with the same name in another namespace", async () => {
    holder("dead");
    await clearLeftovers(cluster.kubernetes, [{ namespace: "home", claim: "sonarr-config" }], "holdfast", now);
    expect(await left()).toEqual(["Pod holder-dead"]);
  });
});
