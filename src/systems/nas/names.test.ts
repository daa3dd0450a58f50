import { describe, expect, it } from "vitest";
import { isBelow, isDatasetName, isPropertyName, isSnapshotName, parentOf, partsOf, poolOf } from "./names.ts";

describe("names of ZFS", () => {
  it.each(["tank", "t", "tank/k8s/pvc-1", "t/a", "tank/a b", "tank/a:b.c_d-e", "tank/..a", "tank/-a"])(
    "%j is a dataset's",
    (name) => {
      expect(isDatasetName(name)).toBe(true);
    },
  );

  const none = [
    ["", "/tank", "tank/", "tank//a", "tank/a@s", "tank/../a", "tank/.", "1tank", "-r", "tank/ä", "tank/a%b"],
    ["tank/a\tb", "tank/a\nb", "tank/a\n", "tank/a,b", "tank/$(id)", "tank/a'b", `tank/${"a".repeat(251)}`],
  ].flat();
  it.each(none)("%j is none", (name) => {
    expect(isDatasetName(name)).toBe(false);
  });

  it("are a snapshot's with exactly one @, and nothing that stands for several", () => {
    expect(isSnapshotName("tank/a@auto-2026-11-24_21-44")).toBe(true);
    for (const name of ["tank/a", "tank/a@", "@s", "tank/a@s@t", "tank/a@s,t", "tank/a@s%t", "tank/a@%", "tank/a@s/t"])
      expect(isSnapshotName(name)).toBe(false);
  });

  it("tell pool, parent and halves", () => {
    expect([poolOf("tank/a@s"), poolOf("tank@s"), poolOf("tank")]).toEqual(["tank", "tank", "tank"]);
    expect([parentOf("tank/a/b"), parentOf("tank")]).toEqual(["tank/a", undefined]);
    expect(partsOf("tank/a@s")).toEqual({ dataset: "tank/a", snapshot: "s" });
    expect([isBelow("tank/a/b", "tank/a"), isBelow("tank/ab", "tank/a"), isBelow("tank/a", "tank/a")]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it("are a user property's with a colon, and no setting's", () => {
    expect(isPropertyName("democratic-csi:managed_resource")).toBe(true);
    for (const name of ["mountpoint", "-o:x", "A:b", "a:b=c", "a b:c", ""]) expect(isPropertyName(name)).toBe(false);
  });
});
