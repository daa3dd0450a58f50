import { describe, expect, it } from "vitest";
import { aMount, aVolume } from "../inventory/sample.ts";
import { expectedVolumes, planCapture } from "./plan.ts";

describe("planCapture", () => {
  it("leaves to Velero what a running pod mounts", () => {
    const volume = aVolume();
    expect(planCapture([volume], [])).toEqual({ mounted: [volume], staged: [], uncopied: [] });
  });

  it.each([
    [{ mounts: [] }, "no pod mounts it"],
    [{ mounts: [aMount({ by: "init" })] }, "only init containers"],
    [{ mounts: [aMount({ phase: "Pending" })] }, "is Pending"],
  ])("stages a volume that Velero would pass over: %o", (part, why) => {
    const { staged, mounted } = planCapture([aVolume(part)], []);
    expect([staged.map((item) => item.why), mounted]).toEqual([[expect.stringContaining(why)], []]);
  });

  it.each([
    [{ excludedByLabel: true }, true],
    [{ phase: "Pending" }, true],
    [{ deleting: true }, true],
    [{ volumeMode: "Block" }, false],
    [
      {
        backing: {
          name: "pv",
          uid: "u",
          reclaimPolicy: "Delete",
          source: "hostPath",
          driver: undefined,
          handle: undefined,
        },
      },
      false,
    ],
  ])("tells what cannot be copied, and whether that is to be expected: %o", (part, expected) => {
    expect(planCapture([aVolume(part)], []).uncopied).toMatchObject([{ expected }]);
  });

  it("stages nothing that the user leaves out, and gives the user's reason", () => {
    const plan = planCapture([aVolume({ mounts: [] })], [{ matches: () => true, reason: "cache" }]);
    expect(plan).toMatchObject({ staged: [], uncopied: [{ why: "cache", expected: true }] });
  });

  it("expects mounted and staged volumes in the backup, and no others", () => {
    const plan = planCapture(
      [aVolume(), aVolume({ claim: "idle", mounts: [] }), aVolume({ claim: "raw", volumeMode: "Block" })],
      [],
    );
    expect(expectedVolumes(plan)).toEqual(["media/sonarr-config", "media/idle"]);
  });
});
