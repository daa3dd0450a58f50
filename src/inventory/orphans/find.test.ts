import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Snapshot } from "../../systems/nas/port.ts";
import { continuesProperty } from "../continuations.ts";
import { aDataset, makers, type Sample, type SampleKind, viewOf } from "../datasets/testing/volumes.ts";
import { findOrphans, type Orphan, orphanGuids, type OrphanInput } from "./find.ts";

const day = 86_400_000;
const now = 100 * day;
const uid = "0f2b7c1e-1111-4222-8333-444455556666";
const sample = makers["democratic-csi NFS"](1);
const parents = [
  "tank/k8s/nfs/v",
  "tank/k8s/iscsi/v",
  "tank/csi",
  "tank/tns",
  "tank/local",
  "tank/media",
  "tank/restored",
];

const aSnapshot = (name: string, part: Partial<Snapshot> = {}): Snapshot => {
  const [dataset = "", snapshot = ""] = name.split("@");
  const identity = { name, guid: `guid of ${name}`, createtxg: "200" };
  return { ...identity, dataset, snapshot, created: 0, used: 10, referenced: 100, held: false, ...part };
};

const input = (samples: readonly Sample[], part: Partial<OrphanInput> = {}): OrphanInput => ({
  parents,
  view: viewOf(samples),
  snapshots: [],
  pvs: samples.map(({ pv }) => pv),
  snapshotContents: [],
  past: new Map(),
  now,
  ...part,
});
const orphans = (part: Partial<OrphanInput>, samples: readonly Sample[] = [sample]): readonly Orphan[] =>
  findOrphans(input(samples, part));
const names = (found: readonly Orphan[]): readonly string[] => found.map(({ name }) => name);
/** The NAS with one more dataset on it. */
const beside = (name: string, part = {}): Partial<OrphanInput> => {
  const view = viewOf([sample]);
  return { view: { ...view, datasets: [...view.datasets, aDataset(name, part)] } };
};

describe("a dataset", () => {
  it("is an orphan exactly when no PV points at it", () => {
    const kinds = Object.keys(makers) as SampleKind[];
    const parts = fc.uniqueArray(
      fc.record({ kind: fc.constantFrom(...kinds), id: fc.integer({ min: 1, max: 99 }), hasPv: fc.boolean() }),
      { maxLength: 12, selector: ({ id }) => id },
    );
    fc.assert(
      fc.property(parts, (parts) => {
        const all = parts.map(({ kind, id, hasPv }) => ({ ...makers[kind](id), hasPv }));
        const found = orphans({ pvs: all.filter(({ hasPv }) => hasPv).map(({ pv }) => pv) }, all);
        expect(names(found).toSorted()).toEqual(
          all
            .filter(({ hasPv }) => !hasPv)
            .map(({ dataset }) => dataset.name)
            .toSorted(),
        );
      }),
    );
  });

  it("is none while a PV could mean it, though not everything agrees", () => {
    const foreign = { ...sample, dataset: { ...sample.dataset, properties: {} } };
    expect(orphans({}, [foreign])).toEqual([]);
  });

  it("is none when it is a parent, or holds others", () => {
    const view = viewOf([sample]);
    const datasets = [...["tank/k8s/nfs/v", "tank/k8s", "tank"].map((name) => aDataset(name)), ...view.datasets];
    expect(orphans({ view: { ...view, datasets } })).toEqual([]);
  });

  it("is none while it is so young that its driver may be at work", () => {
    expect(orphans(beside("tank/tns/new", { created: now - 1000 }))).toEqual([]);
    expect(names(orphans(beside("tank/tns/new", { created: now - day })))).toEqual(["tank/tns/new"]);
  });

  it("is told with its size, and largest first", () => {
    const view = viewOf([makers["tns-csi NFS"](1), makers["tns-csi NFS"](2)]);
    const datasets = view.datasets.map((dataset, index) => ({ ...dataset, used: 5 + index }));
    expect(orphans({ view: { ...view, datasets }, pvs: [] }).map(({ bytes }) => bytes)).toEqual([6, 5]);
  });

  it("is told to be still exported", () => {
    expect(orphans({ pvs: [] })[0]?.why).toBe("no PV points at it, but it is still exported");
    expect(orphans({ pvs: [] }, [makers["democratic-csi iSCSI"](1)])[0]?.why).toContain("still exported");
    expect(orphans(beside("tank/tns/x"))[0]?.why).toBe("no PV points at it");
  });

  it.each([
    [
      "tank/k8s/nfs/v/a",
      { properties: { "democratic-csi:managed_resource": "true" } },
      "a volume of democratic-csi, a",
    ],
    ["tank/tns/a", { properties: { "tns-csi:managed_by": "tns-csi" } }, "a volume of tns-csi, a"],
    [
      "tank/tns/a",
      { properties: { "tns-csi:pvc_name": "b", "tns-csi:pvc_namespace": "media" } },
      "media/b, as tns-csi noted",
    ],
    [`tank/csi/pvc-${uid}`, {}, `a volume of a CSI driver, pvc-${uid}`],
    [`tank/csi/pvc-1/snapshot-${uid}`, {}, "a detached CSI snapshot"],
    ["tank/csi/a", { properties: { [continuesProperty]: "{}" } }, "a clone that a restore of Holdfast made"],
    ["tank/csi/by-hand", {}, "unknown: no driver has left a mark on it"],
  ])("is told as what it probably was: %s %j", (name, part, was) => {
    expect(orphans(beside(name, part)).map((orphan) => orphan.was)).toEqual([was]);
  });

  it("is told as the volume that an inventory knew it as", () => {
    const past = new Map([[sample.dataset.guid, { claim: "media/sonarr", pv: "pvc-1", seen: day }]]);
    expect(orphans({ pvs: [], past })[0]?.was).toBe("media/sonarr (PV pvc-1), last there on 1970-01-02");
    expect([...orphanGuids(input([sample], { pvs: [] }))]).toEqual([sample.dataset.guid]);
  });

  it("is told as a clone, and of what", () => {
    const origin = `${sample.dataset.name}@snapshot-${uid}`;
    expect(orphans(beside("tank/k8s/nfs/v/c", { origin }))).toMatchObject([
      { kind: "clone", was: `unknown: no driver has left a mark on it, a clone of ${origin}` },
    ]);
  });
});

describe("a snapshot", () => {
  const on = (snapshot: string, part: Partial<Snapshot> = {}): Snapshot =>
    aSnapshot(`${sample.dataset.name}@${snapshot}`, part);
  const stepping = [
    `volume-source-for-volume-pvc-${uid}`,
    `volume-source-for-snapshot-snapshot-${uid}`,
    "csi-clone-tank-csi-pvc-1-1764000000",
    "csi-restore-for-pvc-1",
    "csi-detached-temp-1764000000000000000",
  ];

  it.each(stepping)("that a driver made on its way to a clone is left over without one: %s", (name) => {
    expect(orphans({ snapshots: [on(name)] })).toMatchObject([
      { kind: "snapshot", bytes: 10, why: "nothing below the parents is a clone of it" },
    ]);
    expect(orphans({ snapshots: [on(name, { created: now - 1000 })] })).toEqual([]);
    const clone = makers["democratic-csi NFS"](2);
    const cloned = { ...clone, dataset: { ...clone.dataset, origin: on(name).name } };
    expect(orphans({ snapshots: [on(name)] }, [sample, cloned])).toEqual([]);
  });

  it.each([
    ["democratic-csi's handle", { status: { snapshotHandle: `pvc-1@snapshot-${uid}` } }],
    ["TrueNAS' handle", { status: { snapshotHandle: `tank/k8s/nfs/v/pvc-1@snapshot-${uid}` } }],
    ["tns-csi's handle", { status: { snapshotHandle: `nfs:pvc-1@snapshot-${uid}` } }],
    ["a handle that was given by hand", { spec: { source: { snapshotHandle: `pvc-1@snapshot-${uid}` } } }],
    ["nothing but its own name yet", { metadata: { name: `snapcontent-${uid}` } }],
  ])("of CSI is left over without a VolumeSnapshotContent, which has %s", (_what, part) => {
    const snapshots = [on(`snapshot-${uid}`)];
    expect(orphans({ snapshots })).toMatchObject([
      { why: "no VolumeSnapshotContent names it", was: "a CSI snapshot of pvc-1" },
    ]);
    const other = {
      metadata: { name: "other" },
      status: { snapshotHandle: "pvc-1@snapshot-00000000-1111-4222-8333-444455556666" },
    };
    expect(orphans({ snapshots, snapshotContents: [other] })).toHaveLength(1);
    expect(orphans({ snapshots, snapshotContents: [other, { metadata: { name: "x" }, ...part }] })).toEqual([]);
  });

  it("that is detached is a dataset, and needs its VolumeSnapshotContent as well", () => {
    const content = { metadata: { name: "x" }, status: { snapshotHandle: `pvc-1/snapshot-${uid}` } };
    const detached = beside(`tank/k8s/nfs/s/pvc-1/snapshot-${uid}`);
    expect(orphans(detached)).toHaveLength(1);
    expect(orphans({ ...detached, snapshotContents: [content] })).toEqual([]);
  });

  it.each([
    "auto-2026-11-25_03-00",
    "autosnap_2026-11-25_03:00:00_daily",
    "rcv_20261125T030000Z_x7k2",
    "manual",
    "snapshot-1",
  ])("of people and their tasks is none of these: %s", (name) => {
    expect(orphans({ snapshots: [on(name)] })).toEqual([]);
  });

  it("of an orphan goes with it, and is not listed beside it", () => {
    expect(names(orphans({ pvs: [], snapshots: [on(`snapshot-${uid}`)] }))).toEqual([sample.dataset.name]);
  });
});
