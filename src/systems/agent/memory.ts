/** Agents' twin in memory: a test scripts what the program in the pod would do and say. */
import type { AgentLine } from "../../agent/lines.ts";
import type { Agents, AgentTask } from "./port.ts";

/** One run of the program: it says lines, heeds the signal, and throws the failure that it ends with. */
export type AgentScript = (
  task: AgentTask,
  say: (line: AgentLine) => void,
  signal: AbortSignal,
) => void | Promise<void>;

export class MemoryAgents implements Agents {
  /** All runs so far, in their order. */
  readonly tasks: AgentTask[] = [];
  #script: AgentScript;

  constructor(script: AgentScript = () => undefined) {
    this.#script = script;
  }

  /** What the runs from now on do. */
  play(script: AgentScript): void {
    this.#script = script;
  }

  async run(task: AgentTask, onLine: (line: AgentLine) => void, signal: AbortSignal): Promise<void> {
    this.tasks.push(task);
    signal.throwIfAborted();
    await this.#script(task, onLine, signal);
  }
}
