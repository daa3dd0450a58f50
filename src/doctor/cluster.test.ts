import { describe, expect, it } from "vitest";
import { Failure } from "../model/failure.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import { HealthyWorld, namespace } from "./testing/healthy.ts";

describe("doctor of a healthy cluster", () => {
  it("finds everything ok, and leaves neither request nor object behind", async () => {
    const world = new HealthyWorld();
    const results = await world.examine();
    expect(results.filter(({ verdict }) => verdict !== "ok")).toEqual([]);
    expect((await world.cluster.list(resources.serverStatusRequests, { namespace })).items).toEqual([]);
    const left = [];
    for await (const { key } of world.store.list("")) left.push(key);
    expect(left).toEqual(["holdfast/cluster/kit/evidence.json", "velero/kopia/media/kopia.repository"]);
  });

  it("names the file and all versions", async () => {
    const world = new HealthyWorld();
    expect((await world.result("config")).found).toBe('/etc/holdfast.yaml, cluster "cluster"');
    expect((await world.result("versions")).found).toBe(
      "Holdfast 0.1.0, Kubernetes v1.34.4, Velero v1.18.3, plugin docker.io/velero/velero-plugin-for-aws:v1.14.3",
    );
  });
});

describe("doctor without an API server", () => {
  it("still reads the bucket and opens the password, and says of the rest what it needs", async () => {
    const world = new HealthyWorld();
    world.cluster.fail(() => true, new Failure("KUBERNETES_UNREACHABLE", { what: "nas.lab does not answer." }));
    const results = await world.examine();
    const verdicts = Object.fromEntries(
      results.map(({ id, verdict, found }) => [id, verdict === "unknown" ? found : verdict]),
    );
    expect(verdicts).toMatchObject({
      config: "ok",
      kubernetes: "failed",
      rights: "needs kubernetes",
      velero: "needs kubernetes",
      "node-agent": "needs velero",
      bucket: "ok",
      identity: "needs kubernetes",
      // Nobody writes who does not know which cluster this is.
      "bucket-write": "needs identity",
      location: "needs velero",
      password: "ok",
      repositories: "ok",
      operations: "needs kubernetes",
      gitops: "needs kubernetes",
      versions: "needs velero",
    });
  });
});

describe("rights", () => {
  it("names each missing rule once, with its verbs and where it has to hold", async () => {
    const world = new HealthyWorld();
    world.cluster.deny({ verb: "patch", resource: resources.statefulSets });
    world.cluster.deny({ resource: resources.podVolumeRestores, namespace });
    const { verdict, found, code, todo } = await world.result("rights");
    expect({ verdict, code }).toEqual({ verdict: "failed", code: "KUBERNETES_FORBIDDEN" });
    expect(found).toBe("2 of 24 RBAC rules are missing: statefulsets (patch), podvolumerestores (get, create, patch)");
    expect(todo?.split("\n").map((line) => line.trim())).toEqual([
      "Give the kubeconfig's user these rules:",
      "# in a ClusterRole",
      '- {apiGroups: ["apps"], resources: ["statefulsets"], verbs: ["patch"]}',
      '# in a Role in namespace "velero", or a ClusterRole',
      '- {apiGroups: ["velero.io"], resources: ["podvolumerestores"], verbs: ["get", "create", "patch"]}',
    ]);
  });

  it("tells a subresource from its resource", async () => {
    const world = new HealthyWorld();
    world.cluster.deny({ verb: "get", resource: resources.pods, subresource: "log" });
    expect((await world.result("rights")).found).toBe("1 of 24 RBAC rules are missing: pods/log (get)");
  });
});
