import { describe, expect, it } from "vitest";
import { volumeName } from "../model/volume.ts";
import type { Claim, Pod, PodMaker } from "./raw.ts";
import { type ClusterObjects, volumesOf } from "./volumes.ts";

const empty: ClusterObjects = { namespaces: [], claims: [], persistentVolumes: [], pods: [], makers: [] };

const claim = (name: string, extra: Partial<Claim["spec"]> = {}): Claim => ({
  metadata: { name, namespace: "media", uid: `uid-${name}`, creationTimestamp: "2026-11-01T00:00:00Z" },
  spec: { volumeName: `pv-${name}`, storageClassName: "nas", accessModes: ["ReadWriteOnce"], ...extra },
  status: { phase: "Bound", capacity: { storage: "5Gi" } },
});

const pod = (name: string, claimName: string, owner?: { kind: string; name: string; uid: string }): Pod => ({
  kind: "Pod",
  metadata: {
    name,
    namespace: "media",
    uid: `uid-${name}`,
    ...(owner === undefined ? {} : { ownerReferences: [{ apiVersion: "apps/v1", ...owner, controller: true }] }),
  },
  spec: {
    nodeName: "node",
    containers: [{ name: "app", volumeMounts: [{ name: "config" }] }],
    volumes: [{ name: "config", persistentVolumeClaim: { claimName } }],
  },
  status: { phase: "Running" },
});

const maker = (kind: string, name: string, extra: Partial<PodMaker["spec"]> = {}): PodMaker => ({
  kind,
  metadata: { name, namespace: "media", uid: `uid-${kind}-${name}` },
  spec: extra,
});

describe("the volumes of a cluster", () => {
  it("join a claim with its PV, and keep driver and handle", () => {
    const [volume] = volumesOf({
      ...empty,
      claims: [claim("sonarr")],
      persistentVolumes: [
        {
          metadata: { name: "pv-sonarr", uid: "u1" },
          spec: {
            persistentVolumeReclaimPolicy: "Delete",
            accessModes: [],
            csi: { driver: "org.democratic-csi.nfs", volumeHandle: "pvc-1" },
          },
        },
      ],
    });
    expect(volume?.backing).toEqual({
      name: "pv-sonarr",
      uid: "u1",
      reclaimPolicy: "Delete",
      source: "csi",
      driver: "org.democratic-csi.nfs",
      handle: "pvc-1",
    });
    expect(volume?.capacity).toBe(5 * 2 ** 30);
  });

  it("name the Deployment behind a ReplicaSet's pod, once", () => {
    const deployment = maker("Deployment", "sonarr", { template: { spec: pod("x", "sonarr").spec } });
    const replicaSet: PodMaker = {
      ...maker("ReplicaSet", "sonarr-abc"),
      metadata: {
        ...maker("ReplicaSet", "sonarr-abc").metadata,
        ownerReferences: [
          { apiVersion: "apps/v1", kind: "Deployment", name: "sonarr", uid: "uid-Deployment-sonarr", controller: true },
        ],
      },
    };
    const [volume] = volumesOf({
      ...empty,
      claims: [claim("sonarr")],
      pods: [
        pod("sonarr-abc-1", "sonarr", { kind: "ReplicaSet", name: "sonarr-abc", uid: "uid-ReplicaSet-sonarr-abc" }),
      ],
      makers: [deployment, replicaSet],
    });
    expect(volume?.workloads).toEqual([{ kind: "Deployment", name: "sonarr" }]);
  });

  it("are not used by pods of Holdfast's own, which a dead one may have left", () => {
    const holder = pod("holdfast-hold-1", "sonarr");
    const labels = { "app.kubernetes.io/managed-by": "holdfast" };
    const pods = [{ ...holder, metadata: { ...holder.metadata, labels } }, pod("sonarr-1", "sonarr")];
    const [volume] = volumesOf({ ...empty, claims: [claim("sonarr")], pods });
    expect(volume?.mounts.map((mount) => mount.pod)).toEqual(["sonarr-1"]);
    expect(volume?.workloads).toEqual([{ kind: "Pod", name: "sonarr-1" }]);
  });

  it("find a workload that is scaled to zero by its template", () => {
    const cron = maker("CronJob", "tidy", {
      jobTemplate: { spec: { template: { spec: pod("x", "cron-data").spec } } },
    });
    const [volume] = volumesOf({ ...empty, claims: [claim("cron-data")], makers: [cron] });
    expect(volume?.mounts).toEqual([]);
    expect(volume?.workloads).toEqual([{ kind: "CronJob", name: "tidy" }]);
  });

  it("know the claims of a StatefulSet's template by ordinal", () => {
    const set = maker("StatefulSet", "db", { replicas: 2, volumeClaimTemplates: [{ metadata: { name: "data" } }] });
    const volumes = volumesOf({
      ...empty,
      claims: [claim("data-db-0"), claim("data-db-1"), claim("data-db-2")],
      makers: [set],
    });
    expect(volumes.map((volume) => volume.workloads.length)).toEqual([1, 1, 0]);
  });

  it("tell a mount of a main container from one of an init container", () => {
    const base = pod("a", "init-only");
    const initOnly: Pod = {
      ...base,
      spec: {
        ...base.spec,
        containers: [{ name: "app" }],
        initContainers: [{ name: "prepare", volumeMounts: [{ name: "config" }] }],
      },
    };
    const unmounted: Pod = {
      ...pod("b", "declared"),
      spec: { ...pod("b", "declared").spec, containers: [{ name: "app" }] },
    };
    const volumes = volumesOf({
      ...empty,
      claims: [claim("init-only"), claim("declared")],
      pods: [initOnly, unmounted],
    });
    expect(volumes.map((volume) => [volumeName(volume), volume.mounts[0]?.by])).toEqual([
      ["media/declared", "none"],
      ["media/init-only", "init"],
    ]);
  });

  it("are excluded by a label on the claim or on its namespace", () => {
    const labelled = {
      ...claim("a"),
      metadata: { ...claim("a").metadata, labels: { "velero.io/exclude-from-backup": "true" } },
    };
    const namespaces = [{ metadata: { name: "media", labels: { "velero.io/exclude-from-backup": "true" } } }];
    expect(volumesOf({ ...empty, claims: [labelled, claim("b")] }).map((volume) => volume.excludedByLabel)).toEqual([
      true,
      false,
    ]);
    expect(volumesOf({ ...empty, claims: [claim("b")], namespaces })[0]?.excludedByLabel).toBe(true);
  });
});
