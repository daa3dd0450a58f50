import { describe, expect, it } from "vitest";
import type { Claim } from "../../../inventory/raw.ts";
import { aStepContext } from "../../../operation/testing/step-context.ts";
import { MemoryKubernetes } from "../../../systems/kubernetes/memory.ts";
import { resources } from "../../../systems/kubernetes/resources.ts";
import { jumpingClock } from "../../../systems/kubernetes/testing/world.ts";
import { guardFinalizer } from "../../finalizer.ts";
import { guardKey } from "../../protect/mode.ts";
import { releaseClaims } from "./release-claims.ts";

const name = { namespace: "media", name: "sonarr" };
const claims = resources.persistentVolumeClaims;

/** A guarded claim that nobody has come to delete yet. */
const aClaim = (namespace: object) => {
  const clock = jumpingClock();
  const kubernetes = new MemoryKubernetes({ clock, randomId: () => "a" });
  kubernetes.put(resources.namespaces, { metadata: { name: "media", ...namespace } });
  const metadata = { ...name, annotations: { [guardKey]: "deny" }, finalizers: [guardFinalizer] };
  const { uid = "" } = kubernetes.put<Claim>(claims, { metadata, spec: { volumeName: "pv-1" } }).metadata;
  const step = releaseClaims({ kubernetes, clock, timeout: 10_000 });
  return {
    release: () => step.apply({ claims: [{ namespace: "media", claim: "sonarr", uid }] }, aStepContext()),
    find: () => kubernetes.get<Claim>(claims, name),
  };
};

describe("a claim that is let go", () => {
  it("is deleted where its namespace is being deleted, guarded or not", async () => {
    const { release, find } = aClaim({ deletionTimestamp: "2026-01-01T00:00:00Z", finalizers: ["kubernetes"] });
    await release();
    expect(await find()).toBeUndefined();
  });

  it("is left alone where nobody deletes it any more", async () => {
    const { release, find } = aClaim({});
    await expect(release()).rejects.toMatchObject({ code: "KUBERNETES_CONFLICT" });
    expect((await find())?.metadata.deletionTimestamp).toBeUndefined();
  });
});
