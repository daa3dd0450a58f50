/** The mover of choice: an agent reads Velero's repository itself and writes all volumes of the task. */
import type { AgentLine } from "../../agent/lines.ts";
import type { StoreReference } from "../../agent/job.ts";
import type { Agents } from "../../systems/agent/port.ts";
import type { DataMover } from "../apply.ts";
import type { RestorePlan } from "../plan.ts";
import { mountsOf, Replacing, type Standing } from "./replacing.ts";

export class KopiaMover implements DataMover {
  readonly #agents: Agents;
  readonly #store: StoreReference;

  constructor(agents: Agents, store: StoreReference) {
    this.#agents = agents;
    this.#store = store;
  }

  async replace(plan: RestorePlan, onLine: (line: AgentLine) => void, signal: AbortSignal): Promise<void> {
    const task = {
      operation: plan.operation,
      job: this.#replacing.job(plan, this.#store, "whole"),
      mounts: mountsOf(plan),
    };
    await this.#agents.run(task, this.#replacing.watch(onLine), signal);
    this.#replacing.finished();
  }

  putBack(plan: RestorePlan, signal: AbortSignal): Promise<Standing> {
    return this.#replacing.putBack(plan, signal);
  }
}
