import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CallError, MatchNotFound } from "./call-error.ts";
import { type Filters, filterList, namesFixedBy, optionsSchema } from "./filters.ts";

const rows = [
  { id: "tank/a", used: 1, kind: "FILESYSTEM", origin: null, tags: ["x"], p: { "a.b": { parsed: 5 } } },
  { id: "tank/b", used: 3, kind: "VOLUME", origin: "tank/a@s", tags: [], p: { "a.b": { parsed: 7 } } },
  { id: "pond/c", used: 2, kind: "FILESYSTEM", origin: null, tags: ["x", "y"] },
];

const options = (more: object = {}) => optionsSchema.parse(more);
const ids = (filters: Filters, more: object = {}): unknown =>
  (filterList(rows, filters, options(more)) as readonly { readonly id: string }[]).map(({ id }) => id);

describe("query filters", () => {
  it.each([
    [[["id", "=", "tank/a"]], ["tank/a"]],
    [[["used", ">", 1]], ["tank/b", "pond/c"]],
    [
      [
        ["used", ">=", 1],
        ["used", "<", 3],
      ],
      ["tank/a", "pond/c"],
    ],
    [[["id", "in", ["tank/b", "pond/c"]]], ["tank/b", "pond/c"]],
    [[["id", "nin", ["tank/b"]]], ["tank/a", "pond/c"]],
    [[["tags", "rin", "y"]], ["pond/c"]],
    [[["tags", "rnin", "x"]], ["tank/b"]],
    [[["id", "^", "tank/"]], ["tank/a", "tank/b"]],
    [[["id", "!^", "tank/"]], ["pond/c"]],
    [[["id", "$", "b"]], ["tank/b"]],
    [[["id", "!$", "b"]], ["tank/a", "pond/c"]],
    [[["id", "~", "t.n"]], ["tank/a", "tank/b"]],
    [[["kind", "C=", "volume"]], ["tank/b"]],
    [
      [
        [
          "OR",
          [
            ["used", "=", 1],
            [
              ["used", "=", 2],
              ["kind", "=", "FILESYSTEM"],
            ],
          ],
        ],
      ],
      ["tank/a", "pond/c"],
    ],
    [[[String.raw`p.a\.b.parsed`, "=", 7]], ["tank/b"]],
  ] as [Filters, string[]][])("%j lets through %j", (filters, wanted) => {
    expect(ids(filters)).toEqual(wanted);
  });

  it("let nothing through by a field that a row lacks, not even by !=", () => {
    expect(ids([["p.x", "!=", 1]])).toEqual([]);
    // A field that is null is there.
    expect(ids([["origin", "=", null]])).toEqual(["tank/a", "pond/c"]);
    expect(ids([["origin", "nin", ["z"]]])).toEqual(["tank/b"]);
  });

  it.each([[[["id", "==", 1]]], [[["id"]]], [[["AND", []]]], [[["OR", []]]]] as [Filters][])("refuse %j", (filters) => {
    expect(() => ids(filters)).toThrow(CallError);
  });

  it("refuse to compare what has no order", () => {
    expect(() => ids([["id", ">", 1]])).toThrow(CallError);
  });
});

describe("query options", () => {
  it("order, cut, count and choose", () => {
    expect(ids([], { order_by: ["-used"] })).toEqual(["tank/b", "pond/c", "tank/a"]);
    expect(ids([], { order_by: ["kind", "-used"] })).toEqual(["pond/c", "tank/a", "tank/b"]);
    expect(ids([], { order_by: ["nulls_first:-origin"] })).toEqual(["tank/a", "pond/c", "tank/b"]);
    expect(ids([], { limit: 1, offset: 1 })).toEqual(["tank/b"]);
    expect(filterList(rows, [["used", ">", 1]], options({ count: true }))).toBe(2);
    expect(filterList(rows, [["used", "=", 1]], options({ select: ["id", ["used", "bytes"]] }))).toEqual([
      { id: "tank/a", bytes: 1 },
    ]);
  });

  it("give one row, or say that none matches", () => {
    expect(filterList(rows, [["used", "=", 3]], options({ get: true }))).toMatchObject({ id: "tank/b" });
    expect(() => filterList(rows, [["used", "=", 9]], options({ get: true }))).toThrow(MatchNotFound);
    expect(() => filterList(rows, [], options({ get: true, limit: 2 }))).toThrow(CallError);
  });

  it("refuse a limit above 10000", () => {
    expect(optionsSchema.safeParse({ limit: 10_001 }).success).toBe(false);
  });
});

it("splits all rows between a filter and its opposite, where the field is never null", () => {
  const pairs = [
    ["=", "!="],
    [">", "<="],
    [">=", "<"],
    ["in", "nin"],
  ] as const;
  fc.assert(
    fc.property(fc.array(fc.nat(9)), fc.nat(9), fc.constantFrom(...pairs), (numbers, wanted, [one, other]) => {
      const many = numbers.map((n) => ({ n }));
      const value = one === "in" ? [wanted] : wanted;
      const count = (operation: string): number =>
        filterList(many, [["n", operation, value]], options({ count: true })) as number;
      expect(count(one) + count(other)).toBe(many.length);
    }),
  );
});

it("knows the names that filters fix, and takes no other filter for one", () => {
  expect(
    namesFixedBy(
      [
        ["used", ">", 1],
        ["id", "=", "a"],
      ],
      ["id", "name"],
    ),
  ).toEqual(["a"]);
  expect(namesFixedBy([["name", "in", ["a", "b"]]], ["id", "name"])).toEqual(["a", "b"]);
  expect(namesFixedBy([["id", "^", "a"]], ["id"])).toBeUndefined();
  expect(namesFixedBy([["OR", [["id", "=", "a"]]]], ["id"])).toBeUndefined();
});
