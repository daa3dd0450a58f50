/** TrueNAS' answers, read. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeJson } from "../../kubernetes/json.ts";
import { datasetOf, type Entry, iqnBaseOf, snapshotOf, snapshotTaskOf, userPropertiesOf } from "./entries.ts";

const raw = (rawvalue: string, source = "LOCAL") => ({ value: rawvalue, rawvalue, parsed: null, source });

const filesystem: Entry = {
  id: "tank/a",
  type: "FILESYSTEM",
  mountpoint: "/mnt/tank/a",
  creation: raw("1795383860"),
  guid: raw("18446744073709551615"),
  createtxg: raw("184467"),
  origin: raw(""),
  used: raw("98304"),
  available: raw("900719925474099"),
  refquota: raw("0"),
  readonly: raw("off"),
};

describe("a dataset", () => {
  it("keeps all 64 bits of its GUID", () => {
    expect(datasetOf(filesystem, {})).toMatchObject({ guid: "18446744073709551615", createtxg: "184467" });
  });

  it("is told by its name and the second of its creation where TrueNAS tells neither GUID nor createtxg", () => {
    const { guid: _, createtxg: __, ...entry } = filesystem;
    const told = datasetOf(entry, {});
    expect(told.createtxg).toBe("1795383860");
    expect(told.guid).toMatch(/^\d+$/);
    expect(datasetOf(entry, {}).guid).toBe(told.guid);
    for (const other of [{ id: "tank/b" }, { creation: raw("1795383861") }])
      expect(datasetOf({ ...entry, ...other }, {}).guid).not.toBe(told.guid);
    const { creation: ___, ...nothing } = entry;
    expect(() => datasetOf(nothing, {})).toThrow(expect.objectContaining({ code: "NAS_REFUSED" }));
  });

  it.each([
    ["", undefined],
    ["none", undefined],
    ["-", undefined],
    ["tank/b@s", "tank/b@s"],
  ])("with the origin %j has %j", (value, origin) => {
    expect(datasetOf({ ...filesystem, origin: raw(value) }, {}).origin).toBe(origin);
  });

  it.each([
    ["/mnt/tank/a", "/mnt/tank/a"],
    ["legacy", undefined],
    ["none", undefined],
    [null, undefined],
  ])("mounted at %j has %j", (mountpoint, expected) => {
    expect(datasetOf({ ...filesystem, mountpoint }, {}).mountpoint).toBe(expected);
  });

  it("that is a volume has a size and no quota", () => {
    const volume = { ...filesystem, type: "VOLUME", mountpoint: null, volsize: raw("1073741824"), refquota: raw("5") };
    expect(datasetOf(volume, {})).toMatchObject({ kind: "volume", volsize: 1_073_741_824, refquota: undefined });
  });

  it("has its own user properties, not those that it inherits", () => {
    const user_properties = { "a:b": raw("1"), "a:c": raw("2", "INHERITED"), "a:d": raw("", "RECEIVED") };
    expect(userPropertiesOf({ user_properties })).toEqual({ "a:b": "1", "a:d": "" });
  });

  it.each([null, [], { id: 1 }, { ...filesystem, used: null }])("is not read from %j", (entry) => {
    expect(() => datasetOf((entry ?? {}) as Entry, {})).toThrow(expect.objectContaining({ code: "NAS_REFUSED" }));
  });
});

const snapshotText = (guid: bigint, createtxg: bigint): string =>
  `{"name":"tank/a@s","dataset":"tank/a","snapshot_name":"s","guid":${guid},"createtxg":${createtxg},"holds":["x"],
    "properties":{"creation":{"raw":"1795383860","value":1795383860},"used":{"raw":"0"},"referenced":{"raw":"98304"}}}`;

describe("a snapshot", () => {
  it("of zfs.resource.* keeps all 64 bits, though they are numbers there", () => {
    const sixtyFour = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    fc.assert(
      fc.property(sixtyFour, sixtyFour, (guid, createtxg) => {
        const snapshot = snapshotOf(decodeJson(snapshotText(guid, createtxg)) as Entry);
        expect(snapshot).toMatchObject({ guid: String(guid), createtxg: String(createtxg), held: true });
      }),
    );
  });

  it.each([
    [null, undefined, false],
    [[], "0", false],
    [["zrepl_step"], undefined, true],
    [undefined, "0", false],
    [undefined, "2", true],
    // TrueNAS says so of tags that it could not read.
    [{}, "1", true],
  ])("with the holds %j and %j of them counted is held: %j", (holds, userrefs, held) => {
    const entry = decodeJson(snapshotText(1n, 2n)) as Entry;
    const counted = userrefs === undefined ? {} : { userrefs: raw(userrefs) };
    const properties = { ...(entry["properties"] as Entry), ...counted };
    expect(snapshotOf({ ...entry, holds, properties }).held).toBe(held);
  });
});

describe("a task", () => {
  it("of snapshots is read with what decides whose names it swallows", () => {
    const task = {
      id: 3,
      dataset: "tank",
      recursive: true,
      exclude: ["tank/x"],
      naming_schema: "auto-%Y",
      enabled: false,
    };
    expect(snapshotTaskOf(task)).toEqual({
      id: 3,
      dataset: "tank",
      recursive: true,
      exclude: ["tank/x"],
      namingSchema: "auto-%Y",
      enabled: false,
    });
  });
});

describe("the base of iSCSI names", () => {
  it.each([
    [{ basename: "iqn.2005-10.org.freenas.ctl" }, "iqn.2005-10.org.freenas.ctl"],
    [{ basename: "" }, undefined],
    [null, undefined],
  ])("of %j is %j", (answer, base) => {
    expect(iqnBaseOf(answer)).toBe(base);
  });
});
