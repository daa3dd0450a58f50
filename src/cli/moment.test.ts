import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isFailure } from "../model/failure.ts";
import { parseMoment } from "./moment.ts";

const hour = 3_600_000;
const now = Date.UTC(2026, 10, 23, 12);
const iso = (text: string, at = now): string => new Date(parseMoment(text, at)).toISOString();

const zone = process.env.TZ;
beforeEach(() => {
  process.env.TZ = "Europe/Berlin";
});
afterEach(() => {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});

const finiteOrRefused = (text: string): boolean => {
  try {
    return Number.isFinite(parseMoment(text, now));
  } catch (error) {
    return isFailure(error, "USAGE");
  }
};

describe("a moment", () => {
  it.each([
    ["now", 0],
    ["2h ago", 2 * hour],
    ["2 h ago", 2 * hour],
    ["2 hours ago", 2 * hour],
    ["1 hour ago", hour],
    ["90 minutes ago", 1.5 * hour],
    ["90 mins ago", 1.5 * hour],
    ["1.5h ago", 1.5 * hour],
    ["1h30m ago", 1.5 * hour],
    ["30 seconds ago", 30_000],
    ["5ms ago", 5],
    ["5s ago", 5000],
    ["3 days ago", 72 * hour],
    ["2 Weeks  AGO", 14 * 24 * hour],
    ["  1d ago ", 24 * hour],
  ])("%j is %d ms before now", (text, before) => {
    expect(parseMoment(text, now)).toBe(now - before);
  });

  it("that is a day means the last millisecond of that day, here", () => {
    expect(iso("2026-11-22")).toBe("2026-11-22T22:59:59.999Z");
    expect(iso("2026-07-01")).toBe("2026-07-01T21:59:59.999Z");
    expect(iso("2024-02-29")).toBe("2024-02-29T22:59:59.999Z");
  });

  it("yesterday is the end of the day before, here", () => {
    expect(iso("yesterday")).toBe("2026-11-22T22:59:59.999Z");
    expect(iso("Yesterday", Date.UTC(2026, 10, 22, 23, 30))).toBe("2026-11-22T22:59:59.999Z");
  });

  it("yesterday is the day before also where that day had 23 or 25 hours", () => {
    // Half past midnight after the clocks went forward, and after they went back.
    expect(iso("yesterday", Date.parse("2026-03-30T00:30:00+02:00"))).toBe("2026-03-29T21:59:59.999Z");
    expect(iso("yesterday", Date.parse("2026-10-26T00:30:00+01:00"))).toBe("2026-10-25T22:59:59.999Z");
  });

  it("with a time and no zone is here; with a zone it is there", () => {
    expect(iso("2026-11-22 21:30")).toBe("2026-11-22T20:30:00.000Z");
    expect(iso("2026-11-22T21:30:15")).toBe("2026-11-22T20:30:15.000Z");
    expect(iso("2026-11-22T21:30:00Z")).toBe("2026-11-22T21:30:00.000Z");
    expect(iso("2026-11-22 21:30+05:00")).toBe("2026-11-22T16:30:00.000Z");
  });

  it.each([
    "",
    "ago",
    "2 ago",
    "h ago",
    "-2h ago",
    "2y ago",
    "2 months ago",
    "tomorrow",
    "22.11.2026",
    "11/22/2026",
    "2026",
    "2026-11",
    "2026-13-01",
    "2026-02-30",
    "2026-02-29",
    "2026-00-10",
    "2026-02-30T10:00",
    "2026-11-22T25:00",
    "2026-11-22 21:30 or so",
    "1763900000",
  ])("is never %j", (text) => {
    expect(() => parseMoment(text, now)).toThrow(
      expect.objectContaining({ code: "USAGE", what: `"${text}" is not a time.` }),
    );
  });

  it("of any date in ISO 8601 is that date", () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date("0100-01-01"), max: new Date("9999-01-01"), noInvalidDate: true }),
        (date) => {
          expect(iso(date.toISOString())).toBe(date.toISOString());
        },
      ),
    );
  });

  it("is finite or refused, whatever is written", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.stringMatching(/^[0-9smhdw. ]{1,8}ago$/),
          fc.stringMatching(/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/),
        ),
        (text) => {
          expect(finiteOrRefused(text)).toBe(true);
        },
      ),
    );
  });
});
