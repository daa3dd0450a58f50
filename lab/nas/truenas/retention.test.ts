import { expect, it } from "vitest";
import { fitsSchema } from "./retention.ts";

it.each([
  ["auto-%Y-%m-%d_%H-%M", "auto-2026-11-25_15-30", true],
  ["auto-%Y-%m-%d_%H-%M", "auto-2026-11-25", false],
  ["auto-%Y-%m-%d_%H-%M", "hf_20261125T153000Z_ab12", false],
  ["a.%s", "a.1795622019", true],
  ["a.%s", "ab1795622019", false],
])("%s makes the name %s: %s", (schema, name, fits) => {
  expect(fitsSchema(schema, name)).toBe(fits);
});
