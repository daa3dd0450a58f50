import { describe, expect, it } from "vitest";
import { Failure } from "../model/failure.ts";
import { kitStandingData, kitStandingText } from "./kit-standing.ts";

const checked = Date.UTC(2026, 10, 23, 12);
const missing = {
  proven: false,
  checked: undefined,
  because: new Failure("KIT_MISSING", { what: "No kit was ever checked." }),
} as const;

describe("what status says of the kit", () => {
  it("is that it is not proven, why, and what to do", () => {
    expect(kitStandingText(missing)).toBe(
      "The kit is NOT proven. No kit was ever checked.\n  do:  `holdfast kit create`, then `holdfast kit check FILE`.",
    );
    expect(JSON.parse(JSON.stringify(kitStandingData(missing)))).toEqual({
      proven: false,
      reason: "No kit was ever checked.",
    });
  });

  it("is when it was checked, and that it is time to do so again", () => {
    const proven = { proven: true, checked, old: false, text: "checked 3d ago" } as const;
    expect(kitStandingText(proven)).toBe("Kit checked 3d ago.");
    expect(kitStandingText({ ...proven, old: true })).toBe(
      "Kit checked 3d ago. Check it again: `holdfast kit check FILE`.",
    );
    expect(kitStandingData(proven)).toEqual({
      proven: true,
      reason: "checked 3d ago",
      checked: "2026-11-23T12:00:00.000Z",
    });
  });
});
