/**
 * Agents: short-lived pods of ours that work next to the data. One run is one pod; it reaches volumes through holder
 * pods that mount the claims in their own namespaces and hold no secret.
 *
 * Contract: `run` returns when the pod's program has ended and everything it needed (pods, secret) is removed again,
 * also after a failure or an abort; failures of the program come back as the Failure that it reported; AGENT_FAILED
 * when it ended without a word; TARGET_UNUSABLE when a claim cannot be mounted. On abort the program gets the chance
 * to undo what it began, and `run` waits for that.
 */
import type { AgentJob } from "../../agent/job.ts";
import type { AgentLine } from "../../agent/lines.ts";

/** A claim that the job finds mounted under /volumes/<key>. */
export interface AgentMount {
  readonly key: string;
  readonly namespace: string;
  readonly claim: string;
}

export interface AgentTask {
  /** Id of the operation or point that the run belongs to; part of the names of its pods. */
  readonly operation: string;
  readonly job: AgentJob;
  readonly mounts: readonly AgentMount[];
}

export interface Agents {
  /** Runs a job to its end; `onLine` sees what the program says as it says it. */
  run(task: AgentTask, onLine: (line: AgentLine) => void, signal: AbortSignal): Promise<void>;
}
