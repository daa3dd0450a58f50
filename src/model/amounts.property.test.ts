/** What holds of amounts and names whatever they are. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nearest } from "./nearest.ts";
import { parseQuantity } from "./quantity.ts";
import { formatAge, formatBytes, formatSeconds, parseDuration } from "./units.ts";

const steps = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
const unitOf = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

describe("a quantity", () => {
  it("is its number times its suffix, and never less than nothing", () => {
    const suffixes = { "": 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 };
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom(...Object.entries(suffixes)), (number, [suffix, factor]) => {
        expect(parseQuantity(`${number}${suffix}`)).toBe(number * factor);
      }),
    );
  });

  it("is a finite number or nothing for any text", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9.eE]{1,6}[mkKMGTPEi]{0,2}$/)), (text) => {
        const bytes = parseQuantity(text);
        expect(bytes === undefined || (Number.isFinite(bytes) && bytes >= 0)).toBe(true);
      }),
    );
  });
});

describe("bytes as people read them", () => {
  const bytes = fc.oneof(fc.nat(5000), fc.integer({ min: 0, max: 2 ** 52 }));

  it("are at most three digits before the point and one behind it, below 1024 of their unit", () => {
    fc.assert(
      fc.property(bytes, (amount) => {
        expect(formatBytes(amount)).toMatch(/^\d{1,4}(\.[1-9])? (B|[KMGTP]iB)$/);
      }),
    );
  });

  it("tell the amount to within half of the last digit shown", () => {
    fc.assert(
      fc.property(bytes, (amount) => {
        const [number = "", unit = ""] = formatBytes(amount).split(" ");
        const factor = 1024 ** steps.indexOf(unit);
        expect(Math.abs(Number(number) * factor - amount)).toBeLessThanOrEqual(
          (Number(number) < 100 ? 0.0501 : 0.501) * factor,
        );
        expect(Number(number)).toBeLessThan(1024);
      }),
    );
  });
});

describe("a duration", () => {
  it("is the sum of its parts", () => {
    const part = fc.tuple(fc.nat(1000), fc.constantFrom(...Object.entries(unitOf)));
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (parts) => {
        const text = parts.map(([amount, [unit]]) => `${amount}${unit}`).join("");
        expect(parseDuration(text)).toBe(parts.reduce((sum, [amount, [, length]]) => sum + amount * length, 0));
      }),
    );
  });

  it("is a finite number or nothing for any text", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9.smhdw]{1,8}$/)), (text) => {
        const length = parseDuration(text);
        expect(length === undefined || (Number.isFinite(length) && length >= 0)).toBe(true);
      }),
    );
  });
});

describe("an age", () => {
  it("is never more than it is, and short by less than one of its unit", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e12 }), (age) => {
        const text = formatAge(age);
        const shown = parseDuration(text) ?? Number.NaN;
        expect(shown).toBeLessThanOrEqual(age);
        expect(age - shown).toBeLessThan(unitOf[text.at(-1) as keyof typeof unitOf]);
      }),
    );
  });

  it("of something in the future, by a clock that is wrong, is nothing", () => {
    fc.assert(
      fc.property(fc.integer({ max: 0 }), (age) => {
        expect(formatAge(age)).toBe("0s");
      }),
    );
  });
});

describe("a time that something took", () => {
  it("never has 60 seconds beside its minutes", () => {
    fc.assert(
      fc.property(fc.nat(1e8), (time) => {
        expect(formatSeconds(time)).toMatch(/^(\d+\.\d s|\d{2,3} s|\d+ min [1-5]?\d s)$/);
      }),
    );
  });

  it("is not said with a fraction from ten seconds on", () => {
    expect(["9949", "9950", "9999", "10000"].map((time) => formatSeconds(Number(time)))).toEqual([
      "9.9 s",
      "10 s",
      "10 s",
      "10 s",
    ]);
  });
});

describe("the nearest names", () => {
  const name = fc.stringMatching(/^[a-z]{1,8}(\/[a-z-]{1,8})?$/);

  it("are some of the names, at most as many as wanted, and each once", () => {
    fc.assert(
      fc.property(name, fc.uniqueArray(name), fc.nat(4), (wanted, names, most) => {
        const found = nearest(wanted, names, most);
        expect(found.length).toBeLessThanOrEqual(most);
        expect(new Set(found).size).toBe(found.length);
        expect(found.every((one) => names.includes(one))).toBe(true);
      }),
    );
  });

  it("begin with a name that is written as it is, in whatever case", () => {
    fc.assert(
      fc.property(name, fc.array(name), (wanted, names) => {
        const [first] = nearest(wanted.toUpperCase(), [...names, wanted]);
        expect(first).toBe(wanted);
      }),
    );
  });

  it("do not depend on the order of the names", () => {
    fc.assert(
      fc.property(name, fc.uniqueArray(name), (wanted, names) => {
        expect(nearest(wanted, names.toReversed())).toEqual(nearest(wanted, names));
      }),
    );
  });
});
