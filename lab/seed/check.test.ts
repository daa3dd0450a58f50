import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  copyFileSync,
  lstatSync,
  lutimesSync,
  mkdtempSync,
  openSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
  closeSync,
  mkdirSync,
  truncateSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { asKopiaRestores, check, type CheckOptions } from "./check.ts";
import { describeVolume, type Shape } from "./describe.ts";
import { plant } from "./plant.ts";

const isRoot = process.getuid?.() === 0;
const seed = "test";

let dir: string;
const at = (path: string): string => join(dir, path);

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "seed-"));
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

const found = async (shape: Shape, options: CheckOptions = {}): Promise<string[]> => {
  const { mismatches } = await check(dir, shape, seed, options);
  return mismatches.map(({ path, kind }) => `${kind} ${path}`);
};

/** In seconds. A Date would round to milliseconds. */
const exactTime = (place: string): number => {
  const { mtimeNs } = lstatSync(place, { bigint: true });
  return Number(mtimeNs / 1_000_000_000n) + Number(mtimeNs % 1_000_000_000n) / 1e9;
};

/** Changes something and puts the time back, so that only the change itself shows. */
const quietly = (path: string, change: (place: string) => void): void => {
  const time = exactTime(at(path));
  change(at(path));
  lutimesSync(at(path), time, time);
};

const flipByte = (place: string, position: number): void => {
  const file = openSync(place, "r+");
  writeSync(file, Buffer.from([0, 1, 2, 3].map((value) => value ^ 0xa5)), 0, 1, position);
  closeSync(file);
};

describe.skipIf(!isRoot)("a planted volume", () => {
  it.each(["odd", "plex", "qbittorrent", "pihole"] as const)("is as its seed says: %s", async (shape) => {
    const planted = await plant(dir, shape, seed);
    const checked = await check(dir, shape, seed, { sparse: "kept" });
    expect(checked.mismatches).toEqual([]);
    expect(checked.files).toBeGreaterThanOrEqual(planted.files);
    expect(checked.leftOut).toBe(0);
  });

  it("is not as another seed says", async () => {
    await plant(dir, "small", seed);
    expect((await check(dir, "small", "other")).mismatches.length).toBeGreaterThan(40);
  });

  it("can be planted again over what an interruption left", async () => {
    await plant(dir, "odd", seed);
    unlinkSync(at("links/target"));
    appendFileSync(at("names/#hash"), "more");
    await plant(dir, "odd", seed);
    expect(await found("odd")).toEqual([]);
  });

  it("has files with holes", async () => {
    const { bytes } = await plant(dir, "odd", seed);
    const { size, blocks } = lstatSync(at("sparse/disk.img"));
    expect(size).toBe(64 << 20);
    expect(blocks * 512).toBeLessThan(300_000);
    expect(bytes).toBeLessThan(1_000_000);
  });
});

describe.skipIf(!isRoot)("check", () => {
  const first = "folder-0/file-0.bin";

  const cases: readonly (readonly [string, () => void, readonly string[]])[] = [
    [
      "a changed byte",
      () => quietly(first, (place) => flipByte(place, lstatSync(place).size - 1)),
      [`content ${first}`],
    ],
    [
      "a missing byte",
      () => quietly(first, (place) => truncateSync(place, lstatSync(place).size - 1)),
      [`size ${first}`],
    ],
    ["a missing file", () => quietly("folder-0", () => unlinkSync(at(first))), [`missing ${first}`]],
    [
      "a foreign file",
      () => quietly("folder-0", () => writeFileSync(at("folder-0/new"), "")),
      ["foreign folder-0/new"],
    ],
    [
      "a foreign folder with a file",
      () => (mkdirSync(at("new")), writeFileSync(at("new/file"), "")),
      ["foreign new", "foreign new/file"],
    ],
    ["another mode", () => quietly(first, (place) => chmodSync(place, 0o600)), [`mode ${first}`]],
    [
      "a lost setuid bit of a folder's file",
      () => quietly(first, (place) => chmodSync(place, 0o4644)),
      [`mode ${first}`],
    ],
    ["another owner", () => quietly(first, (place) => chownSync(place, 1001, 1000)), [`owner ${first}`]],
    ["another group", () => quietly(first, (place) => chownSync(place, 1000, 1001)), [`owner ${first}`]],
    ["another time", () => utimesSync(at(first), 1_700_000_000, 1_700_000_000), [`mtime ${first}`]],
    ["another time of a folder", () => utimesSync(at("folder-1"), 1_700_000_000, 1_700_000_000), ["mtime folder-1"]],
    ["another owner of the root", () => chownSync(dir, 0, 0), ["owner ."]],
    ["another mode of the root", () => chmodSync(dir, 0o700), ["mode ."]],
    [
      "a symbolic link instead of a file",
      () =>
        quietly("folder-0", () => (renameSync(at(first), at("lost+found")), symlinkSync("../lost+found", at(first)))),
      [`type ${first}`],
    ],
  ];

  it.each(cases)("finds %s, and nothing else", async (_, spoil, expected) => {
    await plant(dir, "small", seed);
    spoil();
    expect(await found("small")).toEqual(expected);
  });

  it("says from which byte on a file differs, across holes too", async () => {
    await plant(dir, "odd", seed);
    quietly("sparse/disk.img", (place) => flipByte(place, 40_000_001));
    const { mismatches } = await check(dir, "odd", seed);
    expect(mismatches).toEqual([
      { path: "sparse/disk.img", kind: "content", problem: "differs from byte 40000001 on" },
    ]);
  });

  it("finds a link that points elsewhere", async () => {
    await plant(dir, "odd", seed);
    const time = exactTime(at("links/outside"));
    quietly("links", () => {
      unlinkSync(at("links/outside"));
      symlinkSync("../../../../etc/shadow", at("links/outside"));
      lutimesSync(at("links/outside"), time, time);
    });
    expect(readlinkSync(at("links/outside"))).toContain("shadow");
    expect(await found("odd")).toEqual(["target links/outside"]);
  });

  it("finds times that have lost their nanoseconds", async () => {
    await plant(dir, "odd", seed);
    execFileSync("touch", ["--date=@1700000000.123456", at("times/nanoseconds")]);
    expect(await found("odd")).toEqual(["mtime times/nanoseconds"]);
  });

  it("finds hard links that have become files of their own, unless that is allowed", async () => {
    await plant(dir, "odd", seed);
    const name = "links/elsewhere/third-name";
    const time = exactTime(at("links/elsewhere"));
    execFileSync("cp", ["--preserve=all", at(name), at("copy")]);
    renameSync(at("copy"), at(name));
    utimesSync(at("links/elsewhere"), time, time);
    expect(await found("odd")).toEqual([`hardlink ${name}`]);
    expect(await found("odd", { hardlinks: "separate" })).toEqual([]);
  });

  it("finds holes that were filled, if asked", async () => {
    await plant(dir, "odd", seed);
    quietly("sparse/disk.img", (place) => {
      execFileSync("cp", ["--sparse=never", place, `${dir}/lost+found`]);
      execFileSync("dd", [`if=${dir}/lost+found`, `of=${place}`, "conv=notrunc", "bs=1M", "status=none"]);
    });
    expect(await found("odd")).toEqual([]);
    expect(await found("odd", { sparse: "kept" })).toEqual(["sparse sparse/disk.img"]);
  });

  it("lets what kopia leaves out be missing, but not be wrong", async () => {
    await plant(dir, "odd", seed);
    for (const entry of describeVolume("odd", seed).filter(({ leftOutBy }) => leftOutBy !== undefined)) {
      if (entry.path !== "left-out/ignore/a.tmp") rmSync(at(entry.path), { recursive: true, force: true });
    }
    expect(await found("odd", asKopiaRestores)).toEqual([]);
    expect((await check(dir, "odd", seed, asKopiaRestores)).leftOut).toBe(9);
    expect((await found("odd")).filter((line) => line.startsWith("missing"))).toHaveLength(9);
    quietly("left-out/ignore/a.tmp", (place) => flipByte(place, 3));
    expect(await found("odd", asKopiaRestores)).toEqual(["content left-out/ignore/a.tmp"]);
  });

  it("ignores what others write, and the times of the folders in which they do", async () => {
    await plant(dir, "small", seed);
    writeFileSync(at("app.db"), "");
    writeFileSync(at("folder-2/log.txt"), "");
    copyFileSync(at(first), at("folder-3/unexpected"));
    const kept = await found("small", { ignore: ["app.db*", "folder-2/log.txt"] });
    expect(kept).toEqual(
      ["foreign folder-3/unexpected", "mtime folder-3"].sort((one, other) =>
        one.split(" ")[1]! < other.split(" ")[1]! ? -1 : 1,
      ),
    );
  });
});
