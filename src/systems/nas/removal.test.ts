import { describe, expect, it } from "vitest";
import type { Identity } from "./port.ts";
import { checkDatasetName, checkDatasetRemoval, checkSnapshotName, checkSnapshotRemoval } from "./removal.ts";

const dataset: Identity = { name: "tank/a", guid: "18446744073709551615", createtxg: "10" };
const snapshot = { name: "tank/a@s", guid: "7", createtxg: "11", held: false, clones: [] as readonly string[] };
const seen = { dataset, snapshots: [snapshot], children: [] as readonly string[] };

describe("a removal", () => {
  it("goes on when everything is what was meant, and when a named snapshot is gone", () => {
    checkSnapshotRemoval(snapshot, snapshot);
    checkDatasetRemoval(dataset, [snapshot], seen);
    checkDatasetRemoval(dataset, [snapshot, { ...snapshot, name: "tank/a@gone" }], seen);
    expect(() => checkDatasetRemoval(dataset, [], { ...seen, snapshots: [] })).not.toThrow();
  });

  it.each([
    ["another GUID", { guid: "18446744073709551614" }],
    ["another createtxg", { createtxg: "12" }],
    ["another name", { name: "tank/b" }],
  ])("stops at %s", (_, change) => {
    expect(() => checkDatasetRemoval(dataset, [snapshot], { ...seen, dataset: { ...dataset, ...change } })).toThrow(
      "NAS_NOT_OURS",
    );
    const other = { ...snapshot, ...change };
    expect(() => checkSnapshotRemoval(snapshot, other)).toThrow("NAS_NOT_OURS");
    expect(() => checkDatasetRemoval(dataset, [snapshot], { ...seen, snapshots: [other] })).toThrow("NAS_NOT_OURS");
  });

  it.each([
    ["NAS_NOT_OURS", { snapshots: [snapshot, { ...snapshot, name: "tank/a@t" }] }],
    ["NAS_HAS_CHILDREN", { children: ["tank/a/b"] }],
    ["NAS_BUSY", { snapshots: [{ ...snapshot, held: true }] }],
    ["NAS_HAS_CLONES", { snapshots: [{ ...snapshot, clones: ["tank/c"] }] }],
  ])("stops with %s before anything is destroyed", (code, change) => {
    expect(() => checkDatasetRemoval(dataset, [snapshot], { ...seen, ...change })).toThrow(code);
  });

  it("names who is in the way", () => {
    expect(() => checkSnapshotRemoval(snapshot, { ...snapshot, clones: ["tank/c", "tank/d"] })).toThrow(
      "tank/c, tank/d",
    );
  });

  it("is never of a pool, nor of a snapshot in a dataset's place", () => {
    for (const name of ["tank", "tank/a@s", "", "/tank/a"]) expect(() => checkDatasetName(name)).toThrow("NAS_REFUSED");
    for (const name of ["tank/a", "tank/a@s,t", "tank/a@%"])
      expect(() => checkSnapshotName(name)).toThrow("NAS_REFUSED");
  });
});
