import { describe, expect, it } from "vitest";
import { continuationsOf, continuesProperty, continuesValue } from "./continuations.ts";
import { aDataset } from "./datasets/testing/volumes.ts";

describe("a dataset that continues another one's history", () => {
  it("says so by a property that is read as it was written", () => {
    const past = { lineage: "csi:pvc-1@zfs:18446744073709551615", pv: 'pv "1"' };
    const clone = aDataset("tank/v/clone", { guid: "7", properties: { [continuesProperty]: continuesValue(past) } });
    expect([...continuationsOf([aDataset("tank/v/pvc-2"), clone])]).toEqual([["7", past]]);
  });

  it.each(["", "{", "null", "7", '{"lineage":"a"}', '{"lineage":1,"pv":"b"}'])(
    "says nothing with the value %j",
    (value) => {
      expect(continuationsOf([aDataset("tank/v/clone", { properties: { [continuesProperty]: value } })]).size).toBe(0);
    },
  );
});
