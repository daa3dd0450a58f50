import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { couldName, snapshotNameOf } from "./snapshot-name.ts";

describe("the names of Holdfast's snapshots", () => {
  it("have a UTC time and something random", () => {
    expect(snapshotNameOf(Date.UTC(2026, 10, 25, 3, 4, 5, 678), "x7k2")).toBe("holdfast_20261125T030405Z_x7k2");
  });

  it.each([
    "auto-%Y-%m-%d_%H-%M",
    "%Y-%m-%d",
    "holdfast-%Y%m%dT%H%M%SZ",
    "holdfast_%Y%m%dT%H%M%SZ",
    "%s",
    "autosnap_%Y-%m-%d_%H:%M:%S_daily",
  ])("could not come from the schema %s", (schema) => expect(couldName(schema)).toBe(false));

  it.each(["holdfast_%Y%m%dT%H%M%SZ_x7k2", "holdfast_%Y%m%dT%H%M%S%Z_%s", "holdfast_%Y%m%dT%H%M%SZ_%b", "holdfast_%Q"])(
    "could come from the schema %s",
    (schema) => expect(couldName(schema)).toBe(true),
  );

  it("are never taken for those of a schema that begins with another word, always for those of one that says nothing", () => {
    const word = fc.stringMatching(/^[a-gi-z]{1,8}$/);
    fc.assert(fc.property(word, (prefix) => !couldName(`${prefix}-%Y-%m-%d_%H-%M`)));
    expect(couldName("%Q")).toBe(true);
  });
});
