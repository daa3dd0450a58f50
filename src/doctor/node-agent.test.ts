import { describe, expect, it } from "vitest";
import type { KubeObject } from "../systems/kubernetes/port.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import { agentPod, daemonSet, HealthyWorld, namespace } from "./testing/healthy.ts";

const addNode = (world: HealthyWorld, name: string, spec: object = {}): void => {
  world.cluster.put(resources.nodes, { metadata: { name }, spec } as KubeObject);
};

describe("node-agent", () => {
  it("names the nodes on which it is missing or not Ready", async () => {
    const world = new HealthyWorld();
    addNode(world, "node-2");
    addNode(world, "node-3");
    addNode(world, "node-4");
    world.cluster.put(resources.pods, agentPod("node-3", "False"));
    world.cluster.put(resources.pods, agentPod("node-4"));
    const { verdict, code, found } = await world.result("node-agent");
    expect({ verdict, code }).toEqual({ verdict: "failed", code: "VELERO_UNHEALTHY" });
    expect(found).toContain("not Ready on node-2, node-3: volumes");
  });

  it("does not ask for it on cordoned nodes, and only mentions tainted ones", async () => {
    const world = new HealthyWorld();
    addNode(world, "cordoned", { unschedulable: true });
    addNode(world, "control", { taints: [{ key: "node-role.kubernetes.io/control-plane", effect: "NoSchedule" }] });
    addNode(world, "soft", { taints: [{ key: "busy", effect: "PreferNoSchedule" }] });
    world.cluster.put(resources.pods, agentPod("soft"));
    expect(await world.result("node-agent")).toMatchObject({
      verdict: "ok",
      found: "Ready on 2 of 4 nodes; not on the tainted control",
    });
  });

  it("does not count pods that Velero itself would not find", async () => {
    const world = new HealthyWorld();
    const pod = agentPod("node-1");
    world.cluster.put(resources.pods, { ...pod, metadata: { ...pod.metadata, labels: { name: "node-agent" } } });
    expect(await world.result("node-agent")).toMatchObject({ verdict: "failed" });
  });

  it("is failed without the DaemonSet, and so is the concurrency", async () => {
    const world = new HealthyWorld();
    await world.cluster.remove(resources.daemonSets, daemonSet.metadata);
    expect(await world.result("node-agent")).toMatchObject({ verdict: "failed", code: "VELERO_UNHEALTHY" });
    expect(await world.result("node-agent-concurrency")).toMatchObject({ verdict: "failed" });
  });
});

describe("node-agent-concurrency", () => {
  const withConfig = (data: object | undefined): HealthyWorld => {
    const world = new HealthyWorld();
    world.cluster.put(resources.configMaps, { metadata: { name: "node-agent", namespace }, data } as KubeObject);
    return world;
  };

  it("says how many volumes at a time, and where that stands", async () => {
    expect(await new HealthyWorld().result("node-agent-concurrency")).toMatchObject({
      verdict: "ok",
      found: "4 volumes at a time on each node (ConfigMap velero/node-agent)",
    });
  });

  it("warns of one at a time and names the setting, whatever the cause", async () => {
    const unnamed = new HealthyWorld();
    unnamed.cluster.put(resources.daemonSets, { metadata: daemonSet.metadata });
    const absent = new HealthyWorld();
    await absent.cluster.remove(resources.configMaps, { namespace, name: "node-agent" });
    const cases = [
      [unnamed, "no --node-agent-configmap"],
      [absent, "does not exist"],
      [withConfig(undefined), "is empty"],
      [withConfig({ a: "{" }), "is not JSON"],
      [withConfig({ a: "{}" }), "ConfigMap velero/node-agent"],
      [withConfig({ a: "null" }), "ConfigMap velero/node-agent"],
      [withConfig({ a: '{"loadConcurrency":{"globalConfig":1}}' }), "ConfigMap velero/node-agent"],
    ] as const;
    for (const [world, cause] of cases) {
      const { verdict, found, todo } = await world.result("node-agent-concurrency");
      expect(verdict).toBe("warning");
      expect(found).toContain(cause);
      expect(todo).toContain("globalConfig");
    }
  });
});
