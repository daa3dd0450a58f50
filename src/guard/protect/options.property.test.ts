import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hasOptions, withOptions } from "./options.ts";

const wanted = ["Prune=false", "Delete=false"];
const options = fc.array(
  fc.constantFrom(
    "Prune=false",
    "Prune=confirm",
    "prune=false",
    "Delete=true",
    "ServerSideApply=true",
    "Replace",
    " ",
    "",
  ),
  { maxLength: 6 },
);

describe("Argo CD's comma lists", () => {
  it.each([
    [undefined, "Prune=false,Delete=false"],
    ["ServerSideApply=true", "ServerSideApply=true,Prune=false,Delete=false"],
    ["Prune=confirm, ServerSideApply=true", "ServerSideApply=true,Prune=false,Delete=false"],
    ["prune=false", "Prune=false,Delete=false"],
  ])("%s becomes %s", (text, merged) => {
    expect(withOptions(text, wanted)).toBe(merged);
  });

  it("count as Argo CD reads them: by case, and the first of a name", () => {
    expect(hasOptions("Delete=false , Prune=false", wanted)).toBe(true);
    expect(hasOptions("prune=false,Delete=false", wanted)).toBe(false);
    expect(hasOptions("Prune=true,Prune=false,Delete=false", wanted)).toBe(false);
    expect(hasOptions(undefined, wanted)).toBe(false);
  });

  it("have what is wanted after merging, lose nothing else, and do not change again", () => {
    fc.assert(
      fc.property(options, (list) => {
        const merged = withOptions(list.join(","), wanted);
        expect(hasOptions(merged, wanted)).toBe(true);
        const others = list.map((option) => option.trim()).filter((option) => /^(?:Server|Replace)/.test(option));
        expect(merged.split(",").filter((option) => /^(?:Server|Replace)/.test(option))).toEqual(others);
        expect(withOptions(merged, wanted)).toBe(merged);
      }),
    );
  });
});
