/** Flags that several commands share, so that they read and work alike everywhere. */
import { Failure } from "../model/failure.ts";
import { parseDuration } from "../model/units.ts";

/** A value that is taken as it is written. */
export const text = (input: string): string => input;

/** Milliseconds of "10m". */
export const durationFlag = (input: string): number => {
  const value = parseDuration(input);
  if (value === undefined)
    throw new Failure("USAGE", { what: `"${input}" is not a duration.`, todo: 'Write it like "90s", "10m" or "2h".' });
  return value;
};

/** Which cluster and which holdfast.yaml. */
export const worldFlags = {
  config: { kind: "parsed", parse: text, brief: "holdfast.yaml to use", optional: true, placeholder: "FILE" },
  kubeconfig: { kind: "parsed", parse: text, brief: "kubeconfig to use", optional: true, placeholder: "FILE" },
  context: { kind: "parsed", parse: text, brief: "context of the kubeconfig", optional: true, placeholder: "NAME" },
} as const;

export interface WorldFlags {
  readonly config?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
}

export const outputFormats = ["table", "wide", "json", "yaml", "name"] as const;
export type OutputFormat = (typeof outputFormats)[number];

export const outputFlag = {
  output: { kind: "enum", values: outputFormats, brief: "form of the answer", default: "table" },
} as const;

/** For commands that change something. */
export const changeFlags = {
  yes: { kind: "boolean", brief: "do not ask", default: false, withNegated: false },
  dryRun: { kind: "boolean", brief: "print the plan and change nothing", default: false, withNegated: false },
} as const;

export const progressFlags = {
  json: { kind: "boolean", brief: "progress as lines of JSON on standard output", default: false, withNegated: false },
  timeout: {
    kind: "parsed",
    parse: durationFlag,
    brief: "longest wait for each thing that is waited for",
    default: "10m",
    placeholder: "DURATION",
  },
} as const;
