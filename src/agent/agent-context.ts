/** What the agent's jobs may use of the world; `main.ts` makes one from the real process. */
import type { Clock } from "../context.ts";
import type { AgentLine } from "./lines.ts";

export interface AgentContext {
  readonly clock: Clock;
  /** Aborted on SIGTERM: the job puts back what it began and ends. */
  readonly signal: AbortSignal;
  say(line: AgentLine): void;
  /** Directories of the pod. */
  readonly places: {
    /** Where the job and its secret files lie. */
    readonly job: string;
    /** Each volume is a directory in here. */
    readonly volumes: string;
    /** Room that dies with the pod. */
    readonly scratch: string;
    readonly kopia: string;
  };
}
