/** The mover of choice: an agent reads Velero's repository itself and writes all volumes of the task. */
import type { AgentLine } from "../../agent/lines.ts";
import type { StoreReference } from "../../agent/job.ts";
import type { Agents } from "../../systems/agent/port.ts";
import { type DataMover, mountsOf, replaceJob, type ReplaceTask } from "./replacement.ts";

export class KopiaMover implements DataMover {
  readonly #agents: Agents;
  readonly #store: StoreReference;

  constructor(agents: Agents, store: StoreReference) {
    this.#agents = agents;
    this.#store = store;
  }

  replace(task: ReplaceTask, onLine: (line: AgentLine) => void, signal: AbortSignal): Promise<void> {
    const { operation, items } = task;
    const job = replaceJob(task, this.#store, "whole");
    return this.#agents.run({ operation, job, mounts: mountsOf(items) }, onLine, signal);
  }

  /** It starts nothing but agents. */
  async clear(): Promise<void> {}
}
