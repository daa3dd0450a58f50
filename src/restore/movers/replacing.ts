/** What both movers share: the agent's part of a replacement, and knowing whether something must be put back. */
import type { AgentLine } from "../../agent/lines.ts";
import type { ReplaceJob, StoreReference } from "../../agent/job.ts";
import type { AgentMount, Agents } from "../../systems/agent/port.ts";
import { volumeName } from "../../model/volume.ts";
import type { RestorePlan } from "../plan.ts";

/** The plan's volumes as an agent finds them. */
export const mountsOf = (plan: RestorePlan): readonly AgentMount[] =>
  plan.items.map(({ key, target }) => ({ key, namespace: target.namespace, claim: target.claim }));

/** Where the files of a plan stand when nobody works on them any more. */
export type Standing = "as-before" | "restored";

export class Replacing {
  readonly #agents: Agents;
  /** True from the moment when files are touched until all of them are verified or as before. */
  #touched = false;
  #decided = false;

  constructor(agents: Agents) {
    this.#agents = agents;
  }

  /** True when the new files stay, whatever happens: nothing may write, or put back, any more. */
  get decided(): boolean {
    return this.#decided;
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
      if (line.type === "decided") this.#decided = true;
      onLine(line);
    };
  }

  finished(): void {
    this.#touched = false;
  }

  /** What is decided is never put back: the agent finishes it in the volumes that lack it. */
  async putBack(plan: RestorePlan, signal: AbortSignal): Promise<Standing> {
    if (this.#touched) {
      const targets = plan.items.map(({ key, target }) => ({ key, volume: volumeName(target) }));
      await this.#agents.run(
        {
          operation: plan.operation,
          job: { kind: "put-back", operation: plan.operation, targets },
          mounts: mountsOf(plan),
        },
        this.watch(() => undefined),
        signal,
      );
      this.#touched = false;
    }
    return this.#decided ? "restored" : "as-before";
  }
}
