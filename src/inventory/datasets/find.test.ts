import { describe, expect, it } from "vitest";
import { isFailure } from "../../model/failure.ts";
import type { PersistentVolume } from "../raw.ts";
import { findDataset, requireDataset } from "./find.ts";
import { aDataset, makers, viewOf } from "./testing/volumes.ts";
import { mapVolumes } from "./volume-map.ts";

const sample = makers["democratic-csi NFS"](1);
const pv = (spec: PersistentVolume["spec"]): PersistentVolume => ({ metadata: { name: "pv" }, spec });

const failureOf = (act: () => unknown): unknown => {
  try {
    return act();
  } catch (error) {
    return error;
  }
};

describe("the dataset behind a volume", () => {
  it("is told with everything that speaks for it", () => {
    const { dataset } = sample;
    expect(findDataset(sample.pv, viewOf([sample]))).toEqual({
      found: dataset,
      why: [
        "it is mounted at the share's path /mnt/tank/k8s/nfs/v/pvc-1",
        "an NFS share exports /mnt/tank/k8s/nfs/v/pvc-1",
        "its name ends in the volumeHandle pvc-1",
        "democratic-csi:managed_resource is true",
        "democratic-csi:csi_share_volume_context has the PV's share",
      ],
    });
  });

  it.each([
    [{ csi: { driver: "ebs.csi.aws.com", volumeHandle: "vol-1" } }, "does not know where the driver ebs.csi.aws.com"],
    [{ hostPath: { path: "/data" } }, "a hostPath volume lies on a node, not on the NAS"],
    [{ local: { path: "/data" } }, "a local volume lies on a node"],
    [{ rbd: {} }, "does not know where rbd volumes lie"],
    // Named like a driver that we know, without its shape.
    [{ csi: { driver: "org.democratic-csi.nfs", volumeHandle: "pvc-1" } }, "org.democratic-csi.nfs"],
    [{ csi: { driver: "zfs.csi.openebs.io", volumeHandle: "pvc-1" } }, "zfs.csi.openebs.io"],
    [{ nfs: { server: "10.9.9.9", path: "/mnt/tank" } }, "its server 10.9.9.9 is not known to be this NAS"],
    [{ nfs: { server: "10.0.0.5", path: "/mnt/tank/x" } }, "no dataset of the NAS is mounted at /mnt/tank/x"],
  ])("is unknown, and it is said why: %j", (spec, reason) => {
    expect(findDataset(pv(spec), viewOf([sample]))).toMatchObject({
      unknown: expect.stringContaining(reason) as string,
    });
  });

  it("is not the dataset in which a static PV's directory lies", () => {
    const films = makers["static NFS"](1);
    const inside = pv({ nfs: { server: "10.0.0.5", path: "/mnt/tank/media/films-1/anime" } });
    expect(findDataset(inside, viewOf([films]))).toEqual({
      unknown: "/mnt/tank/media/films-1/anime is a directory inside tank/media/films-1: it has no snapshots of its own",
    });
  });

  it("is known by its name where the NAS tells no mountpoint", () => {
    const unmounted = { ...sample, dataset: { ...sample.dataset, mountpoint: undefined } };
    expect(findDataset(unmounted.pv, viewOf([unmounted]))).toHaveProperty("found");
  });

  it("is found for a volume of tns-csi whose handle is nothing but its name", () => {
    const { pv: full, ...rest } = makers["tns-csi NFS"](1);
    const plain = { ...rest, pv: { ...full, spec: { csi: { driver: "tns.csi.io", volumeHandle: "pvc-1" } } } };
    expect(findDataset(plain.pv, viewOf([makers["tns-csi NFS"](2), plain]))).toMatchObject({ found: plain.dataset });
  });

  it("is required as a Failure that names every candidate and what speaks against it", () => {
    const moved = { ...sample, dataset: { ...sample.dataset, mountpoint: "/mnt/old" } };
    const second = aDataset("tank/other", { mountpoint: "/mnt/tank/k8s/nfs/v/pvc-1" });
    const view = { ...viewOf([moved]), datasets: [moved.dataset, second] };
    const ambiguous = failureOf(() => requireDataset("media/sonarr", sample.pv, view));
    expect(isFailure(ambiguous, "DATASET_AMBIGUOUS") && ambiguous.why?.split("\n")).toEqual([
      expect.stringMatching(/^tank\/k8s\/nfs\/v\/pvc-1: for it: .*; against it: it is mounted at \/mnt\/old/),
      expect.stringMatching(/^tank\/other: for it: it is mounted at .*; against it: its name ends in other/),
    ]);
    const unknown = failureOf(() => requireDataset("media/sonarr", pv({ hostPath: {} }), view));
    expect(isFailure(unknown, "DATASET_UNKNOWN") && unknown.what).toContain("media/sonarr");
  });
});

describe("the map of all volumes", () => {
  it("reports a dataset that two PVs are on, and everything that points at one", () => {
    const twin = { ...sample.pv, metadata: { ...sample.pv.metadata, name: "twin" } };
    const other = makers["democratic-csi iSCSI"](2);
    const { answers, pointedAt, shared } = mapVolumes([sample.pv, twin, other.pv], viewOf([sample, other]));
    expect([...shared]).toEqual([[sample.dataset.name, ["pvc-1", "twin"]]]);
    expect(pointedAt.get(other.dataset.name)).toEqual(["pvc-2"]);
    expect(answers.get("twin")).toMatchObject({ found: sample.dataset });
  });

  it("counts a candidate as pointed at, so that nobody calls it an orphan", () => {
    const foreign = { ...sample, dataset: { ...sample.dataset, properties: {} } };
    const { answers, pointedAt } = mapVolumes([foreign.pv], viewOf([foreign]));
    expect(answers.get("pvc-1")).toHaveProperty("ambiguous");
    expect(pointedAt.get(foreign.dataset.name)).toEqual(["pvc-1"]);
  });

  it("believes in an address that a volume with all its cross-checks names", () => {
    const films = makers["static NFS"](2);
    const unproven = viewOf([films, sample], { addresses: ["truenas.example"] });
    expect(mapVolumes([films.pv], unproven).answers.get("films-2")).toHaveProperty("unknown");
    expect(mapVolumes([films.pv, sample.pv], unproven).answers.get("films-2")).toMatchObject({ found: films.dataset });
  });
});
