import { afterEach, describe, expect, it } from "vitest";
import { aVolume } from "../inventory/sample.ts";
import type { Pod } from "../inventory/raw.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import {
  othersUsing,
  podsUsing,
  readReplicas,
  replicasAnnotation,
  startWorkload,
  stopWorkload,
  waitUntilReady,
  waitUntilUnused,
} from "./standstill.ts";
import { aCluster, type Cluster, mounting } from "./testing/cluster.ts";
import { aStop } from "./testing/plans.ts";

let cluster: Cluster;
afterEach(() => cluster.controllers.stop());

const waiting = () => ({
  kubernetes: cluster.kubernetes,
  clock: cluster.clock,
  timeout: 5000,
  signal: cluster.stop.signal,
});
const annotate = (replicas: string) =>
  cluster.kubernetes.mergePatch(
    resources.deployments,
    { namespace: "media", name: "sonarr" },
    { metadata: { annotations: { [replicasAnnotation]: replicas } } },
  );

describe("readReplicas", () => {
  it("gives the present replicas, and nothing for a workload that is gone", async () => {
    cluster = await aCluster(2);
    expect(await readReplicas(cluster.kubernetes, aStop())).toBe(2);
    expect(await readReplicas(cluster.kubernetes, aStop({ name: "gone" }))).toBeUndefined();
  });

  it("believes a record only of a workload that stands still", async () => {
    cluster = await aCluster(2);
    await annotate("5");
    expect(await readReplicas(cluster.kubernetes, aStop())).toBe(2);
    await cluster.scale(0);
    expect(await readReplicas(cluster.kubernetes, aStop())).toBe(5);
  });

  it("refuses a StatefulSet whose claims would go with its replicas", async () => {
    cluster = await aCluster(1);
    cluster.kubernetes.put(resources.statefulSets, {
      metadata: { name: "db", namespace: "media" },
      spec: { replicas: 1, persistentVolumeClaimRetentionPolicy: { whenScaled: "Delete" } },
    } as never);
    await expect(readReplicas(cluster.kubernetes, aStop({ kind: "StatefulSet", name: "db" }))).rejects.toMatchObject({
      code: "TARGET_IN_USE",
      why: expect.stringContaining("whenScaled") as string,
    });
  });

  it("takes zero for zero without a record", async () => {
    cluster = await aCluster(0);
    expect(await readReplicas(cluster.kubernetes, aStop())).toBe(0);
  });
});

describe("stopWorkload and startWorkload", () => {
  it("may be called twice each, and leave no trace", async () => {
    cluster = await aCluster(2);
    const stop = aStop({ replicas: 2 });
    await stopWorkload(cluster.kubernetes, stop);
    await stopWorkload(cluster.kubernetes, stop);
    await waitUntilUnused(waiting(), [aVolume()]);
    expect(await cluster.pods()).toEqual([]);
    await startWorkload(cluster.kubernetes, stop);
    await startWorkload(cluster.kubernetes, stop);
    await waitUntilReady(waiting(), [stop]);
    expect(await cluster.pods()).toHaveLength(2);
    expect((await cluster.deployment())?.metadata.annotations ?? {}).toEqual({});
  });
});

describe("pods that use a claim", () => {
  it("are those that name it, in its namespace, and have not ended; others are all but what holds it for a restore", async () => {
    cluster = await aCluster(0);
    const put = (name: string, claim: string, part: { namespace?: string; phase?: string; labels?: object } = {}) =>
      cluster.kubernetes.put(resources.pods, {
        metadata: { name, namespace: part.namespace ?? "media", labels: part.labels ?? {} },
        spec: mounting(claim),
        status: { phase: part.phase ?? "Running" },
      } as never);
    cluster.outcome = () => "pending";
    put("a", "sonarr-config");
    put("pending", "sonarr-config", { phase: "Pending" });
    put("other-claim", "radarr-config");
    put("other-namespace", "sonarr-config", { namespace: "home" });
    put("done", "sonarr-config", { phase: "Succeeded" });
    put("holder", "sonarr-config", { labels: { "holdfast.dev/operation": "x" } });
    const names = async (using: Promise<readonly Pod[]>) =>
      (await using).map(({ metadata }) => metadata.name).toSorted();
    expect(await names(othersUsing(cluster.kubernetes, [aVolume()]))).toEqual(["a", "pending"]);
    expect(await names(podsUsing(cluster.kubernetes, [aVolume()]))).toEqual(["a", "holder", "pending"]);
  });

  it("are those whose generic ephemeral volume it is", async () => {
    cluster = await aCluster(0);
    const volumes = [{ name: "scratch", ephemeral: {} }];
    const metadata = { name: "job-1", namespace: "media" };
    cluster.kubernetes.put(resources.pods, { metadata, spec: { containers: [], volumes } } as never);
    const using = async (claim: string) =>
      (await podsUsing(cluster.kubernetes, [{ namespace: "media", claim }])).length;
    expect([await using("job-1-scratch"), await using("scratch")]).toEqual([1, 0]);
  });
});

describe("waitUntilReady", () => {
  it("names who is late", async () => {
    cluster = await aCluster(1);
    cluster.outcome = () => "pending";
    await cluster.scale(2);
    await expect(waitUntilReady(waiting(), [aStop(), aStop({ name: "gone" })])).rejects.toMatchObject({
      code: "APP_NOT_READY",
      what: expect.stringContaining("Deployment media/sonarr, Deployment media/gone") as string,
    });
  });

  it("gives back the replicas that were recorded, not those that a plan remembers", async () => {
    cluster = await aCluster(3);
    await stopWorkload(cluster.kubernetes, aStop({ replicas: 1 }));
    await startWorkload(cluster.kubernetes, aStop({ replicas: 1 }));
    expect((await cluster.deployment())?.spec.replicas).toBe(3);
  });

  it("leaves alone what somebody has started meanwhile", async () => {
    cluster = await aCluster(2);
    await stopWorkload(cluster.kubernetes, aStop());
    await cluster.scale(5);
    await startWorkload(cluster.kubernetes, aStop());
    expect(await cluster.deployment()).toMatchObject({ spec: { replicas: 5 } });
  });

  it("leaves another workload of the same name alone", async () => {
    cluster = await aCluster(2);
    const patch = cluster.kubernetes.mergePatch.bind(cluster.kubernetes);
    const bodies: object[] = [];
    cluster.kubernetes.mergePatch = (resource, name, body, options) => {
      bodies.push(body);
      return patch(resource, name, body, options);
    };
    await stopWorkload(cluster.kubernetes, aStop());
    expect(bodies[0]).toMatchObject({
      metadata: { uid: expect.any(String) as string, resourceVersion: expect.any(String) as string },
    });
  });

  it("does not believe a status from before the start", async () => {
    cluster = await aCluster(1);
    cluster.controllers.stop();
    await stopWorkload(cluster.kubernetes, aStop());
    await startWorkload(cluster.kubernetes, aStop());
    await expect(waitUntilReady(waiting(), [aStop()])).rejects.toMatchObject({ code: "APP_NOT_READY" });
  });
});
