import { describe, expect, it } from "vitest";
import { parseProgress } from "./progress.ts";

describe("parseProgress", () => {
  it.each([
    ["Processed 1201 (3.4 MB) of 5012 (60 MB) 1.2 MB/s (5%) remaining 1m.", { files: 1201, bytes: 3_400_000 }],
    ["Processed 0 (0 B) of 0 (0 B).", { files: 0, bytes: 0 }],
    ["Processed 7 (512 B) of 9", { files: 7, bytes: 512 }],
    ["Processed 7 (1.5 KB) of 9", { files: 7, bytes: 1500 }],
    ["Processed 7 (2 GB) of 9\rProcessed 8 (3.1 TB) of 9", { files: 8, bytes: 3_100_000_000_000 }],
  ])("reads %j", (text, progress) => {
    expect(parseProgress(text)).toEqual(progress);
  });

  it.each([
    "",
    "Restoring to local filesystem (/volumes/a) with parallelism=8...",
    "Processed many",
    "Processed 7 (1 XB) of 9",
  ])("takes nothing from %j", (text) => {
    expect(parseProgress(text)).toBeUndefined();
  });
});
