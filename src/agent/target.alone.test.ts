import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { checkRoom, checkSameDevice, openTarget } from "./target.ts";
import { agentBench, type Bench } from "./testing/bench.ts";

const room = vi.hoisted(() => ({ bavail: 0, blocks: 0, bsize: 1 }));
vi.mock("node:fs/promises", async (importOriginal) => ({
  ...(await importOriginal<object>()),
  statfs: () => Promise.resolve(room),
}));

let bench: Bench;
beforeEach(() => {
  bench = agentBench();
});
afterEach(() => rmSync(bench.base, { recursive: true, force: true }));

const target = { volume: "media/a", key: "a" };
const mebibyte = 2 ** 20;

describe("openTarget", () => {
  it("gives the volume's directory", async () => {
    const root = bench.volume("a");
    expect(await openTarget(bench.context, target)).toMatchObject({ volume: "media/a", root });
  });

  it("refuses a symbolic link, even to a directory, and a file", async () => {
    mkdirSync(join(bench.base, "outside"));
    symlinkSync(join(bench.base, "outside"), join(bench.context.places.volumes, "a"));
    await expect(openTarget(bench.context, target)).rejects.toMatchObject({ code: "TARGET_ESCAPES" });
    writeFileSync(join(bench.context.places.volumes, "b"), "");
    await expect(openTarget(bench.context, { ...target, key: "b" })).rejects.toMatchObject({ code: "TARGET_ESCAPES" });
  });
});

describe("checkSameDevice", () => {
  it("lets the same file system pass and refuses another one, and a root that became a link", async () => {
    bench.volume("a");
    const opened = await openTarget(bench.context, target);
    await expect(checkSameDevice(opened)).resolves.toBeUndefined();
    await expect(checkSameDevice({ ...opened, device: opened.device + 1 })).rejects.toMatchObject({
      code: "TARGET_ESCAPES",
    });
    rmSync(opened.root, { recursive: true });
    symlinkSync(bench.base, opened.root);
    await expect(checkSameDevice(opened)).rejects.toMatchObject({ code: "TARGET_ESCAPES" });
  });
});

describe("checkRoom", () => {
  const check = (free: number, copy: { bytes: number; files: number; directories: number }, size = 100 * mebibyte) => {
    Object.assign(room, { bavail: free / 4096, blocks: size / 4096, bsize: 4096 });
    return checkRoom({ volume: "media/a", root: bench.base, device: 0 }, copy);
  };

  it("lets a copy pass that fits with what file systems need beside", async () => {
    await expect(check(11 * mebibyte, { bytes: 10 * mebibyte, files: 10, directories: 0 })).resolves.toBeUndefined();
    await expect(check(0, { bytes: 0, files: 0, directories: 0 })).resolves.toBeUndefined();
  });

  it("refuses one that would fit by its bytes alone", async () => {
    await expect(check(10 * mebibyte, { bytes: 10 * mebibyte, files: 1, directories: 0 })).rejects.toMatchObject({
      code: "TARGET_TOO_SMALL",
      why: expect.stringContaining("stay beside") as string,
    });
  });

  it("counts a block for each small file", async () => {
    await expect(check(5 * mebibyte, { bytes: 4 * mebibyte, files: 4000, directories: 0 })).rejects.toMatchObject({
      code: "TARGET_TOO_SMALL",
    });
  });

  it("says so when the whole volume could not hold it", async () => {
    await expect(
      check(mebibyte, { bytes: 10 * mebibyte, files: 1, directories: 0 }, 5 * mebibyte),
    ).rejects.toMatchObject({
      why: "the whole volume has only 5 MiB",
    });
  });
});
