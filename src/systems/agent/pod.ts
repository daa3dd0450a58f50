/** The port over real pods. */
import type { AgentJob } from "../../agent/job.ts";
import { type AgentLine, parseLine } from "../../agent/lines.ts";
import type { Context } from "../../context.ts";
import { Failure } from "../../model/failure.ts";
import type { KubeObject, Kubernetes } from "../kubernetes/port.ts";
import { resources } from "../kubernetes/resources.ts";
import { type HeldVolume, holdVolumes, removeHolders } from "./holder.ts";
import { ensureNamespace } from "./namespace.ts";
import { isThere, make, type Made, removeMade } from "./made.ts";
import { agentPod, agentSecret, containerName, type PodInput } from "./pod-manifest.ts";
import type { Agents, AgentTask } from "./port.ts";

export interface PodAgentOptions {
  readonly kubernetes: Kubernetes;
  readonly context: Context;
  /** Namespace of Holdfast's own pods; created when it is missing. */
  readonly namespace: string;
  readonly image: string;
  readonly kubeletDir: string;
  /** ms to wait for a pod to run. */
  readonly timeout: number;
  /** Files beside job.json that hold what the job refers to: credentials, CA, password. */
  readonly secretFiles: Readonly<Record<string, string>>;
}

interface Pod extends KubeObject {
  readonly status?: {
    readonly phase?: string;
    readonly containerStatuses?: readonly {
      readonly state?: {
        readonly waiting?: { readonly reason?: string; readonly message?: string };
        readonly terminated?: { readonly exitCode?: number; readonly reason?: string };
      };
    }[];
  };
}

/** Agents as pods of the cluster. */
export class PodAgents implements Agents {
  readonly #options: PodAgentOptions;

  constructor(options: PodAgentOptions) {
    this.#options = options;
  }

  async run(task: AgentTask, onLine: (line: AgentLine) => void, signal: AbortSignal): Promise<void> {
    const { kubernetes, context, image, kubeletDir, timeout } = this.#options;
    const run = context.randomId(4);
    const name = `holdfast-${task.operation}-${run}`;
    const holders: Made[] = [];
    const own: Made[] = [];
    let heardOut = false;
    try {
      await ensureNamespace(kubernetes, this.#options.namespace);
      const world = { kubernetes, clock: context.clock, signal };
      const options = { image, operation: task.operation, run, kubeletDir, timeout };
      const volumes = await holdVolumes(world, task.mounts, options, holders);
      oneNode(volumes);
      const input = this.#podInput(name, task, volumes);
      await make(kubernetes, resources.secrets, agentSecret(input), (secret) => void own.push(secret));
      await make(kubernetes, resources.pods, agentPod(input), (pod) => void own.push(pod));
      await this.#waitUntilStarted(name, signal);
      heardOut = await this.#follow(name, own, { onLine, signal });
    } finally {
      await this.#tidy(own, holders, heardOut);
    }
  }

  #podInput(name: string, task: AgentTask, volumes: readonly HeldVolume[]): PodInput {
    const { namespace, image, secretFiles } = this.#options;
    return {
      name,
      namespace,
      operation: task.operation,
      image,
      volumes,
      files: { ...secretFiles, "job.json": JSON.stringify(task.job satisfies AgentJob) },
    };
  }

  async #waitUntilStarted(name: string, signal: AbortSignal): Promise<void> {
    const { kubernetes, context, namespace, timeout } = this.#options;
    const deadline = context.clock.now() + timeout;
    for (;;) {
      const pod = await kubernetes.get<Pod>(resources.pods, { namespace, name });
      if (pod?.status?.phase !== undefined && pod.status.phase !== "Pending") return;
      if (context.clock.now() > deadline) throw notStarted(`${namespace}/${name}`, pod);
      await context.clock.sleep(150, signal);
    }
  }

  /** Passes the program's lines on until its last word. An abort asks the pod to end and still hears it out. */
  async #follow(
    name: string,
    own: readonly Made[],
    { onLine, signal }: { readonly onLine: (line: AgentLine) => void; readonly signal: AbortSignal },
  ): Promise<true> {
    const { kubernetes, namespace } = this.#options;
    const stop = (): void => {
      for (const pod of own.filter(isPod)) void removeMade(kubernetes, pod).catch(ignored);
    };
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    const strangers: string[] = [];
    try {
      for await (const text of kubernetes.logs({ namespace, name }, { container: containerName, follow: true })) {
        const line = parseLine(text);
        if (line === undefined) strangers.push(text);
        else if (ends(line)) return true;
        else onLine(line);
      }
    } finally {
      signal.removeEventListener("abort", stop);
    }
    // The log of a pod that is being deleted may end before the program does.
    signal.throwIfAborted();
    throw await this.#silence(name, strangers);
  }

  async #silence(name: string, strangers: readonly string[]): Promise<Failure> {
    const { kubernetes, namespace } = this.#options;
    const pod = await kubernetes.get<Pod>(resources.pods, { namespace, name });
    const ended = pod?.status?.containerStatuses?.[0]?.state?.terminated;
    const why =
      ended === undefined ? "its log ended" : `it ended with ${ended.reason ?? "exit"} ${ended.exitCode ?? ""}`;
    return new Failure("AGENT_FAILED", {
      what: `The pod ${namespace}/${name} ended without a result.`,
      why: [why, ...strangers.slice(-3)].join("; "),
      todo: "Try again; if it was killed for memory (OOMKilled), give the node more room.",
    });
  }

  /** A program that has not said its last word may still be writing: its end is waited for before anybody else writes. */
  async #tidy(own: readonly Made[], holders: readonly Made[], heardOut: boolean): Promise<void> {
    const { kubernetes, context } = this.#options;
    for (const pod of own.filter(isPod)) {
      await removeMade(kubernetes, pod, heardOut ? { gracePeriodSeconds: 0 } : {});
      if (!heardOut) while (await isThere(kubernetes, pod)) await context.clock.sleep(300);
    }
    for (const secret of own.filter((made) => !isPod(made))) await removeMade(kubernetes, secret);
    await removeHolders(kubernetes, holders);
  }
}

const isPod = ({ resource }: Made): boolean => resource.kind === resources.pods.kind;

/** The log's end tells what an unsuccessful removal would tell less clearly. */
const ignored = (): undefined => undefined;

/** True for a successful last word; throws the failure that the program reports. */
const ends = (line: AgentLine): boolean => {
  if (line.type === "failure") throw new Failure(line.code, line);
  return line.type === "result";
};

const notStarted = (name: string, pod: Pod | undefined): Failure => {
  const waiting = pod?.status?.containerStatuses?.[0]?.state?.waiting;
  return new Failure("AGENT_FAILED", {
    what: `The pod ${name} did not start.`,
    why:
      waiting === undefined
        ? `it is ${pod?.status?.phase ?? "gone"}`
        : `${waiting.reason ?? "waiting"} ${waiting.message ?? ""}`.trim(),
    todo: "Check that the image under holdfast.image can be pulled, and that nodes have room.",
  });
};

/** One pod works on one node. Volumes of several nodes are restored one operation a node. */
const oneNode = (volumes: readonly HeldVolume[]): void => {
  const nodes = [...new Set(volumes.map((volume) => volume.node))];
  if (nodes.length <= 1) return;
  throw new Failure("TARGET_UNUSABLE", {
    what: `The volumes are on different nodes: ${nodes.join(", ")}.`,
    todo: "Restore the volumes of each node with a command of its own.",
  });
};
