import { describe, expect, it } from "vitest";
import { isAtLeast, parseVersion } from "./version.ts";

describe("a version of TrueNAS", () => {
  it.each([
    ["TrueNAS-SCALE-24.10.2", "24.10.2", 24, 10],
    ["TrueNAS-SCALE-24.10.2.4", "24.10.2.4", 24, 10],
    ["TrueNAS-25.04.2", "25.04.2", 25, 4],
    ["TrueNAS-25.10.1", "25.10.1", 25, 10],
    ["25.10.0", "25.10.0", 25, 10],
    ["TrueNAS-26.0.0-BETA.3", "26.0.0", 26, 0],
    ["TrueNAS-26.04.1", "26.04.1", 26, 4],
  ])("is read from %s", (text, digits, year, month) => {
    expect(parseVersion(text)).toEqual({ text: digits, year, month });
  });

  it.each(["TrueNAS-13.0-U6.1", "TrueNAS-SCALE-24.04.2", "TrueNAS-27.0.0-BETA.1", "nightly", "", null, 25, {}])(
    "is unknown for %j",
    (text) => {
      expect(() => parseVersion(text)).toThrow(expect.objectContaining({ code: "NAS_VERSION_UNKNOWN" }));
    },
  );

  it("is compared by year and month, not by text", () => {
    expect(isAtLeast(parseVersion("TrueNAS-25.04.2"), 25, 10)).toBe(false);
    expect(isAtLeast(parseVersion("TrueNAS-26.0.0"), 25, 10)).toBe(true);
  });
});
