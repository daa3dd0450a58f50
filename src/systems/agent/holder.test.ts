import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { aCluster, type Cluster, mounting } from "../../restore/testing/cluster.ts";
import type { KubeObject } from "../kubernetes/port.ts";
import { resources } from "../kubernetes/resources.ts";
import { holdVolumes, removeHolders } from "./holder.ts";
import type { Made } from "./made.ts";

let cluster: Cluster;
beforeEach(async () => {
  cluster = await aCluster(0);
});
afterEach(() => cluster.controllers.stop());

const claim = (name: string, source: object | undefined): void => {
  cluster.kubernetes.put(resources.persistentVolumeClaims, {
    metadata: { name, namespace: "media" },
    spec: source === undefined ? {} : { volumeName: `pv-${name}` },
  } as KubeObject);
  if (source !== undefined)
    cluster.kubernetes.put(resources.persistentVolumes, {
      metadata: { name: `pv-${name}` },
      spec: source,
    } as KubeObject);
};
const mounts = (...claims: readonly string[]) =>
  claims.map((name, index) => ({ key: `v${index + 1}`, namespace: "media", claim: name }));
let made: Made[];
/** One run's holders; what it has made lies in `made`. */
const hold = (claims: readonly string[], run = "r1") => {
  made = [];
  return holdVolumes(
    { kubernetes: cluster.kubernetes, clock: cluster.context.clock, signal: cluster.stop.signal },
    mounts(...claims),
    { image: "holdfast:1", operation: "op1", run, kubeletDir: "/var/lib/kubelet", timeout: 3000 },
    made,
  );
};
const pod = async (name: string) => cluster.kubernetes.get(resources.pods, { namespace: "media", name });

describe("holdVolumes", () => {
  it.each([
    [{ csi: {} }, "kubernetes.io~csi/pv-a/mount"],
    [{ local: {} }, "kubernetes.io~local-volume/pv-a"],
    [{ nfs: {} }, "kubernetes.io~nfs/pv-a"],
    [{ iscsi: {} }, "kubernetes.io~iscsi/pv-a"],
  ])("knows where the kubelet mounts a volume of %o", async (source, directory) => {
    claim("a", source);
    const [held] = await hold(["a"]);
    const uid = (await pod("holdfast-hold-op1-v1-r1"))?.metadata.uid;
    expect(held).toEqual({ key: "v1", node: "node-1", hostPath: `/var/lib/kubelet/pods/${uid}/volumes/${directory}` });
  });

  it("goes where a running pod uses the claim: it may be mounted nowhere else", async () => {
    claim("a", { csi: {} });
    const using = { ...mounting("a"), nodeName: "node-7" };
    const user = { metadata: { name: "app", namespace: "media" }, spec: using, status: { phase: "Running" } };
    cluster.kubernetes.as("kubelet").put(resources.pods, user);
    await hold(["a"]);
    const term = { matchFields: [{ key: "metadata.name", operator: "In", values: ["node-7"] }] };
    const nodeAffinity = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } };
    expect(await pod("holdfast-hold-op1-v1-r1")).toMatchObject({ spec: { affinity: { nodeAffinity } } });
  });

  it("holds each claim by a pod without rights, credentials or a place in a backup", async () => {
    claim("a", { csi: {} });
    await hold(["a"]);
    expect(await pod("holdfast-hold-op1-v1-r1")).toMatchObject({
      metadata: { labels: { "holdfast.dev/operation": "op1", "velero.io/exclude-from-backup": "true" } },
      spec: {
        automountServiceAccountToken: false,
        securityContext: { runAsNonRoot: true },
        volumes: [{ persistentVolumeClaim: { claimName: "a" } }],
      },
    });
  });

  it("makes no pod at all when one of the claims has nothing to reach", async () => {
    claim("a", { csi: {} });
    claim("b", { hostPath: { path: "/data" } });
    claim("c", undefined);
    await expect(hold(["a", "b"])).rejects.toMatchObject({
      code: "TARGET_UNUSABLE",
      why: expect.stringContaining("hostPath") as string,
    });
    await expect(hold(["a", "c"])).rejects.toMatchObject({
      code: "TARGET_UNUSABLE",
      what: "The claim media/c is not bound to a volume.",
    });
    await expect(hold(["gone"])).rejects.toMatchObject({ code: "TARGET_UNUSABLE" });
    expect(await cluster.pods()).toEqual([]);
  });

  it("gives up with the cluster's own warning when the claim cannot be mounted", async () => {
    claim("a", { csi: {} });
    cluster.outcome = () => "pending";
    await expect(hold(["a"])).rejects.toMatchObject({
      code: "TARGET_UNUSABLE",
      why: expect.stringContaining("its holder pod is") as string,
    });
    await removeHolders(cluster.kubernetes, made);
    const event = (name: string, type: string, message: string) =>
      cluster.kubernetes.put(resources.events, {
        metadata: { name, namespace: "media" },
        involvedObject: { name: "holdfast-hold-op1-v1-r1" },
        type,
        message,
      } as KubeObject);
    event("e1", "Warning", "Multi-Attach error");
    event("e2", "Normal", "pulled");
    await expect(hold(["a"])).rejects.toMatchObject({
      what: "The claim media/a could not be mounted within 3 s.",
      why: "Multi-Attach error",
    });
  });
});

describe("removeHolders", () => {
  it("removes the holders of its run alone, and may be called again", async () => {
    claim("a", { csi: {} });
    await hold(["a"], "r2");
    const others = made;
    await hold(["a"]);
    await removeHolders(cluster.kubernetes, made);
    await removeHolders(cluster.kubernetes, made);
    expect(await cluster.pods()).toEqual(["holdfast-hold-op1-v1-r2"]);
    await removeHolders(cluster.kubernetes, others);
    expect(await cluster.pods()).toEqual([]);
  });

  it("leaves a pod alone that has the name of its own but is another one", async () => {
    claim("a", { csi: {} });
    await hold(["a"]);
    const first = made;
    await removeHolders(cluster.kubernetes, first);
    await hold(["a"]);
    await removeHolders(cluster.kubernetes, first);
    expect(await cluster.pods()).toEqual(["holdfast-hold-op1-v1-r1"]);
  });

  it("removes those of a run of which only some could be made", async () => {
    claim("a", { csi: {} });
    claim("b", { csi: {} });
    cluster.kubernetes.put(resources.pods, { metadata: { name: "holdfast-hold-op1-v2-r1", namespace: "media" } });
    await expect(hold(["a", "b"])).rejects.toMatchObject({ code: "KUBERNETES_CONFLICT" });
    await removeHolders(cluster.kubernetes, made);
    expect(await cluster.pods()).toEqual(["holdfast-hold-op1-v2-r1"]);
  });
});
