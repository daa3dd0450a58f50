import { describe, expect, it } from "vitest";
import type { KubeObject } from "../systems/kubernetes/port.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import { requireVelero } from "./require-velero.ts";
import { HealthyWorld, namespace, veleroDeployment } from "./testing/healthy.ts";

interface Parts {
  readonly image?: string;
  readonly args?: readonly string[];
  readonly plugins?: readonly string[];
  readonly replicas?: number;
  readonly status?: object;
}

const deployment = (parts: Parts): KubeObject => {
  const { image = "velero/velero:v1.18.3", args = ["server", "--disable-controllers=gc"], replicas = 1 } = parts;
  const { plugins = ["velero/velero-plugin-for-aws:v1.14.3"], status = { availableReplicas: 1 } } = parts;
  const initContainers = plugins.map((plugin, index) => ({ name: `plugin-${index}`, image: plugin }));
  const containers = [
    { name: "sidecar", image: "mesh:v2" },
    { name: "velero", image, args },
  ];
  return {
    metadata: veleroDeployment.metadata,
    spec: { replicas, template: { spec: { initContainers, containers } } },
    status,
  } as KubeObject;
};

const worldWith = (parts: Parts, serverVersion: string | false = "v1.18.3"): HealthyWorld => {
  const world = new HealthyWorld({ serverVersion });
  world.cluster.put(resources.deployments, deployment(parts));
  return world;
};

const without = async (): Promise<HealthyWorld> => {
  const world = new HealthyWorld();
  await world.cluster.remove(resources.deployments, veleroDeployment.metadata);
  return world;
};

describe("velero", () => {
  it("is failed when there is no Deployment, and what needs it is unknown", async () => {
    const world = await without();
    expect(await world.result("velero")).toMatchObject({ verdict: "failed", code: "VELERO_ABSENT" });
    expect(await world.result("velero-version")).toMatchObject({ verdict: "unknown", found: "needs velero" });
  });

  it("is unhealthy when it is scaled to 0 or has no pod that is available, with the reason", async () => {
    expect(await worldWith({ replicas: 0, status: {} }).result("velero-available")).toMatchObject({
      verdict: "failed",
      code: "VELERO_UNHEALTHY",
      found: "The Deployment velero/velero is not available: it is scaled to 0",
    });
    const status = {
      conditions: [{ type: "Available", status: "False", message: "Deployment does not have minimum availability." }],
    };
    expect((await worldWith({ status }).result("velero-available")).found).toContain("minimum availability");
  });
});

describe("velero-version", () => {
  it("is what the server says, not the image's tag", async () => {
    expect(await worldWith({ image: "velero:latest" }, "v1.19.0").result("velero-version")).toMatchObject({
      verdict: "ok",
      found: "v1.19.0",
    });
  });

  it("is too old below 1.18, by the server's word or by the tag", async () => {
    for (const world of [worldWith({}, "v1.17.9"), worldWith({ image: "velero:v1.17.0@sha256:ab" }, false)]) {
      expect(await world.result("velero-version")).toMatchObject({ verdict: "failed", code: "VELERO_TOO_OLD" });
    }
  });

  it("comes from the tag, with a warning, when the server does not answer within 10 s; the request is removed", async () => {
    const world = worldWith({}, false);
    const before = world.context.clock.now();
    expect(await world.result("velero-version")).toMatchObject({
      verdict: "warning",
      found: "v1.18.3 by the image's tag: the server did not answer a ServerStatusRequest within 10 s",
    });
    expect(world.context.clock.now() - before).toBeLessThan(11_000);
    expect((await world.cluster.list(resources.serverStatusRequests, { namespace })).items).toEqual([]);
  });

  it("comes from the tag when this user may not ask the server", async () => {
    const world = new HealthyWorld();
    world.cluster.deny({ resource: resources.serverStatusRequests });
    const { verdict, found, todo } = await world.result("velero-version");
    expect(verdict).toBe("warning");
    expect(found).toContain("v1.18.3 by the image's tag: Not allowed to create serverstatusrequests");
    expect(todo).toContain('verbs: ["create"]');
  });

  it("does not ask a server that is not available", async () => {
    const { found } = await worldWith({ status: {} }).result("velero-version");
    expect(found).toBe("v1.18.3 by the image's tag: the server is not available");
  });

  it("is a warning when neither server nor tag says anything", async () => {
    expect(await worldWith({ image: "registry:5000/velero" }, "main").result("velero-version")).toMatchObject({
      verdict: "warning",
    });
  });
});

describe("velero-gc", () => {
  it("is ok when the collector is among the disabled controllers, in either spelling", async () => {
    for (const args of [["--disable-controllers=schedule,gc"], ["--disable-controllers", "gc"]]) {
      expect(await worldWith({ args }).result("velero-gc")).toMatchObject({ verdict: "ok" });
    }
  });

  it("is a warning that says what to add when it is on", async () => {
    for (const args of [["server"], ["--disable-controllers=schedule"], ["--disable-controllers"]]) {
      const { verdict, todo } = await worldWith({ args }).result("velero-gc");
      expect({ verdict, todo }).toMatchObject({
        verdict: "warning",
        todo: expect.stringContaining("--disable-controllers=gc"),
      });
    }
  });
});

describe("velero-plugin", () => {
  it("warns of releases that damage objects, and of no plugin at all", async () => {
    expect((await worldWith({ plugins: ["velero-plugin-for-aws:v1.14.2"] }).result("velero-plugin")).found).toContain(
      "damages",
    );
    expect((await worldWith({ plugins: [] }).result("velero-plugin")).found).toBe("no plugin is installed");
    expect((await worldWith({ plugins: ["csi:v1"] }).result("velero-plugin")).verdict).toBe("warning");
  });
});

describe("requireVelero", () => {
  it("passes for a Velero that is there, new enough and available, and for a tag that says nothing", async () => {
    await expect(requireVelero(new HealthyWorld().cluster, namespace)).resolves.toBeUndefined();
    for (const image of ["velero:main", "velero@sha256:00", "localhost:5000/velero", "velero:2.0"]) {
      await expect(requireVelero(worldWith({ image }).cluster, namespace)).resolves.toBeUndefined();
    }
  });

  it("throws for one that is absent, too old or not available, and asks the server nothing", async () => {
    const cases = [
      [await without(), "VELERO_ABSENT"],
      [worldWith({ image: "velero:v1.9.5" }), "VELERO_TOO_OLD"],
      [worldWith({ status: { availableReplicas: 0 } }), "VELERO_UNHEALTHY"],
    ] as const;
    for (const [world, code] of cases) {
      world.cluster.deny({ resource: resources.serverStatusRequests });
      await expect(requireVelero(world.cluster, namespace)).rejects.toMatchObject({ code });
    }
  });
});
