import { describe, expect, it } from "vitest";
import { missingPackages } from "./packages.ts";

describe("missing packages", () => {
  it("are those that dpkg does not call installed", () => {
    const answer = "runc installed\nzfs-fuse config-files\nsqlite3 half-installed\n";
    expect(missingPackages(["runc", "zfs-fuse", "sqlite3", "conntrack"], answer)).toEqual([
      "zfs-fuse",
      "sqlite3",
      "conntrack",
    ]);
  });

  it("are all when dpkg knows none", () => {
    expect(missingPackages(["runc"], "")).toEqual(["runc"]);
  });
});
