import { describe, expect, it } from "vitest";
import type { Claim, PersistentVolume } from "../../inventory/raw.ts";
import { aCopy, aPoint, someEvidence } from "../../inventory/sample.ts";
import type { Dataset } from "../../systems/nas/port.ts";
import { type EmptyWorld, planEmpty } from "./empty.ts";
import { goodCopyOf, selectTrash, trashIn, type TrashItem } from "./trash.ts";
import { emptyingKey, trashKey } from "./trash-mark.ts";

const driver = "org.democratic-csi.iscsi";
const aPv = (name: string, claim = "sonarr-config", part: object = {}): PersistentVolume => ({
  metadata: {
    name,
    uid: `uid-${name}`,
    annotations: { [trashKey]: "2026-11-01T00:00:00Z", "pv.kubernetes.io/provisioned-by": driver },
  },
  spec: {
    capacity: { storage: "1Gi" },
    claimRef: { namespace: "media", name: claim, uid: `was-${claim}` },
    csi: { driver, volumeHandle: "pvc-1" },
    ...part,
  },
});
const anItem = (part: Partial<TrashItem> = {}): TrashItem => ({
  volume: "media/sonarr-config",
  pv: aPv("pv-1"),
  claim: undefined,
  dataset: undefined,
  bytes: 2 ** 30,
  since: 0,
  emptying: false,
  ...part,
});
const world = (part: Partial<EmptyWorld> = {}): EmptyWorld => ({
  persistentVolumes: [aPv("pv-1")],
  drivers: new Set([driver]),
  nas: undefined,
  hasCopy: () => true,
  ...part,
});
const refusal = (item: TrashItem, part: Partial<EmptyWorld> = {}) => {
  try {
    planEmpty([anItem(), item], world(part), { withoutCopy: false });
  } catch (error) {
    return error;
  }
  return undefined;
};

describe("what keeps a volume in the trash", () => {
  const unmade = { metadata: { ...aPv("pv-1").metadata, annotations: {} } };
  it.each<[string, TrashItem, Partial<EmptyWorld>, RegExp]>([
    [
      "a PV that no CSI driver made",
      anItem({ pv: aPv("pv-2", "a", { csi: undefined }) }),
      {},
      /no CSI driver has made/,
    ],
    ["a PV that was made by hand", anItem({ pv: { ...aPv("pv-1"), ...unmade } }), {}, /made by hand/],
    ["a driver that runs nowhere", anItem(), { drivers: new Set() }, /runs on no node/],
    [
      "a claim that is still there",
      anItem({ claim: { metadata: { name: "a" }, spec: {} } }),
      {},
      /waits for your commit/,
    ],
    ["that no verified copy is left", anItem(), { hasCopy: () => false }, /no verified copy/],
  ])("is %s", (_, item, part, why) => {
    expect(refusal(item, part)).toMatchObject({ code: "TRASH_KEPT", why: expect.stringMatching(why) as string });
  });

  it("is a clone that lives on its dataset", () => {
    const dataset = { name: "tank/v/pvc-1", guid: "1" } as Dataset;
    const clone = { name: "tank/v/clone", guid: "2", origin: "tank/v/pvc-1@a" } as Dataset;
    const nas = { datasets: [dataset, clone], exports: undefined, addresses: [] };
    const error = refusal(anItem({ dataset }), { nas, persistentVolumes: [] });
    expect(error).toMatchObject({ why: "tank/v/clone is a clone of its dataset tank/v/pvc-1" });
  });

  it("is no missing copy any more when the user says so; the plan says what that means", () => {
    const plan = planEmpty([anItem()], world({ hasCopy: () => false }), { withoutCopy: true });
    expect(plan.warnings[0]).toBe("no verified copy of media/sonarr-config is left: its data is lost for good");
    expect([plan.undo.kind, plan.locks]).toEqual(["none", ["media/sonarr-config"]]);
  });
});

describe("the trash", () => {
  const claim: Claim = { metadata: { namespace: "media", name: "b", uid: "was-b" }, spec: {} };
  const emptying = { ...aPv("pv-3", "c") };
  const pvs = [
    aPv("pv-1"),
    aPv("pv-2", "b"),
    { ...emptying, metadata: { ...emptying.metadata, annotations: { [trashKey]: "?", [emptyingKey]: "true" } } },
    { ...aPv("pv-4", "d"), metadata: { name: "pv-4" } },
  ];
  const items = trashIn({ persistentVolumes: pvs, claims: [claim] }, undefined);

  it("is every PersistentVolume that says so, with the claim that may still be there", () => {
    expect(
      items.map((item) => [item.volume, item.claim?.metadata.name, item.bytes, item.since, item.emptying]),
    ).toEqual([
      ["media/c", undefined, 2 ** 30, undefined, true],
      ["media/b", "b", 2 ** 30, Date.UTC(2026, 10, 1), false],
      ["media/sonarr-config", undefined, 2 ** 30, Date.UTC(2026, 10, 1), false],
    ]);
  });

  it("is looked through by what a volume was, or by its PersistentVolume", () => {
    const names = (...references: readonly string[]) =>
      selectTrash(items, references).map(({ pv }) => pv.metadata.name);
    expect([names("sonarr"), names("pv-3"), names("b", "media/c"), names()]).toEqual([
      ["pv-1"],
      ["pv-3"],
      ["pv-3", "pv-2"],
      ["pv-3", "pv-2", "pv-1"],
    ]);
    expect(() => names("media/d")).toThrow(expect.objectContaining({ code: "VOLUME_UNKNOWN" }));
    expect(() => selectTrash([], ["a"])).toThrow(expect.objectContaining({ code: "VOLUME_UNKNOWN" }));
  });
});

describe("the last good copy", () => {
  const verified = { "media/sonarr-config": someEvidence() };
  it.each([
    [
      "is the newest that was verified",
      [aPoint({ id: "p2" }), aPoint({ copies: [aCopy()], evidence: verified })],
      "p1",
    ],
    ["is none that was only stored", [aPoint({ copies: [aCopy()] })], undefined],
    [
      "is none of a volume that had the name later",
      [aPoint({ copies: [aCopy({ lineage: "other:pvc-9" })], evidence: verified })],
      undefined,
    ],
  ])("%s", (_, points, wanted) => {
    expect(goodCopyOf(anItem(), points)?.point).toBe(wanted);
  });
});
