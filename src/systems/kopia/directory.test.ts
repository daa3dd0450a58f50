import { describe, expect, it } from "vitest";
import { copyEntryOf, directorySchema, entrySchema, parseMode, parseTime } from "./directory.ts";

describe("parseMode", () => {
  it.each([
    ["0644", 0o644],
    ["0", 0],
    ["0777", 0o777],
    ["020000755", 0o2755],
    ["040000755", 0o4755],
    ["04000777", 0o1777],
    ["064000777", 0o7777],
    ["020000000755", 0o755],
    ["020020000755", 0o2755],
  ])("reads Go's %s as Unix' mode", (text, mode) => {
    expect(parseMode(text).toString(8)).toBe(mode.toString(8));
  });
});

describe("parseTime", () => {
  it.each([
    ["1970-01-01T00:00:00Z", 0n],
    ["2026-11-23T08:45:10Z", 1_795_423_510_000_000_000n],
    ["2026-11-23T08:45:10.123456789Z", 1_795_423_510_123_456_789n],
    ["2026-11-23T08:45:10.5Z", 1_795_423_510_500_000_000n],
    ["2026-11-23T08:45:10.000000001Z", 1_795_423_510_000_000_001n],
    ["1969-12-31T23:59:59Z", -1_000_000_000n],
    ["1969-12-31T23:59:59.25Z", -750_000_000n],
  ])("reads %s to the nanosecond", (text, time) => {
    expect(parseTime(text)).toBe(time);
  });

  it("reads a time with an offset, as Go writes it for a local zone", () => {
    expect(parseTime("2026-11-23T10:45:10.5+02:00")).toBe(1_795_423_510_500_000_000n);
    expect(parseTime("2026-11-23T08:15:10-00:30")).toBe(1_795_423_510_000_000_000n);
  });
});

describe("copyEntryOf", () => {
  it("gives an entry as kopia stores it", () => {
    const stored = entrySchema.parse({
      name: "f",
      type: "f",
      mode: "0640",
      size: 12,
      mtime: "1970-01-01T00:00:01Z",
      uid: 5,
      gid: 6,
      obj: "kabc",
      unknown: 1,
    });
    expect(copyEntryOf(stored, "d/f")).toEqual({
      path: "d/f",
      type: "file",
      mode: 0o640,
      uid: 5,
      gid: 6,
      size: 12,
      mtime: 1_000_000_000n,
      objectId: "kabc",
    });
  });

  it.each([
    ["d", "directory"],
    ["s", "symlink"],
    ["?", "other"],
    ["", "other"],
  ])('knows the type "%s", and gives only files a size', (type, known) => {
    expect(copyEntryOf(entrySchema.parse({ type, size: 99 }), "x")).toMatchObject({ type: known, size: 0 });
  });

  it("takes what kopia leaves out as zero: root's files have no uid", () => {
    expect(copyEntryOf(entrySchema.parse({ name: "e", type: "f" }), "e")).toEqual({
      path: "e",
      type: "file",
      mode: 0,
      uid: 0,
      gid: 0,
      size: 0,
      mtime: 0n,
      objectId: "",
    });
  });
});

describe("directorySchema", () => {
  it("reads an empty directory, which has null for its entries", () => {
    expect(directorySchema.parse({ stream: "kopia:directory", entries: null }).entries).toBeNull();
    expect(directorySchema.parse({ stream: "kopia:directory" }).entries).toBeUndefined();
  });

  it("reads a summary with what failed", () => {
    const { entries } = directorySchema.parse({
      entries: [
        {
          name: "d",
          type: "d",
          obj: "k1",
          summ: { size: 3, files: 1, numFailed: 1, errors: [{ path: "x", error: "denied" }] },
        },
      ],
    });
    expect(entries?.[0]?.summ).toMatchObject({
      size: 3,
      files: 1,
      symlinks: 0,
      dirs: 0,
      numFailed: 1,
      numIgnoredErrors: 0,
      errors: [{ path: "x", error: "denied" }],
    });
  });
});
