/** Servers over one cluster in memory, whose time a test moves by hand. */
import { putVolume } from "../../guard/protect/testing/cluster.ts";
import { guardKinds } from "../../guard/protect/kinds.ts";
import { policyTwin } from "../../guard/protect/testing/policy-twin.ts";
import type { Mode } from "../../guard/protect/mode.ts";
import type { Claim, PersistentVolume } from "../../inventory/raw.ts";
import { Failure } from "../../model/failure.ts";
import { Operations } from "../../operation/operations.ts";
import { stepKinds } from "../../operation/step-kind.ts";
import { Life } from "../../operation/testing/mortal.ts";
import { MemoryJournal } from "../../systems/journal/memory.ts";
import { fenced } from "../../systems/kubernetes/fenced.ts";
import { MemoryKubernetes } from "../../systems/kubernetes/memory.ts";
import type { Kubernetes, KubeObject } from "../../systems/kubernetes/port.ts";
import { resources } from "../../systems/kubernetes/resources.ts";
import { handClock } from "../../systems/kubernetes/testing/world.ts";
import { serve, type ServeOptions } from "../serve.ts";
import { newStanding } from "../standing.ts";

interface Line {
  readonly level: string;
  readonly event: string;
  readonly text: string;
}

/** One `holdfast serve`. */
export interface Server {
  readonly kubernetes: MemoryKubernetes;
  readonly standing: ServeOptions["standing"];
  readonly lines: readonly Line[];
  /** As SIGSTOP. */
  freeze(): void;
  thaw(): void;
  /** As SIGTERM. */
  end(): void;
  readonly ended: Promise<void>;
}

export interface ServerWish {
  readonly mode?: Mode;
  readonly life?: Life;
}

/** The API server cannot be reached. */
export const unreachable = (): Failure => new Failure("KUBERNETES_UNREACHABLE", { what: "no answer" });
export const conflict = (): Failure => new Failure("KUBERNETES_CONFLICT", { what: "somebody was quicker" });

export class ServerScene {
  readonly clock = handClock();
  #ids = 0;
  readonly #randomId = (length: number): string => String((this.#ids += 1)).padStart(length, "0");
  readonly kubernetes = new MemoryKubernetes(
    { clock: this.clock, randomId: (length) => this.#randomId(length) },
    { groups: ["velero.io", "argoproj.io"] },
  );
  readonly journal = new MemoryJournal();
  /** Set: writing to the bucket fails with it. */
  bucketFailure: Failure | undefined;
  recorded = 0;
  readonly #servers: Server[] = [];

  constructor() {
    this.kubernetes.admit(policyTwin);
  }

  start(name: string, { mode = "deny", life = new Life() }: ServerWish = {}): Server {
    const own = this.kubernetes.as(name);
    const end = new AbortController();
    const lines: Line[] = [];
    const frozen = freezer(life.clock(this.clock));
    const standing = newStanding(this.clock.now());
    const mortal: Kubernetes = life.port(own);
    // A stream is no promise: it goes past the port of a mortal.
    const watch: Kubernetes["watch"] = (resource, from, signal) => own.watch(resource, from, signal);
    const kubernetes = new Proxy(mortal, {
      get: (target, name) => (name === "watch" ? watch : frozen.answers(Reflect.get(target, name) as Call)),
    });
    const demandOwnBucket = async (): Promise<void> => {
      if (this.bucketFailure !== undefined) throw this.bucketFailure;
    };
    const ended = serve({
      kubernetes,
      clock: frozen.clock,
      randomId: this.#randomId,
      signal: end.signal,
      namespace: "default",
      who: name,
      mode,
      log: (level, event, text) => lines.push({ level, event, text }),
      standing,
      prepare: async () => undefined,
      openOperations: (through, signal) => this.#operations(through, frozen.clock, life, signal),
      record: async () => {
        await demandOwnBucket();
        this.recorded += 1;
      },
      demandOwnBucket,
    });
    const server = { kubernetes: own, standing, lines, ended, end: () => end.abort(), ...frozen };
    this.#servers.push(server);
    return server;
  }

  /** The engine of a user's command, each of whose writes takes so many ms. */
  userOperations(delay: number): Operations {
    const own = this.kubernetes.as("a user");
    const { clock } = this;
    const apply: Kubernetes["apply"] = async (resource, object) => {
      const answer = await own.apply(resource, object);
      await clock.sleep(delay);
      return answer as never;
    };
    const slow = new Proxy<Kubernetes>(own, {
      get: (target, name) => {
        if (name === "apply") return apply;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
    return this.#operations(slow, clock, new Life(), new AbortController().signal);
  }

  #operations(through: Kubernetes, clock: ServeOptions["clock"], life: Life, signal: AbortSignal): Operations {
    return new Operations({
      journal: life.port(this.journal),
      kubernetes: through,
      clock,
      randomId: this.#randomId,
      namespace: "default",
      who: "a test",
      undoFor: 1000,
      rememberFor: 90 * 86_400_000,
      kinds: (demand) => stepKinds(guardKinds({ kubernetes: fenced(through, demand), clock, timeout: 10_000 })),
      onEvent: () => undefined,
      signal,
    });
  }

  /** Lets time pass until it holds; throws after `most` ms of it. */
  async until(holds: () => boolean | Promise<boolean>, most = 120_000): Promise<void> {
    for (let passed = 0; !(await holds()); passed += 100) {
      if (passed > most)
        throw new Error(
          `not within ${most} ms: ${holds.toString()}\n${JSON.stringify(
            this.#servers.map(({ lines }) => lines),
            undefined,
            1,
          )}`,
        );
      await this.pass(100);
    }
  }

  async pass(milliseconds: number): Promise<void> {
    for (let passed = 0; passed < milliseconds; passed += 100) {
      await this.clock.advance(100);
      for (let turns = 0; turns < 5; turns += 1) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Ends all servers that live. */
  async close(): Promise<void> {
    for (const server of this.#servers) server.end();
    await this.pass(6000);
  }

  put(path: string, options: Parameters<typeof putVolume>[2] = {}): void {
    const metadata = { finalizers: ["kubernetes.io/pvc-protection"], ...options.metadata };
    putVolume(this.kubernetes, path, { ...options, metadata });
  }

  async claim(path: string): Promise<Claim | undefined> {
    const [namespace = "", name = ""] = path.split("/");
    return this.kubernetes.get<Claim>(resources.persistentVolumeClaims, { namespace, name });
  }

  async policyOf(pv: string): Promise<string | undefined> {
    const found = await this.kubernetes.get<PersistentVolume>(resources.persistentVolumes, { name: pv });
    return found?.spec.persistentVolumeReclaimPolicy;
  }

  /** Deletes a claim, whatever the guard says; it stays Terminating as long as it has finalizers. */
  async removePastThePolicy(path: string): Promise<void> {
    const [namespace = "", name = ""] = path.split("/");
    this.kubernetes.admit(undefined);
    await this.kubernetes.remove(resources.persistentVolumeClaims, { namespace, name });
    this.kubernetes.admit(policyTwin);
  }

  /** The pod that used it has ended. */
  async unprotect(path: string): Promise<void> {
    const claim = await this.claim(path);
    const finalizers = (claim?.metadata.finalizers ?? []).filter((one) => !one.startsWith("kubernetes.io/"));
    await this.kubernetes.mergePatch(resources.persistentVolumeClaims, claim?.metadata ?? { name: "" }, {
      metadata: { finalizers },
    });
  }

  async events(): Promise<readonly string[]> {
    const { items } = await this.kubernetes.list<KubeObject & { readonly reason: string }>(resources.events);
    return items.map(({ reason }) => reason);
  }
}

type Call = (...args: readonly unknown[]) => Promise<unknown>;

/** A process that can be stopped: it does not wake from sleep, and gets no answers. */
const freezer = (inner: ServeOptions["clock"]) => {
  let ice: Promise<void> | undefined;
  let melt: () => void = () => undefined;
  const sleep = async (milliseconds: number, signal?: AbortSignal): Promise<void> => {
    try {
      await inner.sleep(milliseconds, signal);
    } finally {
      await ice;
    }
  };
  /** The same call, whose answer waits for the thaw. */
  const answers =
    (call: Call): Call =>
    async (...args) => {
      const answer = await call(...args);
      await ice;
      return answer;
    };
  return {
    answers,
    clock: { now: () => inner.now(), sleep },
    freeze: () => void (ice = new Promise((resolve) => (melt = resolve))),
    thaw: () => {
      ice = undefined;
      melt();
    },
  };
};
