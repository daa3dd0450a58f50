import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Continuations,
  continues,
  formatLineage,
  isSameLineage,
  parseLineage,
  type Past,
  pastsOf,
} from "./lineage.ts";

const guid = fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }).map(String);

describe("the text of a lineage", () => {
  it("is read as it was written, whatever the driver calls its volumes", () => {
    const handle = fc.oneof(fc.string(), fc.constantFrom("tank/a@zfs:", "nfs:pvc-1@snap", "a\nb@zfs:x"));
    fc.assert(
      fc.property(handle, fc.option(guid, { nil: undefined }), (handle, guid) => {
        const lineage = { volume: `driver:${handle}`, guid };
        fc.pre(guid !== undefined || !/@zfs:\d+$/.test(handle));
        expect(parseLineage(formatLineage(lineage))).toEqual(lineage);
      }),
    );
  });
});

/** What happens to the volume of one claim: each event gives what its PV and its dataset are afterwards. */
interface State {
  readonly pv: string;
  readonly handle: string;
  readonly driver: string;
  readonly guid: string;
  /** What a person would say: whose data this is. */
  readonly owner: number;
}

interface World {
  readonly state: State;
  readonly continuations: Continuations;
}

const keep = ({ state, continuations }: World): World => ({ state, continuations });

/** Each gets a number that was never used before. */
const events: Readonly<Record<string, (world: World, fresh: number) => World>> = {
  "rename the dataset": keep,
  "promote the clone": keep,
  "undelete: claim and PV are made again for the living dataset": keep,
  "another driver takes the dataset over": ({ state, continuations }, fresh) => ({
    state: { ...state, driver: `driver-${fresh}`, handle: `adopted-${fresh}`, pv: `pv-${fresh}` },
    continuations,
  }),
  "restore from a clone": ({ state, continuations }, fresh) => ({
    state: { ...state, handle: `clone-${fresh}`, pv: `pv-${fresh}`, guid: String(fresh) },
    continuations: new Map([...continuations, [String(fresh), past(state)]]),
  }),
  "the claim is re-created empty": ({ state, continuations }, fresh) => ({
    state: { ...state, handle: `pvc-${fresh}`, pv: `pv-${fresh}`, guid: String(fresh), owner: fresh },
    continuations,
  }),
  "the dataset is re-created under its old name": ({ state, continuations }, fresh) => ({
    state: { ...state, guid: String(fresh), owner: fresh },
    continuations,
  }),
};

const past = ({ driver, handle, guid, pv }: State): Past => ({
  lineage: formatLineage({ volume: `${driver}:${handle}`, guid }),
  pv,
});

describe("a copy of a claim's volume", () => {
  it("is one of the present volume exactly when it holds the same data's past", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...Object.values(events)), { maxLength: 12 }), (happened) => {
        const start = { driver: "csi", handle: "pvc-0", pv: "pv-0", guid: "1000", owner: 0 };
        let world: World = { state: start, continuations: new Map() };
        const copies: State[] = [start];
        for (const [index, event] of happened.entries()) {
          world = event(world, index + 1);
          copies.push(world.state);
        }
        for (const copy of copies) {
          const isOurs = copy.owner === world.state.owner;
          expect(continues(past(world.state), past(copy).lineage, world.continuations)).toBe(isOurs);
        }
      }),
    );
  });
});

describe("records from before GUIDs", () => {
  it("are compared by driver and handle, and with nothing else", () => {
    expect(isSameLineage("csi:pvc-1", "csi:pvc-1@zfs:7")).toBe(true);
    expect(isSameLineage("csi:pvc-1@zfs:7", "csi:pvc-1")).toBe(true);
    expect(isSameLineage("csi:pvc-1", "csi:pvc-2@zfs:7")).toBe(false);
    expect(isSameLineage("csi:pvc-1", "other:pvc-1")).toBe(false);
  });
});

describe("what a lineage continues", () => {
  it("is told newest first, and a record that leads back to itself ends", () => {
    const continuations = new Map([
      ["3", { lineage: "csi:b@zfs:2", pv: "b" }],
      ["2", { lineage: "csi:a@zfs:1", pv: "a" }],
      ["1", { lineage: "csi:c@zfs:3", pv: "c" }],
    ]);
    expect(pastsOf("csi:c@zfs:3", continuations).map(({ pv }) => pv)).toEqual(["b", "a", "c"]);
    expect(pastsOf("csi:x", continuations)).toEqual([]);
  });
});
