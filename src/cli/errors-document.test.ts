import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { holdDocument } from "../../test/document.ts";
import { catalogue } from "../model/failure-catalogue.ts";
import { errorsDocument } from "./errors-document.ts";
import { exitStatuses } from "./exit-status-help.ts";

describe("docs/errors.md", () => {
  it("is what the catalogue says", async () => {
    await expect(holdDocument("docs/errors.md", errorsDocument(), "errors-document")).resolves.toBeUndefined();
  });

  it("has a heading for every code, and for no other", async () => {
    const text = await readFile(new URL("../../docs/errors.md", import.meta.url), "utf8");
    const headings = [...text.matchAll(/^## ([A-Z_]+)$/gm)].map(([, code]) => code);
    expect(headings).toEqual(Object.keys(catalogue));
  });
});

describe("the catalogue of failures", () => {
  it.each(Object.entries(catalogue))(
    "says in sentences what %s means and what to do, and its exit status is explained",
    (_, entry) => {
      expect(entry.meaning).toMatch(/^\S.*\.$/);
      expect(entry.todo).toMatch(/^\S.*[.?]$/);
      expect(exitStatuses[entry.exit]).toMatch(/\S/);
    },
  );
});
