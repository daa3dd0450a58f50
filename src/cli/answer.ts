/** Prints a command's answer in the form that -o asks for. */
import type { Output } from "../context.ts";
import type { OutputFormat } from "./flags.ts";
import { formatTable } from "./table.ts";

/** One answer in every form it may take. */
export interface Answer {
  /** The whole, as plain data, for json and yaml. */
  readonly data: unknown;
  readonly heads: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly wideHeads?: readonly string[];
  /** Cells that `wide` adds to each row. */
  readonly wideRows?: readonly (readonly string[])[];
  readonly names: readonly string[];
  /** Printed below a table. */
  readonly footer?: string;
  /** Printed instead of a table without rows. */
  readonly empty: string;
}

export const printAnswer = async (output: Output, format: OutputFormat, answer: Answer): Promise<void> => {
  switch (format) {
    case "json":
      output.write(`${JSON.stringify(answer.data, undefined, 2)}\n`);
      return;
    case "yaml": {
      const { stringify } = await import("yaml");
      output.write(stringify(answer.data));
      return;
    }
    case "name":
      output.write(answer.names.map((name) => `${name}\n`).join(""));
      return;
    case "table":
    case "wide":
      output.write(tableText(format, answer));
  }
};

const tableText = (format: "table" | "wide", answer: Answer): string => {
  if (answer.rows.length === 0) return `${answer.empty}\n`;
  const wide = format === "wide";
  const heads = wide ? [...answer.heads, ...(answer.wideHeads ?? [])] : answer.heads;
  const rows = wide ? answer.rows.map((row, index) => [...row, ...(answer.wideRows?.[index] ?? [])]) : answer.rows;
  return `${formatTable(heads, rows)}${answer.footer === undefined ? "" : `\n${answer.footer}\n`}`;
};
