import { describe, expect, it } from "vitest";
import { isInstalled } from "./packages.mjs";
import { missingParts, needsLab, type System } from "./requirements.mjs";

const complete: System = {
  entry: "lab/main.ts",
  node: "20.19.0",
  platform: "linux",
  uid: 0,
  has: () => true,
  go: "go1.21.0",
  folders: ["/home/me/holdfast", "/home/me/.cache"],
};
const first = (lines: string[]): string[] => lines.map((line) => line.split(":")[0] ?? "");

describe("the list of what is missing", () => {
  it("is empty on a complete system", () => {
    expect(missingParts(complete)).toEqual([]);
    expect(missingParts({ ...complete, node: "24.1.0", go: undefined })).toEqual([]);
  });

  it("names everything at once", () => {
    const bare = { ...complete, node: "18.20.4", uid: 1000, has: () => false };
    expect(first(missingParts(bare))).toEqual([
      "Node.js 20.19 or newer (this is 18.20.4)",
      "npm",
      "apt-get",
      "root",
      "git",
      "Go 1.21 or newer",
    ]);
  });

  it("asks neither for root nor for Go where no lab is needed", () => {
    const laptop = { ...complete, platform: "darwin", uid: 501, has: (name: string) => name === "npm" };
    expect(missingParts({ ...laptop, entry: "src/main.ts" })).toEqual([]);
    expect(missingParts({ ...laptop, entry: "test/check.ts" })).toEqual([]);
    expect(first(missingParts({ ...laptop, entry: "demo/main.ts" }))).toEqual(["Linux"]);
  });

  it("refuses a Go that cannot fetch a newer toolchain, and a Node just below the oldest", () => {
    expect(first(missingParts({ ...complete, go: "go1.19.8" }))).toEqual(["Go 1.21 or newer (this is go1.19.8)"]);
    expect(first(missingParts({ ...complete, node: "20.18.3" }))).toEqual(["Node.js 20.19 or newer (this is 20.18.3)"]);
  });

  it("refuses a checkout or a cache where the lab's machines cannot see it, when they are needed", () => {
    const folders = ["/tmp/holdfast", "/mnt", "/tmpfiles"];
    expect(first(missingParts({ ...complete, folders }))).toEqual([
      "another place than /tmp/holdfast",
      "another place than /mnt",
    ]);
    expect(missingParts({ ...complete, folders, entry: "src/main.ts" })).toEqual([]);
  });

  it("knows which entries need the lab", () => {
    expect(["lab/main.ts", "test/everything.ts", "bench/main.ts"].every(needsLab)).toBe(true);
    expect(["src/main.ts", "node_modules/vitest/vitest.mjs", "test/check.ts"].some(needsLab)).toBe(false);
  });
});

describe("installed packages", () => {
  const lock = JSON.stringify({
    packages: {
      "": { name: "holdfast" },
      "node_modules/a": { version: "1.0.0", integrity: "x" },
      "node_modules/for-mac": { version: "1.0.0", integrity: "y", optional: true },
    },
  });
  const installed = (packages: Record<string, { version: string; integrity: string; optional?: boolean }>): string =>
    JSON.stringify({ packages });

  it("fit a lock file when only optional ones are missing or too many", () => {
    const other = { version: "2.0.0", integrity: "z", optional: true };
    expect(
      isInstalled(
        lock,
        installed({ "node_modules/a": { version: "1.0.0", integrity: "x" }, "node_modules/other": other }),
      ),
    ).toBe(true);
    expect(isInstalled(lock, installed({ "node_modules/a": { version: "1.0.0", integrity: "x" } }))).toBe(true);
  });

  it("do not fit when one is missing, other, or too many", () => {
    const a = { version: "1.0.0", integrity: "x" };
    expect(isInstalled(lock, undefined)).toBe(false);
    expect(isInstalled(lock, installed({}))).toBe(false);
    expect(isInstalled(lock, installed({ "node_modules/a": { ...a, version: "1.0.1" } }))).toBe(false);
    expect(isInstalled(lock, installed({ "node_modules/a": a, "node_modules/b": a }))).toBe(false);
  });
});
