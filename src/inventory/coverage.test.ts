import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { coverage, type CoverageInput, type CoverageRow } from "./coverage.ts";
import { aCopy, aPoint, aVolume, someEvidence } from "./sample.ts";

const hour = 3_600_000;
const input = (part: Partial<CoverageInput> = {}): CoverageInput => ({
  volumes: [aVolume()],
  points: [],
  exclusions: [],
  rpo: 24 * hour,
  now: 2 * hour,
  continuations: new Map(),
  ...part,
});
const only = (part: Partial<CoverageInput>): CoverageRow => {
  const [row] = coverage(input(part));
  if (row === undefined) throw new Error("one row was expected");
  return row;
};

describe("coverage", () => {
  it("is missing, with the reason, when there is no backup yet", () => {
    expect(only({})).toMatchObject({
      verdict: "missing",
      reason: "never backed up: there is no backup yet",
      withinRpo: false,
    });
  });

  it("is stored until evidence names the very same copy", () => {
    expect(only({ points: [aPoint()] }).verdict).toBe("stored");
    expect(
      only({ points: [aPoint({ evidence: { "media/sonarr-config": someEvidence({ snapshotId: "another" }) } })] })
        .verdict,
    ).toBe("stored");
    expect(only({ points: [aPoint({ evidence: { "media/sonarr-config": someEvidence() } })] }).verdict).toBe(
      "verified",
    );
  });

  it("is stale when the newest good copy is older than the RPO, whatever the evidence", () => {
    const row = only({ now: 30 * hour, points: [aPoint({ evidence: { "media/sonarr-config": someEvidence() } })] });
    expect(row).toMatchObject({ verdict: "stale", withinRpo: false, reason: "no newer copy within the RPO" });
  });

  it("shows the last good copy and says that the newest one failed", () => {
    const failed = aPoint({
      id: "p2",
      copies: [aCopy({ ok: false, snapshotId: undefined, problem: "no space", time: 2000 })],
    });
    const row = only({ points: [failed, aPoint()] });
    expect(row).toMatchObject({ verdict: "stored", reason: "the newest copy failed: no space" });
    expect(row.copy?.point).toBe("p1");
  });

  it("is failed when no copy is good", () => {
    expect(only({ points: [aPoint({ copies: [aCopy({ ok: false, problem: "timeout" })] })] }).verdict).toBe("failed");
    expect(
      only({
        points: [
          aPoint({ evidence: { "media/sonarr-config": someEvidence({ verdict: "failed", problems: ["torn"] }) } }),
        ],
      }),
    ).toMatchObject({
      verdict: "failed",
      reason: "the newest copy failed: torn",
    });
  });

  it("does not count copies of another volume that had the same name", () => {
    const row = only({ points: [aPoint({ copies: [aCopy({ lineage: "org.democratic-csi.iscsi:pvc-old" })] })] });
    expect(row.verdict).toBe("missing");
    expect(row.reason).toContain("since it was re-created");
  });

  it("does not count copies of a dataset that was re-created under the same name and handle", () => {
    const backing = { ...aVolume().backing!, guid: "2" };
    const copies = [aCopy({ lineage: "org.democratic-csi.iscsi:pvc-1@zfs:1" })];
    expect(only({ volumes: [aVolume({ backing })], points: [aPoint({ copies })] }).verdict).toBe("missing");
  });

  it("counts copies that were made before GUIDs were kept", () => {
    const backing = { ...aVolume().backing!, guid: "2" };
    expect(only({ volumes: [aVolume({ backing })], points: [aPoint()] }).verdict).toBe("stored");
  });

  it("keeps the history of a volume that a restore gave a clone, whoever made the copies", () => {
    const backing = { ...aVolume().backing!, name: "pv-clone", handle: "clone", guid: "2" };
    const past = { lineage: "org.democratic-csi.iscsi:pvc-1@zfs:1", pv: "pv-1" };
    for (const lineage of ["org.democratic-csi.iscsi:pvc-1@zfs:1", "org.democratic-csi.iscsi:pvc-1", "pv:pv-1"]) {
      const restored = { volumes: [aVolume({ backing })], points: [aPoint({ copies: [aCopy({ lineage })] })] };
      expect(only({ ...restored, continuations: new Map([["2", past]]) }).verdict).toBe("stored");
      expect(only(restored).verdict).toBe("missing");
    }
  });

  it("gives the user's own reason for what they leave out", () => {
    const row = only({ exclusions: [{ matches: () => true, reason: "can be downloaded again" }] });
    expect(row).toMatchObject({ excluded: true, reason: "can be downloaded again" });
  });

  it("never calls a volume covered without a copy that is good and young enough", () => {
    const copies = fc.record({
      ok: fc.boolean(),
      snapshotId: fc.option(fc.constant("snap-1"), { nil: undefined }),
      time: fc.integer({ min: 0, max: 100 * hour }),
      lineage: fc.constantFrom("org.democratic-csi.iscsi:pvc-1", "other:x"),
    });
    fc.assert(
      fc.property(fc.array(copies, { maxLength: 6 }), fc.integer({ min: 0, max: 200 * hour }), (parts, now) => {
        const points = parts
          .toSorted((a, b) => b.time - a.time)
          .map((part, index) => aPoint({ id: `p${index}`, copies: [aCopy(part)] }));
        const row = only({ points, now });
        const good = parts.some(
          (part) =>
            part.ok &&
            part.snapshotId !== undefined &&
            part.lineage === "org.democratic-csi.iscsi:pvc-1" &&
            Math.max(0, now - part.time) <= 24 * hour,
        );
        expect(row.withinRpo).toBe(good);
        expect(["stored", "verified"].includes(row.verdict)).toBe(good);
      }),
    );
  });
});
