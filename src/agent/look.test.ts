import { mkdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SeenVolume } from "./lines.ts";
import { look } from "./look.ts";
import { plant, treeOf } from "./testing/trees.ts";
import { microsOf, type TwoVolumes, twoVolumes } from "./testing/two-volumes.ts";

let volumes: TwoVolumes;
beforeEach(() => {
  volumes = twoVolumes();
  volumes.renew();
});
afterEach(() => rmSync(volumes.bench.base, { recursive: true, force: true }));

const seen = async (): Promise<readonly SeenVolume[]> => {
  volumes.bench.lines.length = 0;
  await look({ kind: "look", targets: volumes.targets }, volumes.bench.context);
  return volumes.bench.lines.flatMap((line) => (line.type === "seen" ? [line.seen] : []));
};

describe("look", () => {
  it("tells the room of each volume's file system, and what the app's tree takes of it", async () => {
    const [root = ""] = volumes.roots;
    const { blocks, bsize } = statfsSync(root);
    writeFileSync(join(root, "big"), Buffer.alloc(100_000, 1));
    const [one, other] = await seen();
    expect([one?.volume, other?.volume, one?.totalBytes]).toEqual(["media/a", "media/b", blocks * bsize]);
    expect(one?.freeBytes).toBeGreaterThan(0);
    expect([one?.present.entries, other?.present.entries, one?.ours]).toEqual([7, 6, []]);
    expect((one?.present.bytes ?? 0) - (other?.present.bytes ?? 0)).toBeGreaterThanOrEqual(100_000);
  });

  it("counts a file with several names once", async () => {
    const [root = ""] = volumes.roots;
    plant(root, [{ path: "one", kind: "file", content: "x".repeat(50_000) }]);
    const before = (await seen())[0]?.present;
    plant(root, [{ path: "two", kind: "link", linkTo: "one" }]);
    expect((await seen())[0]?.present).toEqual({ entries: (before?.entries ?? 0) + 1, bytes: before?.bytes });
  });

  it("tells what each operation keeps, and the app's tree without it", async () => {
    const [{ present } = { present: undefined }] = await seen();
    await volumes.replace("op1");
    await volumes.replace("op2");
    const [after] = await seen();
    expect(after?.present.entries).toBe(3);
    expect(after?.ours.map(({ operation, state, entries }) => [operation, state, entries]).toSorted()).toEqual([
      ["op1", "kept", 6],
      ["op2", "kept", 3],
    ]);
    expect(after?.ours.find(({ operation }) => operation === "op1")?.bytes).toBe(present?.bytes);
  });

  it("tells what an operation left half done, in whatever state, and changes nothing", async () => {
    const [root = ""] = volumes.roots;
    for (const state of ["fresh", "moving", "aside", "returning", "kept", "discard"])
      mkdirSync(join(root, `.holdfast-${state}-x`, state === "fresh" ? "" : "files"), { recursive: true });
    // Copies bring such a name along.
    mkdirSync(join(root, ".holdfast-kept-husk"));
    const before = [treeOf(root), microsOf(root)];
    const [one] = await seen();
    expect(one?.ours.map(({ state }) => state).toSorted()).toEqual([
      "aside",
      "discard",
      "fresh",
      "kept",
      "moving",
      "returning",
    ]);
    expect([treeOf(root), microsOf(root)]).toEqual(before);
  });
});
