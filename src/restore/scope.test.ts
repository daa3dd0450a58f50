import { describe, expect, it } from "vitest";
import { aCopy, aPoint, aVolume, someEvidence } from "../inventory/sample.ts";
import { chooseCopy, findPoint, liveVolume, resolveName } from "./scope.ts";

const names = ["media/sonarr-config", "media/radarr-config", "home/config", "home/radarr-config", "data/sonarr"];

describe("resolveName", () => {
  it.each([
    ["media/sonarr-config", "media/sonarr-config"],
    ["sonarr-config", "media/sonarr-config"],
    ["config", "home/config"],
    ["sonarr", "data/sonarr"],
  ])("takes %s for %s", (reference, name) => {
    expect(resolveName(reference, names)).toBe(name);
  });

  it("takes the beginning of a claim where that is enough", () => {
    expect(resolveName("sonarr", ["media/sonarr-config", "media/sonarrx"])).toBe("media/sonarr-config");
  });

  it("names all that a reference fits", () => {
    expect(() => resolveName("radarr-config", names)).toThrow(
      expect.objectContaining({ code: "VOLUME_AMBIGUOUS", why: "media/radarr-config, home/radarr-config" }),
    );
    expect(() => resolveName("radarr", names)).toThrow(expect.objectContaining({ code: "VOLUME_AMBIGUOUS" }));
  });

  it("suggests what may have been meant", () => {
    expect(() => resolveName("media/sonar-config", names)).toThrow(
      expect.objectContaining({
        code: "VOLUME_UNKNOWN",
        todo: expect.stringContaining("media/sonarr-config") as string,
      }),
    );
    expect(() => resolveName("zzzzzzzz", names)).toThrow(
      expect.objectContaining({ code: "VOLUME_UNKNOWN", todo: "`holdfast status` lists all volumes." }),
    );
  });

  it("tells an unknown namespace from an unknown volume", () => {
    expect(() => resolveName("medai/sonarr-config", names)).toThrow(
      expect.objectContaining({ code: "NAMESPACE_UNKNOWN", todo: "Did you mean media?" }),
    );
    expect(() => resolveName("home/sonarr", names)).toThrow(expect.objectContaining({ code: "VOLUME_UNKNOWN" }));
  });
});

describe("liveVolume", () => {
  it("is the claim of that name, and says how to go on when there is none", () => {
    const volume = aVolume();
    expect(liveVolume("media/sonarr-config", [aVolume({ claim: "other" }), volume])).toBe(volume);
    expect(() => liveVolume("media/gone", [volume])).toThrow(
      expect.objectContaining({ code: "TARGET_UNUSABLE", todo: expect.stringContaining("--to") as string }),
    );
  });
});

describe("findPoint", () => {
  const points = [
    aPoint({ id: "20261123t0845-x7k2", backup: "holdfast-20261123t0845-x7k2" }),
    aPoint({ id: "nightly", backup: "nightly" }),
  ];

  it("knows a point by its id and by its backup's name", () => {
    expect(findPoint("20261123t0845-x7k2", points)).toBe(points[0]);
    expect(findPoint("holdfast-20261123t0845-x7k2", points)).toBe(points[0]);
  });

  it("suggests the nearest", () => {
    expect(() => findPoint("nightli", points)).toThrow(
      expect.objectContaining({ code: "POINT_UNKNOWN", todo: expect.stringContaining("nightly") as string }),
    );
  });
});

describe("chooseCopy", () => {
  const name = "media/sonarr-config";
  const at = (id: string, time: number, part = {}) =>
    aPoint({ id, backup: id, copies: [aCopy({ point: id, time, ...part })] });
  const failed = { "media/sonarr-config": someEvidence({ verdict: "failed", problems: ["blob not found"] }) };

  it("takes the newest copy", () => {
    expect(chooseCopy(name, [at("new", 3), at("old", 2)], {})).toMatchObject({
      point: { id: "new" },
      why: "the newest good copy",
      evidence: undefined,
    });
    expect(chooseCopy(name, [at("new", 3), at("old", 2)], { point: "latest" })).toMatchObject({ point: { id: "new" } });
  });

  it("passes over copies that failed, are empty, or are known to be bad", () => {
    const points = [
      { ...at("bad", 5), evidence: failed },
      at("empty", 4, { snapshotId: undefined }),
      at("failed", 3, { ok: false }),
      at("other", 3, { volume: "media/x" }),
      at("good", 2),
    ];
    expect(chooseCopy(name, points, {}).point.id).toBe("good");
  });

  it("takes the newest one of a time, and that time counts", () => {
    const points = [at("new", 30), at("old", 20), at("older", 10)];
    expect(chooseCopy(name, points, { at: 20 })).toMatchObject({
      point: { id: "old" },
      why: "the newest good copy at that time",
    });
    expect(() => chooseCopy(name, points, { at: 9 })).toThrow(
      expect.objectContaining({
        code: "COPY_MISSING",
        what: expect.stringContaining("from that time or before") as string,
      }),
    );
  });

  it("takes the named point, with its evidence", () => {
    const points = [at("new", 3), { ...at("old", 2), evidence: { [name]: someEvidence() } }];
    expect(chooseCopy(name, points, { point: "old" })).toMatchObject({
      point: { id: "old" },
      why: "named with --point",
      evidence: { verdict: "verified" },
    });
  });

  it("does not count evidence about another copy", () => {
    const points = [{ ...at("p", 2), evidence: { [name]: someEvidence({ snapshotId: "other", verdict: "failed" }) } }];
    expect(chooseCopy(name, points, {}).evidence).toBeUndefined();
  });

  it("refuses a bad copy even when it is named, with what is wrong", () => {
    expect(() => chooseCopy(name, [{ ...at("p", 2), evidence: failed }], { point: "p" })).toThrow(
      expect.objectContaining({ code: "COPY_CORRUPT", why: "blob not found" }),
    );
  });

  it("tells a copy that never was from one of an empty volume", () => {
    expect(() => chooseCopy("media/x", [at("p", 2)], { point: "p" })).toThrow(
      expect.objectContaining({ code: "COPY_MISSING", why: undefined }),
    );
    expect(() => chooseCopy(name, [at("p", 2, { snapshotId: undefined, bytes: 0 })], { point: "p" })).toThrow(
      expect.objectContaining({ code: "COPY_MISSING", why: expect.stringContaining("empty") as string }),
    );
  });

  it("says so when there is none at all", () => {
    expect(() => chooseCopy(name, [], {})).toThrow(
      expect.objectContaining({ code: "COPY_MISSING", what: `There is no good copy of ${name}.` }),
    );
  });
});
