import { describe, expect, it } from "vitest";
import type { Claim, PersistentVolume } from "../../../inventory/raw.ts";
import { aStepContext } from "../../../operation/testing/step-context.ts";
import { MemoryBinder } from "../../../systems/kubernetes/memory-binder.ts";
import { MemoryKubernetes } from "../../../systems/kubernetes/memory.ts";
import { resources } from "../../../systems/kubernetes/resources.ts";
import { realWorld } from "../../../systems/kubernetes/testing/world.ts";
import { noMarks } from "../../protect/marks.ts";
import { bindBack } from "./bind-back.ts";

const { persistentVolumes, persistentVolumeClaims } = resources;
const names = ["sonarr", "radarr"] as const;

/** Volumes whose claims are gone. */
const released = () => {
  const kubernetes = new MemoryKubernetes(realWorld);
  kubernetes.put(resources.namespaces, { metadata: { name: "media" } });
  const putVolume = (name: string) =>
    kubernetes.put<PersistentVolume & { status: object }>(persistentVolumes, {
      metadata: { name: `pv-${name}` },
      spec: { claimRef: { namespace: "media", name, uid: "gone" }, persistentVolumeReclaimPolicy: "Retain" },
      status: { phase: "Released" },
    });
  const binder = new MemoryBinder(kubernetes);
  const step = bindBack({ kubernetes, clock: realWorld.clock, timeout: 5000 });
  const bindings = names.map((name) => ({
    namespace: "media",
    claim: name,
    pv: `pv-${name}`,
    manifest: { apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: { namespace: "media", name }, spec: {} },
    marks: { annotations: { ...noMarks.annotations }, finalizers: [...noMarks.finalizers] },
    successor: null,
  }));
  return {
    putVolume,
    stop: () => binder.stop(),
    bind: () => step.apply({ bindings }, aStepContext()),
    check: () => step.check({ bindings }, aStepContext()),
    volumeOf: async (name: string) =>
      (await kubernetes.get<Claim>(persistentVolumeClaims, { namespace: "media", name }))?.spec.volumeName,
  };
};

describe("claims that are bound back together", () => {
  it("have each its own volume again", async () => {
    const scene = released();
    for (const name of names) scene.putVolume(name);
    expect(await scene.check()).toBe("partial");
    await scene.bind();
    expect(await scene.check()).toBe("present");
    expect(await Promise.all(names.map(scene.volumeOf))).toEqual(["pv-sonarr", "pv-radarr"]);
    scene.stop();
  });

  it("fail with the one that cannot be, and can all be bound when that is mended", async () => {
    const scene = released();
    scene.putVolume("sonarr");
    await expect(scene.bind()).rejects.toMatchObject({ code: "TARGET_UNUSABLE" });
    expect(await scene.check()).toBe("partial");
    scene.putVolume("radarr");
    await scene.bind();
    expect(await scene.check()).toBe("present");
    scene.stop();
  });
});
