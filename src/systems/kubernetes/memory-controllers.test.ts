import { afterEach, describe, expect, it } from "vitest";
import { MemoryControllers, type ControllerOptions } from "./memory-controllers.ts";
import { MemoryKubernetes } from "./memory.ts";
import type { KubeObject } from "./port.ts";
import { resources } from "./resources.ts";
import { handClock, realWorld } from "./testing/world.ts";

const { deployments, statefulSets, replicaSets, pods } = resources;

interface Pod extends KubeObject {
  readonly spec: { readonly nodeName?: string };
  readonly status: { readonly phase: string; readonly conditions?: readonly { type: string; status: string }[] };
}

interface Workload extends KubeObject {
  readonly status: {
    readonly replicas?: number;
    readonly readyReplicas?: number;
    readonly observedGeneration?: number;
  };
}

const workload = (name: string, replicas: number, more: object = {}) => ({
  metadata: { name, namespace: "media" },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: "main" }] } },
    ...more,
  },
});

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

const start = async (options: Partial<ControllerOptions> = {}) => {
  const clock = handClock();
  const memory = new MemoryKubernetes({ clock, randomId: realWorld.randomId });
  const controllers = new MemoryControllers(memory, { clock, randomId: realWorld.randomId, ...options });
  stops.push(() => controllers.stop());
  await memory.create(resources.namespaces, { metadata: { name: "media" } });
  const podList = async () => (await memory.list<Pod>(pods, { namespace: "media" })).items;
  return { clock, memory, controllers, podList };
};

const at = { name: "sonarr", namespace: "media" };

describe("MemoryControllers", () => {
  it("make a Deployment's pods by way of a ReplicaSet, Ready after their time", async () => {
    const { clock, memory, controllers, podList } = await start({ readyAfter: 5000 });
    await memory.create(deployments, workload("sonarr", 2));
    await controllers.settled();
    const [replicaSet] = (await memory.list(replicaSets)).items;
    expect(replicaSet?.metadata.ownerReferences).toMatchObject([
      { kind: "Deployment", name: "sonarr", controller: true },
    ]);
    expect((await podList()).map((pod) => pod.status.phase)).toEqual(["Pending", "Pending"]);
    expect((await podList())[0]?.metadata.ownerReferences).toMatchObject([
      { kind: "ReplicaSet", name: replicaSet?.metadata.name },
    ]);
    expect((await memory.get<Workload>(deployments, at))?.status).toMatchObject({ replicas: 2, readyReplicas: 0 });
    await clock.advance(5000);
    await controllers.settled();
    expect((await podList()).map((pod) => pod.status.phase)).toEqual(["Running", "Running"]);
    expect((await podList())[0]?.spec.nodeName).toBe("node-1");
    expect((await memory.get<Workload>(deployments, at))?.status).toMatchObject({
      readyReplicas: 2,
      observedGeneration: 1,
    });
  });

  it("end the pods when the Deployment is scaled to nothing, after their time, and bring them back", async () => {
    const { clock, memory, controllers, podList } = await start({ endAfter: 3000 });
    await memory.create(deployments, workload("sonarr", 1));
    await controllers.settled();
    await memory.mergePatch(deployments, at, { spec: { replicas: 0 } }, { subresource: "scale" });
    await controllers.settled();
    expect((await podList()).map((pod) => pod.metadata.deletionTimestamp !== undefined)).toEqual([true]);
    expect((await memory.get<Workload>(deployments, at))?.status).toMatchObject({ replicas: 0, observedGeneration: 2 });
    await clock.advance(3000);
    await controllers.settled();
    expect(await podList()).toEqual([]);
    await memory.mergePatch(deployments, at, { spec: { replicas: 1 } });
    await controllers.settled();
    expect((await podList()).length).toBe(1);
    expect((await memory.list(replicaSets)).items.length).toBe(1);
  });

  it("replace a pod that somebody removes", async () => {
    const { memory, controllers, podList } = await start();
    await memory.create(deployments, workload("sonarr", 1));
    await controllers.settled();
    const [first] = await podList();
    await memory.remove(pods, first!.metadata);
    await controllers.settled();
    const [second] = await podList();
    expect(second?.metadata.uid).not.toBe(first?.metadata.uid);
    expect(second?.status.phase).toBe("Running");
  });

  it("make a new ReplicaSet for a new template, and empty the old one", async () => {
    const { memory, controllers, podList } = await start();
    await memory.create(deployments, workload("sonarr", 1));
    await controllers.settled();
    await memory.mergePatch(deployments, at, { spec: { template: { metadata: { annotations: { again: "1" } } } } });
    await controllers.settled();
    expect((await memory.list(replicaSets)).items.length).toBe(2);
    expect((await podList()).map((pod) => pod.metadata.annotations)).toEqual([{ again: "1" }]);
  });

  it("give a StatefulSet's pods their numbers and claims, and a number again only when its pod is gone", async () => {
    const { clock, memory, controllers, podList } = await start({ endAfter: 1000 });
    const volumeClaimTemplates = [{ metadata: { name: "data" }, spec: { accessModes: ["ReadWriteOnce"] } }];
    await memory.create(statefulSets, workload("db", 2, { volumeClaimTemplates }));
    await controllers.settled();
    const names = async () => (await podList()).map((pod) => pod.metadata.name);
    expect(await names()).toEqual(["db-0", "db-1"]);
    const claims = await memory.list(resources.persistentVolumeClaims);
    expect(claims.items.map((claim) => claim.metadata.name)).toEqual(["data-db-0", "data-db-1"]);
    const [zero] = await podList();
    await memory.remove(pods, zero!.metadata);
    await controllers.settled();
    expect((await podList())[0]?.metadata.uid).toBe(zero?.metadata.uid);
    await clock.advance(1000);
    await controllers.settled();
    expect((await podList())[0]?.metadata.uid).not.toBe(zero?.metadata.uid);
    await memory.mergePatch(statefulSets, { name: "db", namespace: "media" }, { spec: { replicas: 0 } });
    await controllers.settled();
    await clock.advance(1000);
    await controllers.settled();
    expect(await names()).toEqual([]);
    expect((await memory.list(resources.persistentVolumeClaims)).items.length).toBe(2);
  });

  it("take everything along when the Deployment is removed", async () => {
    const { memory, controllers, podList } = await start();
    await memory.create(deployments, workload("sonarr", 1));
    await controllers.settled();
    await memory.remove(deployments, at);
    await controllers.settled();
    expect(await podList()).toEqual([]);
    expect((await memory.list(replicaSets)).items).toEqual([]);
  });

  it("let pods end, fail or hang as the test wants", async () => {
    const { memory, controllers, podList } = await start({
      outcome: (pod) => (pod.metadata.name === "a" ? "succeeded" : pod.metadata.name === "b" ? "failed" : "pending"),
    });
    for (const name of ["a", "b", "c"]) await memory.create(pods, { metadata: { name, namespace: "media" } });
    await controllers.settled();
    expect((await podList()).map((pod) => pod.status.phase)).toEqual(["Succeeded", "Failed", "Pending"]);
  });

  it("do nothing any more once they are stopped", async () => {
    const { memory, controllers, podList } = await start();
    controllers.stop();
    await memory.create(deployments, workload("sonarr", 1));
    await controllers.settled();
    expect(await podList()).toEqual([]);
  });
});
