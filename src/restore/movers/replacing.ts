/** What both movers share: the agent's part of a replacement, and knowing whether something must be put back. */
import type { AgentLine } from "../../agent/lines.ts";
import type { ReplaceJob, StoreReference } from "../../agent/job.ts";
import type { AgentMount, Agents } from "../../systems/agent/port.ts";
import { volumeName } from "../../model/volume.ts";
import type { RestorePlan } from "../plan.ts";

/** The plan's volumes as an agent finds them. */
export const mountsOf = (plan: RestorePlan): readonly AgentMount[] =>
  plan.items.map(({ key, target }) => ({ key, namespace: target.namespace, claim: target.claim }));

export class Replacing {
  readonly #agents: Agents;
  /** True from the moment when files are touched until they are verified or as before. */
  #touched = false;

  constructor(agents: Agents) {
    this.#agents = agents;
  }

  job(plan: RestorePlan, store: StoreReference, part: ReplaceJob["part"]): ReplaceJob {
    const targets = plan.items.map(({ key, target, chosen }) => ({
      key,
      volume: volumeName(target),
      repository: chosen.copy.repository,
      // A copy without a snapshot is never chosen (scope.ts); an empty id is refused by the agent as COPY_MISSING.
      snapshotId: chosen.copy.snapshotId ?? "",
    }));
    return { kind: "replace", part, store, operation: plan.operation, keep: true, targets };
  }

  /** Passes lines on and learns from them where the files stand. */
  watch(onLine: (line: AgentLine) => void): (line: AgentLine) => void {
    return (line) => {
      if (line.type === "touching") this.#touched = true;
      if (line.type === "as-before") this.#touched = false;
      onLine(line);
    };
  }

  finished(): void {
    this.#touched = false;
  }

  async putBack(plan: RestorePlan, signal: AbortSignal): Promise<void> {
    if (!this.#touched) return;
    const targets = plan.items.map(({ key, target }) => ({ key, volume: volumeName(target) }));
    await this.#agents.run(
      { operation: plan.operation, job: { kind: "put-back", targets }, mounts: mountsOf(plan) },
      () => undefined,
      signal,
    );
    this.#touched = false;
  }
}
