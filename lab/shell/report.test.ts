import { describe, expect, it, vi } from "vitest";
import { createReport, duration } from "./report.ts";

const recorder = (isTTY: boolean) => {
  const written: string[] = [];
  let time = 0;
  return {
    written,
    tick: (milliseconds: number) => void (time += milliseconds),
    report: createReport({ output: { isTTY, columns: 60, write: (text) => written.push(text) }, now: () => time }),
  };
};

describe("a report", () => {
  it("writes one line for a quick step, with its duration and last note", async () => {
    const { report, written, tick } = recorder(false);
    const result = await report.step("etcd v3.6.16", async (note) => {
      note("half");
      tick(1500);
      note("from the cache");
      return 7;
    });
    expect(result).toBe(7);
    expect(written).toEqual(["✓ etcd v3.6.16 · from the cache  1.5 s\n"]);
  });

  it("announces a step that takes longer than two seconds", async () => {
    vi.useFakeTimers();
    const { report, written, tick } = recorder(false);
    await report.step("slow", async () => {
      await vi.advanceTimersByTimeAsync(2500);
      tick(2500);
    });
    vi.useRealTimers();
    expect(written).toEqual(["… slow\n", "✓ slow  2.5 s\n"]);
  });

  it("indents steps inside steps and marks the failed ones", async () => {
    const { report, written } = recorder(false);
    const outer = report.step("outer", () => report.step("inner", () => Promise.reject(new Error("no"))));
    await expect(outer).rejects.toThrow("no");
    expect(written).toEqual(["  ✗ inner  0.0 s\n", "✗ outer  0.0 s\n"]);
  });

  it("redraws running steps in place on a terminal and keeps finished ones above them", async () => {
    const { report, written } = recorder(true);
    await report.step("outer", () => report.step("inner", () => Promise.resolve()));
    expect(written).toEqual([
      "… outer  0.0 s\n",
      "\u001B[1A\r\u001B[J… outer  0.0 s\n  … inner  0.0 s\n",
      "\u001B[2A\r\u001B[J  ✓ inner  0.0 s\n… outer  0.0 s\n",
      "\u001B[1A\r\u001B[J✓ outer  0.0 s\n",
    ]);
  });

  it("gives durations as a person would", () => {
    expect([400, 12_300, 119_900, 185_000].map(duration)).toEqual(["0.4 s", "12 s", "2 min 0 s", "3 min 5 s"]);
  });
});
