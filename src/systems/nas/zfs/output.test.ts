import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseDatasets, parsePools, parseSnapshots } from "./output.ts";
import { parsePropertyNames, parsePropertyValues } from "./property-output.ts";

const fields = (...values: readonly string[]): string => `${values.join("\t")}\n`;
const volume = "tank/v 18446744073709551615 9007199254740993 volume tank/a@s_t 8192 1000 - 1073741824 on 1795622820 -\n"
  .replaceAll(" ", "\t")
  .replace("_", " ");
const filesystem = (name: string, mountpoint: string): string =>
  fields(name, "1", "2", "filesystem", "-", "98304", "1000", "0", "-", "off", "1795622820", mountpoint);

describe("zfs list of datasets", () => {
  it("keeps all 64 bits of GUID and createtxg", () => {
    expect(parseDatasets(volume)).toEqual([
      {
        name: "tank/v",
        guid: "18446744073709551615",
        createtxg: "9007199254740993",
        kind: "volume",
        mountpoint: undefined,
        origin: "tank/a@s t",
        used: 8192,
        available: 1000,
        refquota: undefined,
        volsize: 1073741824,
        readOnly: true,
        created: 1795622820000,
      },
    ]);
  });

  it.each([
    ["/mnt/a\tb c", "/mnt/a\tb c"],
    ["none", undefined],
    ["legacy", undefined],
    ["-", undefined],
  ])("takes the mountpoint %j for %j", (printed, mountpoint) => {
    expect(parseDatasets(filesystem("tank/a b", printed))).toMatchObject([
      { name: "tank/a b", mountpoint, refquota: undefined, volsize: undefined, readOnly: false },
    ]);
  });

  it("of nothing is nothing", () => {
    expect([parseDatasets(""), parseSnapshots("\n"), parsePools("")]).toEqual([[], [], []]);
  });

  it.each([
    ["sizes for people, of a ZFS that does not know -p", filesystem("tank/a", "/a").replace("98304", "96K")],
    ["too few fields", "tank/a\t1\t2\n"],
    ["a GUID that is none", filesystem("tank/a", "/a").replace("\t1\t", "\t-\t")],
    ["another kind", filesystem("tank/a", "/a").replace("filesystem", "snapshot")],
    ["a warning among the lines", `warning: something\n${filesystem("tank/a", "/a")}`],
  ])("does not guess at %s", (_, text) => {
    expect(() => parseDatasets(text)).toThrow("could not be understood");
  });
});

describe("zfs list of snapshots", () => {
  it("is ordered by transaction group, not by text, and knows holds and clones", () => {
    const text = [
      fields("tank/a@new", "3", "100", "1795622830", "0", "5", "0", "-"),
      fields("tank/a@old one", "4", "99", "1795622820", "7", "5", "2", "tank/b,tank/c d"),
      fields("tank/a@older", "5", "98", "1795622810", "7", "5", "0", ""),
    ].join("");
    expect(parseSnapshots(text)).toMatchObject([
      { name: "tank/a@older", clones: [], held: false },
      {
        name: "tank/a@old one",
        dataset: "tank/a",
        snapshot: "old one",
        created: 1795622820000,
        used: 7,
        referenced: 5,
        held: true,
        clones: ["tank/b", "tank/c d"],
      },
      { name: "tank/a@new", clones: [], held: false },
    ]);
  });
});

describe("zpool list", () => {
  it("tells health, space and whether it may be written", () => {
    const text = fields("tank", "1000", "400", "DEGRADED", "off") + fields("pond", "-", "-", "FAULTED", "on");
    expect(parsePools(text)).toEqual([
      { name: "tank", size: 1000, free: 400, health: "DEGRADED", readOnly: false },
      { name: "pond", size: 0, free: 0, health: "FAULTED", readOnly: true },
    ]);
  });
});

describe("zfs get of values that may be anything", () => {
  interface Property {
    readonly dataset: string;
    readonly property: string;
    readonly value: string;
  }
  const namesOf = (list: readonly Property[]) =>
    parsePropertyNames(list.map(({ dataset, property }) => `${dataset}\t${property}\n`).join(""));
  const printed = (list: readonly Property[]): string =>
    list.map(({ dataset, property, value }) => `${dataset}\t${property}\t${value}\n`).join("");
  const property = (name: string, value: string): Property => ({ dataset: "tank/a", property: name, value });
  const parsed = (list: readonly Property[]) =>
    parsePropertyValues(printed(list), namesOf(list))?.map(({ name, value }) => property(name.property, value));

  it.each(["", "-", "a\tb", "a\nb", "\n", "a\n\n", "\ttab", "tank/a\tx:other\tlie", "a\ntank/b\tx:a\tlie"])(
    "keeps %j",
    (value) => {
      const list = [property("x:a", value), property("refquota", "5"), property("x:b", "2")];
      expect(parsed(list)).toEqual(list);
    },
  );

  it("sees when a value looks like another property, and then gives nothing at all", () => {
    expect(parsed([property("x:a", "1\ntank/a\tx:b\tlie"), property("x:b", "2")])).toBeUndefined();
    expect(parsed([property("x:b", "2"), property("x:c", "1\ntank/a\tx:b\tlie")])).toBeUndefined();
    expect(parsed([property("x:a", "1\ntank/a\trefquota\t9"), property("refquota", "5")])).toBeUndefined();
  });

  it("sees when a property went or came meanwhile", () => {
    const list = [property("x:a", "1"), property("x:b", "2")];
    expect(parsePropertyValues(printed(list.slice(0, 1)), namesOf(list))).toBeUndefined();
  });

  it("tells the truth or nothing, whatever the values are", () => {
    const piece = fc.constantFrom("\n", "\t", "tank/a", "x:0", "x:1", "x:2", "v", "-");
    const values = fc.array(fc.array(piece, { maxLength: 8 }), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(values, (all) => {
        const list = all.map((pieces, index) => property(`x:${index}`, pieces.join("")));
        expect([list, undefined]).toContainEqual(parsed(list));
      }),
      { numRuns: 2000 },
    );
  });
});
