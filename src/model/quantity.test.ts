import { describe, expect, it } from "vitest";
import { parseQuantity } from "./quantity.ts";

describe("a Kubernetes quantity", () => {
  it.each([
    ["0", 0],
    ["1024", 1024],
    ["5Gi", 5 * 2 ** 30],
    ["1.5Gi", 1.5 * 2 ** 30],
    ["2G", 2e9],
    ["1e3", 1000],
    ["500m", 0.5],
    ["1Ki", 1024],
  ])("%s is %d bytes", (text, bytes) => {
    expect(parseQuantity(text)).toBe(bytes);
  });

  it.each(["", "Gi", "5 Gi", "5KB", "-1", "Ki5", "5ki", "1e999", "9e308Ki"])("%j is none", (text) => {
    expect(parseQuantity(text)).toBeUndefined();
  });
});
