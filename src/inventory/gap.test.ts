import { describe, expect, it } from "vitest";
import type { Mount, Volume } from "../model/volume.ts";
import { gapOf } from "./gap.ts";
import { aMount, aVolume } from "./sample.ts";

const codeOf = (volume: Partial<Volume>, mounts: readonly Partial<Mount>[] = [{}]): string | undefined =>
  gapOf(aVolume({ ...volume, mounts: mounts.map(aMount) }))?.code;

describe("why Velero would make no copy of a volume", () => {
  it("is nothing for a bound volume that a main container of a running pod mounts", () => {
    expect(codeOf({})).toBeUndefined();
  });

  it.each([
    ["not-mounted", {}, []],
    ["init-only", {}, [{ by: "init" }]],
    ["init-only", {}, [{ by: "none" }]],
    ["pod-not-running", {}, [{ phase: "Pending" }]],
    ["excluded", { excludedByLabel: true }, [{}]],
    ["excluded", {}, [{ excludedByAnnotation: true }]],
    ["pending", { phase: "Pending" }, [{}]],
    ["block", { volumeMode: "Block" }, [{}]],
    ["deleting", { deleting: true }, [{}]],
  ] as const)("is %s", (code, volume, mounts) => {
    expect(codeOf(volume, mounts)).toBe(code);
  });

  it("is a hostPath even when a pod mounts it, and no staging pod helps", () => {
    const gap = gapOf(
      aVolume({ backing: { ...aVolume({}).backing!, source: "hostPath", driver: undefined, handle: undefined } }),
    );
    expect(gap).toMatchObject({ code: "host-path", staging: false });
  });

  it("goes away when one of several pods qualifies", () => {
    expect(codeOf({}, [{ by: "init" }, { phase: "Pending" }, {}])).toBeUndefined();
  });
});
