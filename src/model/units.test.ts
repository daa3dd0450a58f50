import { describe, expect, it } from "vitest";
import { nearest } from "./nearest.ts";
import { formatAge, formatBytes, formatSeconds, parseDuration } from "./units.ts";

describe("amounts", () => {
  it.each([
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1 KiB"],
    [1536, "1.5 KiB"],
    [10_752, "10.5 KiB"],
    [102_349, "100 KiB"],
    [1_048_575, "1 MiB"],
    [606_076_928, "578 MiB"],
  ])("%d bytes read %s", (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  it.each([
    ["24h", 86_400_000],
    ["1h30m", 5_400_000],
    ["7d", 604_800_000],
    ["1.5s", 1500],
  ])("%s lasts %d ms", (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each(["", "24", "h", "1 h", "-1h", "1y", `${"9".repeat(400)}h`])("%j is no duration", (text) =>
    expect(parseDuration(text)).toBeUndefined(),
  );

  it.each([
    [1000, "1s"],
    [119_000, "119s"],
    [600_000, "10m"],
    [3 * 86_400_000, "3d"],
  ])("an age of %d ms reads %s", (age, text) => expect(formatAge(age)).toBe(text));

  it.each([
    [1234, "1.2 s"],
    [34_000, "34 s"],
    [125_000, "2 min 5 s"],
  ])("a time of %d ms reads %s", (time, text) => expect(formatSeconds(time)).toBe(text));
});

describe("the nearest names", () => {
  const names = ["media/sonarr-config", "media/radarr-config", "home/mealie-data", "misc/empty"];

  it("find a slip of the finger", () => expect(nearest("media/sonar-config", names)[0]).toBe("media/sonarr-config"));
  it("find a part of the name", () => expect(nearest("mealie", names)).toEqual(["home/mealie-data"]));
  it("find the claim in a wrong namespace", () =>
    expect(nearest("default/sonarr-config", names)[0]).toBe("media/sonarr-config"));
  it("are none for something else altogether", () => expect(nearest("xyzzyxyzzy", names)).toEqual([]));
});
