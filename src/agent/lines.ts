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

/** Room that a tree takes. */
export interface TreeSize {
  /** Files, directories, links and the rest, without the tree's root. */
  readonly entries: number;
  /** Bytes on the disk; what has several names counts once. */
  readonly bytes: number;
}

/** One directory of ours in a volume. */
export interface SeenDirectory extends TreeSize {
  readonly operation: string;
  /**
   * "kept" waits for undo or expiry. "fresh", "moving", "aside" and "returning" say that the operation stopped in the
   * middle; "discard" that a removal did.
   */
  readonly state: "fresh" | "moving" | "aside" | "returning" | "kept" | "discard";
}

/** What lies in a volume. */
export interface SeenVolume {
  readonly volume: string;
  /** Bytes of the volume's file system: all, and those that can still be written. */
  readonly totalBytes: number;
  readonly freeBytes: number;
  /** The app's own tree. */
  readonly present: TreeSize;
  readonly ours: readonly SeenDirectory[];
}

export type AgentLine =
  | { readonly type: "step"; readonly title: string }
  /** From here the volumes are being changed … */
  | { readonly type: "touching" }
  /** … here everything is as it was before … */
  | { readonly type: "as-before" }
  /** … or here the new files stay in every volume of the job, whatever happens from now on: nothing may be put back. */
  | { readonly type: "decided" }
  | { readonly type: "progress"; readonly volume: string; readonly files: number; readonly bytes: number }
  | { readonly type: "checked"; readonly volume: string; readonly evidence: Omit<CopyEvidence, "time"> }
  | { readonly type: "replaced"; readonly result: ReplacedVolume }
  /** What the operation keeps of a volume's earlier files takes `bytes` of the disk. */
  | { readonly type: "kept"; readonly volume: string; readonly bytes: number }
  | { readonly type: "seen"; readonly seen: SeenVolume }
  /** What an operation had kept in a volume is gone; `bytes` of the disk are free again. */
  | { readonly type: "discarded"; readonly volume: string; readonly operation: string; readonly bytes: number }
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
  "decided",
  "progress",
  "checked",
  "replaced",
  "kept",
  "seen",
  "discarded",
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
