/** The objects of one kind as the cluster has them, kept up to date by one watch. */
import type { Clock } from "../context.ts";
import { isFailure } from "../model/failure.ts";
import { orAborted } from "../systems/kubernetes/aborting.ts";
import { apiErrorOf } from "../systems/kubernetes/api-error.ts";
import { backoffDelay, type Backoff, type Randomness } from "../systems/kubernetes/backoff.ts";
import { keyOf } from "../systems/kubernetes/object-key.ts";
import type { KubeObject, Kubernetes, Resource } from "../systems/kubernetes/port.ts";
import { pause } from "./looping.ts";

/**
 * "waiting": not listed yet. "synced": listed, and followed. "absent": the server does not have the kind. "forbidden": the
 * user may not read it.
 */
type MirrorState = "waiting" | "synced" | "absent" | "forbidden";

export interface MirrorWorld extends Randomness {
  readonly kubernetes: Kubernetes;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onChange: (resource: Resource) => void;
  /** The watch broke off for a reason that is no passing one; it is begun anew. */
  readonly onFailure: (error: unknown) => void;
}

const backoff: Backoff = { first: 1000, most: 30_000 };
/** How often a kind is asked for that was not there: somebody may install Argo CD. */
const askAgain = 60_000;

/** Cost: one list, one watch, and the objects in memory. */
export class Mirror<T extends KubeObject> {
  readonly resource: Resource;
  readonly #objects = new Map<string, T>();
  readonly #mayLack: boolean;
  #state: MirrorState = "waiting";
  #why = "";

  /** `mayLack`: the guard can do without the kind, and without the right to read it. */
  constructor(resource: Resource, mayLack = false) {
    this.resource = resource;
    this.#mayLack = mayLack;
  }

  get state(): MirrorState {
    return this.#state;
  }

  /** Why it may not be read. */
  get why(): string {
    return this.#why;
  }

  get items(): readonly T[] {
    return [...this.#objects.values()];
  }

  /** Lists and watches until the signal aborts, and begins again whenever the watch ends with an error. */
  async run(world: MirrorWorld): Promise<void> {
    const { signal, clock } = world;
    for (let failures = 0; !signal.aborted;) {
      try {
        await this.#list(world);
        failures = 0;
        await this.#watch(world);
      } catch (error) {
        if (signal.aborted) return;
        const lack = this.#mayLack ? lackOf(error) : undefined;
        if (lack === undefined) world.onFailure(error);
        else this.#lack(lack, error, world);
        const delay = backoff.first / 2 + backoffDelay(backoff, failures, world, undefined);
        failures += 1;
        await pause(clock, lack === undefined ? delay : askAgain, signal);
      }
    }
  }

  #version = "";

  async #list({ kubernetes, signal, onChange }: MirrorWorld): Promise<void> {
    const list = await orAborted(kubernetes.list<T>(this.resource), signal);
    this.#objects.clear();
    for (const object of list.items) this.#objects.set(keyOf(object), object);
    this.#version = list.resourceVersion;
    this.#state = "synced";
    onChange(this.resource);
  }

  async #watch({ kubernetes, signal, onChange }: MirrorWorld): Promise<void> {
    const from = { resourceVersion: this.#version, known: this.items };
    for await (const { type, object } of kubernetes.watch<T>(this.resource, from, signal)) {
      if (type === "DELETED") this.#objects.delete(keyOf(object));
      else this.#objects.set(keyOf(object), object);
      onChange(this.resource);
    }
  }

  #lack(state: MirrorState, error: unknown, { onChange }: MirrorWorld): void {
    const isNew = this.#state !== state;
    this.#objects.clear();
    this.#state = state;
    this.#why = isFailure(error) ? (error.why ?? error.what) : "";
    if (isNew) onChange(this.resource);
  }
}

const lackOf = (error: unknown): MirrorState | undefined => {
  if (apiErrorOf(error)?.status === 404) return "absent";
  return isFailure(error, "KUBERNETES_FORBIDDEN") ? "forbidden" : undefined;
};
