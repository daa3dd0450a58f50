import { describe, expect, it } from "vitest";
import { findDeleted } from "./find.ts";

const pv = {
  metadata: { name: "pv-1", uid: "pv-uid" },
  spec: { claimRef: { namespace: "media", name: "sonarr", uid: "claim-uid" }, persistentVolumeReclaimPolicy: "Retain" },
};
const claim = { metadata: { namespace: "media", name: "sonarr", uid: "claim-uid" }, spec: { volumeName: "pv-1" } };
const going = "2026-01-01T00:00:00Z";

const found = (namespace: object, live: object) =>
  findDeleted({
    namespaces: [{ metadata: { name: "media", ...namespace } }],
    claims: [{ ...claim, metadata: { ...claim.metadata, ...live } }],
    persistentVolumes: [pv],
    records: new Map(),
    nas: "none",
  });

describe("a claim that is there", () => {
  it("is not deleted", () => {
    expect(found({}, {})).toEqual([]);
  });

  it("is, when it says so itself", () => {
    expect(found({}, { deletionTimestamp: going })).toMatchObject([{ remains: "claim", namespaceIs: "there" }]);
  });

  it("is, when its namespace is being deleted, though nobody has come to it yet", () => {
    expect(found({ deletionTimestamp: going }, {})).toMatchObject([{ remains: "claim", namespaceIs: "terminating" }]);
  });
});
