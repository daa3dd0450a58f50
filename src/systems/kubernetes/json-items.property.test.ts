import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { itemTexts } from "./json-items.ts";

/** JSON text with white space where JSON allows it. */
const spaced = (value: unknown, space: string): string => {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const inner = Array.isArray(value)
    ? value.map((item) => spaced(item, space))
    : Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}${space}:${space}${spaced(item, space)}`);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  return `${open}${space}${inner.join(`${space},${space}`)}${space}${close}`;
};

const json = fc.jsonValue({ maxDepth: 3 });

describe("the objects of a list", () => {
  it("are cut out exactly as they stand, whatever stands around and inside them", () => {
    const before = fc.dictionary(
      fc.string().filter((key) => key !== "items" && key !== "__proto__"),
      json,
      { maxKeys: 3 },
    );
    const space = fc.constantFrom("", " ", "\n  ");
    fc.assert(
      fc.property(before, fc.array(json, { maxLength: 5 }), space, fc.boolean(), (before, items, space, isLast) => {
        const list = isLast ? { ...before, items } : { items, ...before };
        const texts = itemTexts(spaced(list, space));
        expect(texts).toEqual(items.map((item) => spaced(item, space)));
      }),
    );
  });

  it("keep digits, escapes and the order of fields", () => {
    const items = [String.raw`{"b":9223372036854775807,"a":"\u00e4\"]}","c":1.50}`, "{}"];
    expect(itemTexts(`{"metadata":{"items":[1]},"x":"items","items":[${items.join(",")}],"z":0}`)).toEqual(items);
  });

  it.each(["{}", '{"items":null}', '{"items":[]}', '{"items":[ ]}', '{"metadata":{}}'])("are none in %s", (text) => {
    expect(itemTexts(text)).toEqual([]);
  });

  it("are cut out of a value that is megabytes long", () => {
    const item = JSON.stringify({ data: `"\\${"x\\n".repeat(2_000_000)}` });
    expect(itemTexts(`{"items":[${item}]}`)).toEqual([item]);
  });
});
