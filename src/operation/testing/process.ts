/** Processes of Holdfast over one world of twins, each with its own life. */
import { MemoryKubernetes } from "../../systems/kubernetes/memory.ts";
import { jumpingClock } from "../../systems/kubernetes/testing/world.ts";
import { MemoryJournal } from "../../systems/journal/memory.ts";
import type { StepKinds } from "../step-kind.ts";
import { fenced } from "../../systems/kubernetes/fenced.ts";
import type { Kubernetes } from "../../systems/kubernetes/port.ts";
import { Operations } from "../operations.ts";
import type { OperationEvent } from "../run.ts";
import { Life } from "./mortal.ts";

const day = 86_400_000;

/** What processes of a test share: a cluster, a clock, and where journals are written. */
export class OperationWorld {
  readonly clock: ReturnType<typeof jumpingClock>;
  readonly kubernetes: MemoryKubernetes;
  readonly journal = new MemoryJournal();
  #ids = 0;

  constructor(clock = jumpingClock(), kubernetes?: MemoryKubernetes) {
    this.clock = clock;
    this.kubernetes = kubernetes ?? new MemoryKubernetes({ clock, randomId: this.randomId });
  }

  readonly randomId = (length: number): string => {
    this.#ids += 1;
    return this.#ids.toString(36).padStart(length, "0").slice(-length);
  };

  /** A process: its operations, as its ports lead to this world until it dies. */
  process(
    kinds: (kubernetes: Kubernetes, life: Life) => StepKinds,
    life = new Life(),
    signal = new AbortController().signal,
  ): { readonly operations: Operations; readonly events: OperationEvent[] } {
    const events: OperationEvent[] = [];
    const kubernetes: Kubernetes = life.port(this.kubernetes);
    const operations = new Operations({
      journal: life.port(this.journal),
      kubernetes,
      clock: life.clock(this.clock),
      randomId: this.randomId,
      namespace: "default",
      who: "a test",
      undoFor: 7 * day,
      rememberFor: 90 * day,
      kinds: (demand) => kinds(fenced(kubernetes, demand), life),
      onEvent: (event) => events.push(event),
      signal,
    });
    return { operations, events };
  }
}
