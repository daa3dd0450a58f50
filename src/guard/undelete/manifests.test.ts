import { describe, expect, it } from "vitest";
import type { DeletedVolume } from "./deleted.ts";
import { claimToMake, ownersAmong } from "./manifests.ts";

const owner = (name: string) => ({ apiVersion: "apps/v1", kind: "StatefulSet", name, uid: `uid-of-${name}` });
const workload = (name: string, deletionTimestamp?: string) => ({
  metadata: { name, uid: `uid-of-${name}`, ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }) },
});

describe("a claim that is made again", () => {
  it("has those of its owners that stay: the garbage collector would take it along with any other", () => {
    const ownerReferences = ["stays", "going", "gone"].map(owner);
    const object = { metadata: { name: "data-db-0", namespace: "misc", ownerReferences }, spec: {} };
    const lives = ownersAmong([workload("stays"), workload("going", "2026-01-01T00:00:00Z")]);
    const ownersIn = (namespaceIs: DeletedVolume["namespaceIs"], ownerLives = lives) =>
      claimToMake({ object, namespaceIs } as unknown as DeletedVolume, ownerLives).metadata.ownerReferences;
    expect(ownersIn("there")).toEqual([owner("stays")]);
    expect(ownersIn("there", ownersAmong([]))).toBeUndefined();
    expect(ownersIn("terminating")).toBeUndefined();
  });
});
