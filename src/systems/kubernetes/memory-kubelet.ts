import type { Clock } from "../../context.ts";
import type { MemoryKubernetes } from "./memory.ts";
import type { KubeObject } from "./port.ts";
import { resources } from "./resources.ts";

/** What becomes of a pod once it has had its time: Ready, stuck, or ended. */
export type PodOutcome = "ready" | "pending" | "succeeded" | "failed";

export interface KubeletOptions {
  readonly clock: Clock;
  /** Milliseconds from a pod's creation to its outcome. */
  readonly readyAfter?: number;
  /** Milliseconds that a pod takes to end after its removal. */
  readonly endAfter?: number;
  /** "ready", when absent. */
  readonly outcome?: (pod: KubeObject) => PodOutcome;
  readonly nodeName?: string;
}

/** A pod, as far as its life is concerned. */
export interface Pod extends KubeObject {
  readonly spec?: {
    readonly nodeName?: string;
    readonly containers?: readonly { readonly name: string }[];
    readonly volumes?: readonly { readonly persistentVolumeClaim?: { readonly claimName: string } }[];
  };
  readonly status?: { readonly phase?: string; readonly conditions?: readonly { type: string; status: string }[] };
}

/** True when a pod's Ready condition holds. */
export const isReady = (pod: Pod): boolean =>
  pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;

/** True when a pod has run to its end and will not run again. */
export const hasEnded = (pod: Pod): boolean => pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";

/** Runs work one by one. */
export type Enqueue = (work: () => Promise<void>) => void;

/** Twin of scheduler and kubelet: gives pods a node, starts them, and lets them end in their own time. */
export class MemoryKubelet {
  readonly #memory: MemoryKubernetes;
  readonly #options: KubeletOptions;
  readonly #enqueue: Enqueue;
  readonly #stop = new AbortController();
  readonly #unsubscribe: () => void;

  constructor(memory: MemoryKubernetes, options: KubeletOptions, enqueue: Enqueue) {
    this.#memory = memory.as("system:node");
    this.#options = options;
    this.#enqueue = enqueue;
    memory.endPodsGracefully();
    this.#unsubscribe = memory.onChange(resources.pods, ({ type, object }) => {
      if (type === "ADDED") this.#later(options.readyAfter, () => this.#start(object));
      else if (type === "MODIFIED" && object.metadata.deletionTimestamp !== undefined) {
        this.#later(options.endAfter, () => this.#end(object));
      }
    });
  }

  stop(): void {
    this.#unsubscribe();
    this.#stop.abort();
  }

  async #start(added: Pod): Promise<void> {
    const pod = await this.#sameAs(added);
    const outcome = this.#options.outcome?.(added) ?? "ready";
    if (pod === undefined || hasEnded(pod) || outcome === "pending") return;
    if (pod.spec?.nodeName === undefined) {
      const spec = { nodeName: this.#options.nodeName ?? "node-1" };
      await this.#memory.mergePatch(resources.pods, pod.metadata, { spec });
    }
    const status = statusOf(pod, outcome);
    await this.#memory.mergePatch(resources.pods, pod.metadata, { status }, { subresource: "status" });
  }

  async #end(removed: Pod): Promise<void> {
    const pod = await this.#sameAs(removed);
    if (pod?.metadata.uid === undefined) return;
    await this.#memory.remove(resources.pods, pod.metadata, { uid: pod.metadata.uid, gracePeriodSeconds: 0 });
  }

  /** The pod as it is now, unless another one has its name. */
  async #sameAs(pod: Pod): Promise<Pod | undefined> {
    const current = await this.#memory.get<Pod>(resources.pods, pod.metadata);
    return current?.metadata.uid === pod.metadata.uid ? current : undefined;
  }

  /** Does something after a while; a clock that nobody moves is not asked for nothing. */
  #later(milliseconds: number | undefined, work: () => Promise<void>): void {
    if (milliseconds === undefined || milliseconds <= 0) return this.#enqueue(work);
    this.#options.clock.sleep(milliseconds, this.#stop.signal).then(
      () => this.#enqueue(work),
      () => undefined, // stopped
    );
  }
}

const statusOf = (pod: Pod, outcome: Exclude<PodOutcome, "pending">): object => {
  const phase = { ready: "Running", succeeded: "Succeeded", failed: "Failed" }[outcome];
  const ready = outcome === "ready";
  const state = {
    ready: { running: {} },
    succeeded: { terminated: { exitCode: 0, reason: "Completed" } },
    failed: { terminated: { exitCode: 1, reason: "Error" } },
  }[outcome];
  return {
    phase,
    conditions: [{ type: "Ready", status: ready ? "True" : "False" }],
    containerStatuses: (pod.spec?.containers ?? []).map(({ name }) => ({ name, ready, restartCount: 0, state })),
  };
};
