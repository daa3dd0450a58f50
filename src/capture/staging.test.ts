import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { aMount, aVolume } from "../inventory/sample.ts";
import { aCluster, type Cluster } from "../restore/testing/cluster.ts";
import type { KubeObject } from "../systems/kubernetes/port.ts";
import { createStagingPods, notYetStaged, removeStagingPods, stagingPod } from "./staging.ts";

interface Spec extends KubeObject {
  readonly spec: {
    readonly nodeName?: string;
    readonly containers: readonly { readonly volumeMounts: readonly object[] }[];
    readonly volumes: readonly object[];
  };
}

const options = { image: "holdfast:1", point: "p1" };
const specOf = (pod: KubeObject) => (pod as Spec).spec;
let cluster: Cluster;
beforeEach(async () => {
  cluster = await aCluster(1);
});
afterEach(() => cluster.controllers.stop());

describe("stagingPod", () => {
  it("mounts the claim read-only in a main container, without rights and credentials", () => {
    const spec = specOf(stagingPod(aVolume(), options));
    expect(spec).toMatchObject({
      automountServiceAccountToken: false,
      volumes: [{ persistentVolumeClaim: { claimName: "sonarr-config" } }],
    });
    expect(spec.containers[0]?.volumeMounts).toEqual([{ name: "data", mountPath: "/data", readOnly: true }]);
  });

  it("goes to the node where the claim is in use, and anywhere when it is not", () => {
    expect(specOf(stagingPod(aVolume({ mounts: [aMount({ by: "init", node: "nas" })] }), options)).nodeName).toBe(
      "nas",
    );
    expect(
      specOf(stagingPod(aVolume({ mounts: [aMount({ phase: "Pending", node: "nas" })] }), options)).nodeName,
    ).toBeUndefined();
  });

  it("has the same name for every point, so that kopia finds the previous copy", () => {
    const name = (point: string) => stagingPod(aVolume(), { ...options, point }).metadata.name;
    expect(name("p1")).toBe(name("p2"));
  });
});

describe("staging pods", () => {
  it("run, are used again when a killed backup left them, and are all removed", async () => {
    const volumes = [aVolume(), aVolume({ claim: "other" })];
    await createStagingPods(cluster.kubernetes, volumes.slice(0, 1), options);
    await createStagingPods(cluster.kubernetes, volumes, { ...options, point: "p2" });
    await cluster.controllers.settled();
    expect((await cluster.pods()).filter((name) => name.startsWith("holdfast-"))).toHaveLength(2);
    expect(await notYetStaged(cluster.kubernetes)).toEqual([]);
    await removeStagingPods(cluster.kubernetes);
    expect((await cluster.pods()).filter((name) => name.startsWith("holdfast-"))).toEqual([]);
    expect(await cluster.pods()).toHaveLength(1);
  });

  it("that do not run yet are named with their phase", async () => {
    cluster.outcome = () => "pending";
    await createStagingPods(cluster.kubernetes, [aVolume()], options);
    expect(await notYetStaged(cluster.kubernetes)).toEqual([
      expect.stringMatching(/^media\/holdfast-staging-sonarr-config: (?:Pending|Unknown)$/),
    ]);
  });
});
