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

export class OperationWorld {
  readonly clock = jumpingClock();
  #ids = 0;
  readonly randomId = (length: number): string => {
    this.#ids += 1;
    return this.#ids.toString(36).padStart(length, "0").slice(-length);
  };
  readonly kubernetes = new MemoryKubernetes({ clock: this.clock, randomId: this.randomId });
  readonly journal = new MemoryJournal();

  /** A process: its operations, as its ports lead to this world until it dies. */
  process(
    kinds: (kubernetes: Kubernetes, life: Life) => StepKinds,
    life = new Life(),
    signal = new AbortController().signal,
  ): { readonly operations: Operations; readonly events: OperationEvent[] } {
    const events: OperationEvent[] = [];
    const kubernetes = life.port(this.kubernetes as Kubernetes);
    const operations = new Operations({
      journal: life.port(this.journal),
      kubernetes,
      clock: life.clock(this.clock),
      randomId: this.randomId,
      namespace: "default",
      who: "a test",
      undoFor: 7 * 86_400_000,
      kinds: (demand) => kinds(fenced(kubernetes, demand), life),
      onEvent: (event) => events.push(event),
      signal,
      lockTimes: { duration: 30_000, renewEvery: 5000, margin: 10_000, lookEvery: 1000 },
    });
    return { operations, events };
  }
}
