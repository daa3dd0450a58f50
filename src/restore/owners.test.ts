import { describe, expect, it } from "vitest";
import { aMount, aVolume } from "../inventory/sample.ts";
import { ownersOf } from "./owners.ts";

const used = (kind: string, name = "app", part = {}) =>
  aVolume({ workloads: [{ kind, name }], mounts: [aMount({ workload: { kind, name }, ...part })] });

describe("ownersOf", () => {
  it.each(["Deployment", "StatefulSet", "ReplicaSet"])("stops a %s by its replicas", (kind) => {
    expect(ownersOf([used(kind)])).toEqual({ scalable: [{ kind, namespace: "media", name: "app" }], unstoppable: [] });
  });

  it("lists a workload without pods too: it must stay stopped", () => {
    expect(ownersOf([aVolume({ mounts: [] })]).scalable).toHaveLength(1);
  });

  it("lists a workload once that uses several volumes, and of each namespace its own", () => {
    const volumes = [aVolume(), aVolume({ claim: "other" }), aVolume({ namespace: "home" })];
    expect(ownersOf(volumes).scalable.map(({ namespace, name }) => `${namespace}/${name}`)).toEqual([
      "media/sonarr",
      "home/sonarr",
    ]);
  });

  it.each([
    ["Pod", "bare pod"],
    ["DaemonSet", "scaled to zero"],
    ["Job", "runs to its end"],
    ["CronJob", "one of its Jobs is running"],
    ["Rollout", "does not know how to stop a Rollout, which uses media/sonarr-config"],
  ])("cannot stop a %s that is running, and says why", (kind, why) => {
    expect(ownersOf([used(kind)])).toEqual({
      scalable: [],
      unstoppable: [{ kind, namespace: "media", name: "app", why: expect.stringContaining(why) as string }],
    });
  });

  it.each(["Succeeded", "Failed"])("has no quarrel with a Job whose pod has %s", (phase) => {
    expect(ownersOf([used("Job", "app", { phase })])).toEqual({ scalable: [], unstoppable: [] });
  });

  it("does not take another workload's pod for this one's", () => {
    const volume = aVolume({
      workloads: [
        { kind: "Job", name: "a" },
        { kind: "Job", name: "b" },
      ],
      mounts: [aMount({ workload: { kind: "Job", name: "b" } })],
    });
    expect(ownersOf([volume]).unstoppable.map(({ name }) => name)).toEqual(["b"]);
  });
});
