import { expect, it } from "vitest";
import { holdDocument } from "../../../test/document.ts";
import { standInDocument } from "./document.ts";
import { methods } from "./methods.ts";
import { releases } from "./release.ts";

it("docs/nas/stand-in.md says what the table of methods says", async () => {
  await expect(holdDocument("docs/nas/stand-in.md", standInDocument(), "truenas/document")).resolves.toBeUndefined();
});

it("means one method by a name in a release", () => {
  const meant = methods.flatMap(({ name, releases: own }) => own.map((release) => `${release} ${name}`));
  expect(new Set(meant).size).toBe(meant.length);
});

it.each(releases)("%s has snapshots under the names that it has in truth", (release) => {
  const has = (name: string): boolean => methods.some((one) => one.name === name && one.releases.includes(release));
  const old = has("zfs.snapshot.query");
  const current = has("pool.snapshot.query");
  const wanted = {
    "24.10": [true, false],
    "25.04": [true, false],
    "25.10": [true, true],
    "26.0": [false, true],
  } as const;
  expect([old, current]).toEqual(wanted[release]);
  expect(has("pool.dataset.rename")).toBe(release === "25.10" || release === "26.0");
  expect(has("zfs.resource.snapshot.hold")).toBe(release === "26.0");
});
