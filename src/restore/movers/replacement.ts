/** What both movers share: what is to be replaced, and the agent's part of it. */
import type { AgentLine } from "../../agent/lines.ts";
import type { MountedVolume, ReplaceJob, StoreReference, TargetVolume } from "../../agent/job.ts";
import type { AgentMount } from "../../systems/agent/port.ts";

/** Who writes the files. */
export type Mover = "kopia" | "node-agent";

/** A volume and the copy that goes into it. */
export interface ReplaceItem {
  /** Unique within the task; names directories and pods. */
  readonly key: string;
  readonly namespace: string;
  readonly claim: string;
  /** The kopia repository: the namespace that the copied volume was in. */
  readonly repository: string;
  readonly snapshotId: string;
}

export interface ReplaceTask {
  readonly operation: string;
  readonly items: readonly ReplaceItem[];
}

/** Writes copies into volumes. One way: a mover is a name for who does the writing. */
export interface DataMover {
  /**
   * Leaves every volume either replaced and verified, with what was there kept in it under the operation's id, or, when it throws, as far as it came: the agent puts back what it
   * can itself and says so ("as-before"). May be called again for the same operation.
   */
  replace(task: ReplaceTask, onLine: (line: AgentLine) => void, signal: AbortSignal): Promise<void>;
  /**
   * Stops what an earlier process has started for this operation beside agents, and tidies it away. Throws LOCKED while
   * it may still be writing.
   */
  clear(operation: string): Promise<void>;
}

type Named = Pick<ReplaceItem, "key" | "namespace" | "claim">;

/** The volumes as an agent finds them. */
export const mountsOf = (items: readonly Named[]): readonly AgentMount[] =>
  items.map(({ key, namespace, claim }) => ({ key, namespace, claim }));

/** The volumes as an agent's job names them. */
export const mountedOf = (items: readonly Named[]): readonly MountedVolume[] =>
  items.map(({ key, namespace, claim }) => ({ key, volume: `${namespace}/${claim}` }));

/** The same with their copies. */
export const targetsOf = (items: readonly ReplaceItem[]): readonly TargetVolume[] =>
  items.map(({ key, namespace, claim, repository, snapshotId }) => ({
    key,
    volume: `${namespace}/${claim}`,
    repository,
    snapshotId,
  }));

/** The agent's job for a part of a replacement. */
export const replaceJob = (task: ReplaceTask, store: StoreReference, part: ReplaceJob["part"]): ReplaceJob => ({
  kind: "replace",
  part,
  store,
  operation: task.operation,
  targets: targetsOf(task.items),
});
