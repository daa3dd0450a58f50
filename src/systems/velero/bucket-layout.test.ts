import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as layout from "./bucket-layout.ts";

describe("Velero's prefix", () => {
  it.each([
    [undefined, ""],
    ["", ""],
    ["/", ""],
    ["velero", "velero/"],
    ["velero/", "velero/"],
    ["/a/b//", "a/b/"],
  ])("%j is used as %j", (written, used) => {
    expect(layout.normalPrefix(written)).toBe(used);
  });

  it("stays what it is when normalised again, and never begins with a slash", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a/ ]{0,8}$/), (written) => {
        const used = layout.normalPrefix(written);
        expect(layout.normalPrefix(used)).toBe(used);
        expect(used).toMatch(/^$|^[^/].*\/$/);
      }),
    );
  });
});

describe("Velero's keys", () => {
  // As listed in a bucket that Velero 1.18 wrote.
  it.each([
    [layout.backupKey, "velero/backups/b/velero-backup.json"],
    [layout.volumeInfoKey, "velero/backups/b/b-volumeinfo.json.gz"],
    [layout.podVolumeBackupsKey, "velero/backups/b/b-podvolumebackups.json.gz"],
    [layout.resultsKey, "velero/backups/b/b-results.gz"],
    [layout.resourceListKey, "velero/backups/b/b-resource-list.json.gz"],
    [layout.contentsKey, "velero/backups/b/b.tar.gz"],
    [layout.repositoryPrefix, "velero/kopia/b/"],
  ])("%o gives %s", (key, expected) => {
    expect(key("velero/", "b")).toBe(expected);
  });
});
