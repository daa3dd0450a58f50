import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { spelled, unspelled } from "./odd-values.ts";
import { parseProperties } from "./zfs.ts";

describe("a user property's value", () => {
  it("comes back from one line of zfs as it was given, whatever is in it", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme" }),
        fc.constantFrom("", "a\nb\nx:own\tc\tlocal", "lab-spelled:x"),
        (a, b) => {
          for (const value of [a, b, a + b]) {
            const line = `x:a\t${spelled("x:a", value)}\tlocal`;
            expect(line.split("\n")).toHaveLength(1);
            expect(parseProperties(line).get("x:a")).toEqual({ value, source: "local" });
          }
        },
      ),
    );
  });

  it("is never empty for zfs, and plain text stays plain", () => {
    expect(spelled("x:a", "")).not.toBe("");
    expect(spelled("x:a", '{"iqn":"a","n":[1,2]}')).toBe('{"iqn":"a","n":[1,2]}');
    expect(unspelled("mountpoint", "lab-spelled:x")).toBe("lab-spelled:x");
  });
});
