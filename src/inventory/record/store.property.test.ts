import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { resources } from "../../systems/kubernetes/resources.ts";
import { MemoryBucket } from "../../systems/s3/memory.ts";
import { makers, type SampleKind, viewOf } from "../datasets/testing/volumes.ts";
import { exportsBehind, type InventoryContent } from "./content.ts";
import { readInventory, writeInventory } from "./store.ts";

const place = { cluster: "home", uid: "uid-a" };
const kinds = Object.keys(makers) as SampleKind[];

/** JSON as a server may write it: its own spacing, its own digits, its own order. */
const raw = fc
  .record({
    name: fc.string({ unit: "binary" }),
    extra: fc.jsonValue({ maxDepth: 2 }),
    digits: fc.constantFrom("9223372036854775807", "1.50", "-0", "1e400"),
    space: fc.constantFrom("", " ", "\n", "\r\n"),
  })
  .map(
    ({ name, extra, digits, space }) =>
      `{"z":${digits},${space}"metadata":{"name":${JSON.stringify(name)}},"spec":${space}${JSON.stringify(extra)}}`,
  );

const content: fc.Arbitrary<InventoryContent> = fc.record({
  kubernetes: fc.tuple(fc.array(raw, { maxLength: 4 }), fc.array(raw, { maxLength: 2 })).map(([pvs, claims]) =>
    [
      { resource: resources.persistentVolumes, texts: pvs },
      { resource: resources.persistentVolumeClaims, texts: claims },
    ].filter(({ texts }) => texts.length > 0),
  ),
  nas: fc.option(
    fc
      .uniqueArray(fc.record({ kind: fc.constantFrom(...kinds), id: fc.integer({ min: 1, max: 99 }) }), {
        maxLength: 5,
        selector: ({ id }) => id,
      })
      .map((parts) => viewOf(parts.map(({ kind, id }) => makers[kind](id)))),
    { nil: undefined },
  ),
});

describe("an inventory", () => {
  it("comes back from the bucket with the same bytes of every object", async () => {
    await fc.assert(
      fc.asyncProperty(content, async (content) => {
        const bucket = new MemoryBucket({ now: () => 0 });
        expect(await writeInventory(bucket, place, content, 0)).toMatch(/^holdfast\/home\/inventory\/19700101T.*gz$/);
        const read = await readInventory(bucket, "home");
        expect(read?.kubernetes.map(({ resource, texts }) => [resource.kind, texts])).toEqual(
          content.kubernetes.map(({ resource, texts }) => [resource.kind, texts]),
        );
        expect(read?.nas).toEqual(
          content.nas === undefined ? undefined : { ...content.nas, exports: exportsBehind(content.nas) },
        );
      }),
      { numRuns: 60 },
    );
  });

  it("is written once for one state of things, however often it is looked at and in whichever order", async () => {
    await fc.assert(
      fc.asyncProperty(content, async (content) => {
        const bucket = new MemoryBucket({ now: () => 0 });
        const turned: InventoryContent = {
          kubernetes: content.kubernetes
            .map(({ resource, texts }) => ({ resource, texts: texts.toReversed() }))
            .toReversed(),
          nas: content.nas === undefined ? undefined : { ...content.nas, datasets: content.nas.datasets.toReversed() },
        };
        await writeInventory(bucket, place, content, 0);
        expect(await writeInventory(bucket, place, turned, 1)).toBeUndefined();
      }),
      { numRuns: 30 },
    );
  });
});
