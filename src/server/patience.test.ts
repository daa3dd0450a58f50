import { expect, it } from "vitest";
import { Patience } from "./patience.ts";

it("waits twice as long each time, five minutes at the most, and begins anew after ten", () => {
  const patience = new Patience();
  expect(patience.isDue("a", 0)).toBe(true);
  const waits: number[] = [];
  let now = 0;
  for (let tried = 0; tried < 11; tried += 1) {
    patience.trying("a", now);
    waits.push(patience.wait(["a"], now) ?? -1);
    now += waits.at(-1) ?? 0;
    expect(patience.isDue("a", now - 1)).toBe(false);
    expect(patience.isDue("a", now)).toBe(true);
  }
  expect(waits.map((wait) => wait / 1000)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
  patience.trying("a", now + 600_001);
  expect(patience.wait(["a"], now + 600_001)).toBe(1000);
  expect(patience.isDue("b", now)).toBe(true);
});
