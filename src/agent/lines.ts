/** What an agent says: one JSON object a line on its standard output, read by `systems/agent/pod.ts`. */
import type { CopyEvidence } from "../model/copy.ts";
import { catalogue, type FailureCode } from "../model/failure-catalogue.ts";

/** What was done to one volume. */
export interface ReplacedVolume {
  readonly volume: string;
  readonly files: number;
  readonly directories: number;
  readonly symlinks: number;
  readonly bytes: number;
  /** SQLite files that were opened and checked. */
  readonly databases: number;
  /** What the copy could not bring back, in words. */
  readonly notKept: readonly string[];
}

export type AgentLine =
  | { readonly type: "step"; readonly title: string }
  /** From here the volumes are being changed … */
  | { readonly type: "touching" }
  /** … and here everything is as it was before. */
  | { readonly type: "as-before" }
  | { readonly type: "progress"; readonly volume: string; readonly files: number; readonly bytes: number }
  | { readonly type: "checked"; readonly volume: string; readonly evidence: Omit<CopyEvidence, "time"> }
  | { readonly type: "replaced"; readonly result: ReplacedVolume }
  | { readonly type: "result" }
  | {
      readonly type: "failure";
      readonly code: FailureCode;
      readonly what: string;
      readonly why?: string;
      readonly todo?: string;
    };

const types: ReadonlySet<string> = new Set([
  "step",
  "touching",
  "as-before",
  "progress",
  "checked",
  "replaced",
  "result",
  "failure",
]);

/** The line as an object; undefined when some other program has written it. */
export const parseLine = (text: string): AgentLine | undefined => {
  if (!text.startsWith("{")) return undefined;
  try {
    const line = JSON.parse(text) as { readonly type?: string; readonly code?: string };
    if (!types.has(line.type ?? "")) return undefined;
    if (line.type === "failure" && !Object.hasOwn(catalogue, line.code ?? "")) return undefined;
    return line as AgentLine;
  } catch {
    // Not JSON: a stray line of a child process.
    return undefined;
  }
};
