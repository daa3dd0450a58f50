import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { nasExportsConformance } from "./conformance.ts";
import { exportsFile, openFileExports, readFileExports } from "./file-exports.ts";

const dirs: string[] = [];
const newDir = (): string => {
  const dir = mkdtempSync(join(tmpdir(), "hf-exports-"));
  dirs.push(dir);
  return dir;
};
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true });
});

nasExportsConformance("in a file", async () => openFileExports(join(newDir(), "nas")));

it("shows another process what was written, and leaves nothing but the registry in the folder", async () => {
  const dir = newDir();
  const made = await openFileExports(dir).create("nfs", { path: "/mnt/a", comment: "", enabled: true });
  expect(await readFileExports(dir).query("nfs")).toEqual([made]);
  expect(readdirSync(dir)).toEqual(["exports.json"]);
});

it("goes on after a change that was refused", async () => {
  const exports = openFileExports(newDir());
  const fields = { path: "/mnt/a", comment: "", enabled: true };
  const outcomes = await Promise.allSettled([
    exports.create("nfs", fields),
    exports.create("nfs", fields),
    exports.create("nfs", { ...fields, path: "/mnt/b" }),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
});

it("names a registry that it cannot read, and does not take it for an empty one", async () => {
  const dir = newDir();
  writeFileSync(exportsFile(dir), "{");
  await expect(openFileExports(dir).query("nfs")).rejects.toThrow(exportsFile(dir));
  await expect(openFileExports(dir).remove("nfs", 1)).rejects.toThrow(exportsFile(dir));
});
