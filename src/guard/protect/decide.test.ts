import { describe, expect, it } from "vitest";
import type { Claim, PersistentVolume } from "../../inventory/raw.ts";
import { type Around, exceptionOf } from "./decide.ts";

const pv: PersistentVolume = { metadata: { name: "pv-1" }, spec: {} };
const around: Around = { pv, namespace: { metadata: { name: "media" } } };
const claim = (metadata: Partial<Claim["metadata"]> = {}, part: Partial<Claim> = {}): Claim => ({
  metadata: { name: "sonarr-config", namespace: "media", ...metadata },
  spec: { volumeName: "pv-1" },
  status: { phase: "Bound" },
  ...part,
});
const owner = (kind: string, name: string) => ({ apiVersion: "v1", kind, name, uid: "u", controller: true });
const run = (apiVersion: string, kind: string) => ({ ...owner(kind, "r"), apiVersion });
const labels = (key: string, value = "") => ({ labels: { [key]: value } });

describe("what is guarded by default", () => {
  it.each([
    ["a bound claim", claim()],
    ["a StatefulSet's, also one that it owns", claim({ ownerReferences: [owner("StatefulSet", "postgres")] })],
    [
      "a StatefulSet's that goes with its pod when the set is scaled down",
      claim({ name: "data-postgres-1", ownerReferences: [owner("Pod", "postgres-1")] }),
    ],
    ["one that Velero has restored", claim(labels("velero.io/restore-name", "r"))],
    ["a disk that CDI has imported", claim(labels("app", "containerized-data-importer"))],
    ["one whose mode somebody has set", claim({ annotations: { "holdfast.dev/guard": "bin" } })],
  ])("%s", (_, volume) => {
    expect(exceptionOf(volume, around)).toBeUndefined();
  });
});

describe("what is left alone", () => {
  it.each([
    ["excluded", claim({ annotations: { "holdfast.dev/guard": "off" } }), /says "off"/],
    ["ephemeral", claim({ name: "app-1-scratch", ownerReferences: [owner("Pod", "app-1")] }), /of pod app-1/],
    ["owned", claim({ ownerReferences: [owner("Workspace", "w")] }), /belongs to Workspace w/],
    ["temporary", claim(labels("app.kubernetes.io/created-by", "volsync")), /VolSync/],
    ["temporary", claim({ annotations: { "volsync.backube/cleanup": "r" } }), /VolSync/],
    ["temporary", claim(labels("cnpg.io/cluster", "db")), /CloudNativePG/],
    ["temporary", claim({ name: "prime-1", ...labels("app", "containerized-data-importer") }), /CDI/],
    ["temporary", claim({ name: "disk-scratch", ...labels("app", "containerized-data-importer") }), /CDI/],
    ["temporary", claim(labels("velero.io/data-upload", "d")), /Velero/],
    ["temporary", claim({ ownerReferences: [run("tekton.dev/v1", "PipelineRun")] }), /one run/],
    ["temporary", claim({ ownerReferences: [run("argoproj.io/v1alpha1", "Workflow")] }), /one run/],
    ["ours", claim(labels("holdfast.dev/staging", "p1")), /Holdfast made it/],
    ["ours", claim(labels("app.kubernetes.io/managed-by", "holdfast")), /Holdfast made it/],
    ["deleting", claim({ deletionTimestamp: "2026-11-26T00:00:00Z" }), /holdfast undelete/],
    ["not-bound", claim({}, { status: { phase: "Pending" }, spec: {} }), /not bound/],
    ["lost", claim({}, { status: { phase: "Lost" } }), /is gone/],
  ])("%s: %j", (code, volume, why) => {
    expect(exceptionOf(volume, around)).toMatchObject({ code, why: expect.stringMatching(why) as string });
  });

  it("lost: the PersistentVolume that the claim names is not there", () => {
    expect(exceptionOf(claim(), { ...around, pv: undefined })?.code).toBe("lost");
  });

  it("deleting: its Namespace is, and would hang", () => {
    const namespace = { metadata: { name: "media", deletionTimestamp: "2026-11-26T00:00:00Z" } };
    expect(exceptionOf(claim(), { pv, namespace })).toMatchObject({
      code: "deleting",
      why: expect.stringContaining("its Namespace is being deleted") as string,
    });
  });
});
