/** Borderless tables as kubectl prints them: upper-case heads, three spaces between columns. */
import { singleLine } from "./single-line.ts";

/** Rows of cells below heads; the last column is not padded. Cells are single lines. */
export const formatTable = (heads: readonly string[], rows: readonly (readonly string[])[]): string => {
  const all = [heads, ...rows].map((row) => row.map(singleLine));
  const widths = heads.map((_, column) => Math.max(...all.map((row) => width(row[column] ?? ""))));
  return all
    .map(
      (row) =>
        `${row
          .map((cell, column) => pad(cell, column === heads.length - 1 ? 0 : (widths[column] ?? 0)))
          .join("   ")
          .trimEnd()}\n`,
    )
    .join("");
};

/** Code points: what Kubernetes names are made of takes one column each. */
const width = (text: string): number => Array.from(text).length;
const pad = (text: string, wanted: number): string => text + " ".repeat(Math.max(0, wanted - width(text)));
