import { describe, expect, it } from "vitest";
import type { Claim } from "../../inventory/raw.ts";
import { MemoryKubernetes } from "../../systems/kubernetes/memory.ts";
import { resources } from "../../systems/kubernetes/resources.ts";
import { realWorld } from "../../systems/kubernetes/testing/world.ts";
import { protection, unprotect } from "./unprotect.ts";

const name = { namespace: "media", name: "sonarr" };
const claims = resources.persistentVolumeClaims;
const deletionTimestamp = "2026-01-01T00:00:00Z";

const aPlace = (metadata: object) => {
  const kubernetes = new MemoryKubernetes(realWorld);
  kubernetes.put(resources.namespaces, { metadata: { name: "media" } });
  const finalizers = [protection, "example.com/other"];
  const claim = kubernetes.put<Claim>(claims, { metadata: { ...name, finalizers, ...metadata }, spec: {} });
  return {
    kubernetes,
    claim,
    left: async () => (await kubernetes.get<Claim>(claims, name))?.metadata.finalizers,
    putPod: (pod: object) =>
      kubernetes.put(resources.pods, {
        metadata: { namespace: "media", name: "sonarr-1", labels: { "holdfast.dev/operation": "x" } },
        spec: { containers: [], volumes: [{ name: "v", persistentVolumeClaim: { claimName: "sonarr" } }] },
        ...pod,
      } as never),
  };
};

describe("a claim's protection", () => {
  it("is taken away when it is being deleted, and nothing else with it", async () => {
    const { kubernetes, claim, left, putPod } = aPlace({ deletionTimestamp });
    putPod({ status: { phase: "Succeeded" } });
    await unprotect(kubernetes, claim);
    expect(await left()).toEqual(["example.com/other"]);
    await unprotect(kubernetes, claim);
    expect(await left()).toEqual(["example.com/other"]);
  });

  it("stays while nobody deletes the claim", async () => {
    const { kubernetes, claim, left } = aPlace({});
    await unprotect(kubernetes, claim);
    expect(await left()).toContain(protection);
  });

  it("stays while a pod uses the claim, ours too", async () => {
    const { kubernetes, claim, left, putPod } = aPlace({ deletionTimestamp });
    putPod({});
    await unprotect(kubernetes, claim);
    expect(await left()).toContain(protection);
  });

  it("of another claim, which has the name by now, is not touched", async () => {
    const { kubernetes, claim, left } = aPlace({ deletionTimestamp, uid: "new" });
    await unprotect(kubernetes, { ...claim, metadata: { ...claim.metadata, uid: "old" } });
    expect(await left()).toContain(protection);
  });
});
