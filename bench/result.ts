/** What a measurement gives, how it is shown, and where it is kept. */
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { checkout } from "../lab/lab.ts";

export interface Result {
  readonly name: string;
  readonly ours: number;
  readonly theirs: number | null;
  /** ours ÷ theirs: below 1 is better. */
  readonly ratio: number | null;
  readonly unit: string;
  readonly runs: number;
  readonly [more: string]: unknown;
}

/** The middle of the runs; of an even number the mean of the two in the middle. */
export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const [low = Number.NaN, high = Number.NaN] = [sorted[Math.floor(middle)], sorted[Math.ceil(middle)]];
  return (low + high) / 2;
};

export const round = (value: number): number => Math.round(value * 100) / 100;

const line = (label: string, values: readonly number[]): string =>
  `  ${label.padEnd(52)}${median(values).toFixed(1).padStart(8)} s   (${values.map((value) => value.toFixed(1)).join(", ")})\n`;

/** Rows of a label and the seconds of each run. */
export const table = (rows: Readonly<Record<string, readonly number[]>>): string =>
  Object.entries(rows)
    .map(([label, values]) => line(label, values))
    .join("");

/** Prints the result as the last line of standard output and keeps it, with the machine that it comes from. */
export const publish = (result: Result): void => {
  const dir = join(checkout, "bench", "results");
  mkdirSync(dir, { recursive: true });
  const machine = { cores: cpus().length, memoryGiB: Math.round(totalmem() / 2 ** 30), node: process.version };
  writeFileSync(
    join(dir, `${result.name}.json`),
    `${JSON.stringify({ date: new Date().toISOString().slice(0, 10), machine, ...result }, undefined, 2)}\n`,
  );
  process.stdout.write(`${JSON.stringify(result)}\n`);
};
