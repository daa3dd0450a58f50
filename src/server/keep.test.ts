import { describe, expect, it } from "vitest";
import { openingKey, openingUntilKey } from "../guard/protect/mode.ts";
import type { Claim, PersistentVolume } from "../inventory/raw.ts";
import { type Kept, type Memory, nothingKnown, remembered, toRetain } from "./keep.ts";

const now = Date.parse("2026-11-26T12:00:00Z");
const going = { deletionTimestamp: "2026-11-26T12:00:00Z" };
const claim = (metadata: Partial<Claim["metadata"]> = {}): Claim => ({
  metadata: { namespace: "media", name: "sonarr", uid: "c", ...metadata },
  spec: { volumeName: "pv" },
  status: { phase: "Bound" },
});
const pv = (persistentVolumeReclaimPolicy: string, uid = "c"): PersistentVolume => ({
  metadata: { name: "pv", uid: "v" },
  spec: { persistentVolumeReclaimPolicy, claimRef: { namespace: "media", name: "sonarr", uid } },
});
const opened = (until?: string) => ({
  annotations: { [openingKey]: "c", ...(until === undefined ? {} : { [openingUntilKey]: until }) },
});

/** What is to be kept at the last of these moments, a minute apart. */
const kept = (...moments: readonly Kept[]): readonly string[] => {
  let memory: Memory = nothingKnown;
  let found: readonly PersistentVolume[] = [];
  for (const [index, objects] of moments.entries()) {
    memory = remembered(memory, objects);
    found = toRetain(memory, objects, now + index * 60_000);
  }
  return found.map(({ metadata }) => metadata.name);
};
const at = (claims: readonly Claim[], volume: PersistentVolume): Kept => ({ claims, persistentVolumes: [volume] });

describe("a PersistentVolume is kept", () => {
  it.each([
    ["when its claim is being deleted, guarded or not", [at([claim(going)], pv("Delete"))]],
    ["when its claim is gone", [at([], pv("Delete"))]],
    ["when its claim was gone before anybody looked", [at([claim()], pv("Delete")), at([], pv("Delete"))]],
    ["when its claim was made again under its name", [at([claim({ uid: "new" })], pv("Delete"))]],
    [
      "when Retain is taken away while its claim is going",
      [at([claim(going)], pv("Retain")), at([claim(going)], pv("Delete"))],
    ],
    [
      "when an operator's claim goes: it may hold data",
      [
        at(
          [claim({ ...going, ownerReferences: [{ apiVersion: "x/v1", kind: "Db", name: "d", uid: "u" }] })],
          pv("Delete"),
        ),
      ],
    ],
    [
      "when the permission to delete had ended",
      [at([claim({ ...going, ...opened("2026-11-26T11:59:00Z") })], pv("Delete"))],
    ],
    [
      "when the permission was another claim's",
      [at([claim({ ...going, annotations: { [openingKey]: "other" } })], pv("Delete"))],
    ],
    [
      "when the permission ended before the claim vanished",
      [at([claim(opened("2026-11-26T12:00:30Z"))], pv("Delete")), at([], pv("Delete"))],
    ],
  ])("%s", (_, moments) => {
    expect(kept(...moments)).toEqual(["pv"]);
  });
});

describe("a PersistentVolume is left as it is", () => {
  const pod = { name: "web-sonarr", ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: "web", uid: "u" }] };
  it.each([
    ["while its claim lives", [at([claim()], pv("Delete"))]],
    ["when it says Retain", [at([claim(going)], pv("Retain"))]],
    ["when its claim is ephemeral", [at([claim({ ...going, ...pod })], pv("Delete"))]],
    ["when its claim was ephemeral", [at([claim(pod)], pv("Delete")), at([], pv("Delete"))]],
    [
      "when the user has taken its claim out",
      [at([claim({ ...going, annotations: { "holdfast.dev/guard": "off" } })], pv("Delete"))],
    ],
    ["when the deletion is allowed", [at([claim({ ...going, ...opened() })], pv("Delete"))]],
    [
      "when the deletion was allowed in time, and ends later",
      [at([claim({ ...going, ...opened("2026-11-26T12:00:30Z") })], pv("Delete")), at([], pv("Delete"))],
    ],
    [
      "when somebody takes Retain away long after its claim has gone",
      [at([], pv("Retain")), at([], pv("Delete")), at([], pv("Delete"))],
    ],
    ["when it never had a claim", [at([], { ...pv("Delete"), spec: { persistentVolumeReclaimPolicy: "Delete" } })]],
  ])("%s", (_, moments) => {
    expect(kept(...moments)).toEqual([]);
  });
});

it("forgets what no PersistentVolume leads to any more", () => {
  const open = remembered(nothingKnown, at([claim(opened())], pv("Delete")));
  expect(open.pardons.size).toBe(1);
  expect(remembered(open, { claims: [], persistentVolumes: [] })).toEqual(nothingKnown);
});
