import * as fc from "fast-check";
import { expect, it } from "vitest";
import { differences, knownFrom, remember } from "./differences.ts";
import type { KubeObject } from "./port.ts";

const object = (name: string, incarnation: number, version: number): KubeObject => ({
  metadata: { name, uid: `${name}-${incarnation}`, resourceVersion: String(version) },
});

const state = fc
  .dictionary(fc.constantFrom("a", "b", "c", "d"), fc.tuple(fc.nat(2), fc.nat(2)))
  .map((entries) =>
    Object.entries(entries).map(([name, [incarnation, version]]) => object(name, incarnation, version)),
  );

it("turns what was known into what is listed, and then has nothing more to say", () => {
  fc.assert(
    fc.property(state, state, (before, after) => {
      const known = knownFrom(before);
      for (const event of differences(known, after)) remember(known, event);
      const uids = (objects: Iterable<KubeObject>) => new Set(Array.from(objects, ({ metadata }) => metadata.uid));
      expect(uids(known.values())).toEqual(uids(after));
      expect(differences(known, after)).toEqual([]);
    }),
  );
});

it("tells the end of an object before the beginning of its successor", () => {
  const events = differences(knownFrom([object("a", 1, 1)]), [object("a", 2, 2)]);
  expect(events.map(({ type, object }) => `${type} ${object.metadata.uid}`)).toEqual(["DELETED a-1", "ADDED a-2"]);
});
