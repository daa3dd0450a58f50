import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { kindsOf } from "./operations-world.ts";
import { fakeWorld } from "./testing/fake-world.ts";

describe("the kinds of steps", () => {
  it("were all killed in some plan (docs/design/kill-matrix.md)", () => {
    const { world, kubernetes } = fakeWorld();
    const report = readFileSync(new URL("../../docs/design/kill-matrix.md", import.meta.url), "utf8");
    const kinds = [...kindsOf(world, kubernetes, () => undefined, { timeout: 1 }).keys()];
    expect(kinds.length).toBeGreaterThan(5);
    expect(kinds.filter((kind) => !report.includes(`(${kind})`))).toEqual([]);
  });
});
