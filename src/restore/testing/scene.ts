/** A whole restore in memory: a cluster with one app, its volume, copies, agents as pods, and the engine over them. */
import type { AgentLine } from "../../agent/lines.ts";
import { Failure } from "../../model/failure.ts";
import type { Operations } from "../../operation/operations.ts";
import { type StepKinds, stepKinds } from "../../operation/step-kind.ts";
import type { Life } from "../../operation/testing/mortal.ts";
import { OperationWorld } from "../../operation/testing/process.ts";
import type { Scene } from "../../operation/testing/kill-matrix.ts";
import { managedLabels, operationLabel } from "../../systems/agent/labels.ts";
import { MemoryAgents } from "../../systems/agent/memory.ts";
import { MemoryVolumes } from "../../systems/agent/memory-volumes.ts";
import type { Agents, AgentTask } from "../../systems/agent/port.ts";
import type { Kubernetes } from "../../systems/kubernetes/port.ts";
import { resources } from "../../systems/kubernetes/resources.ts";
import { KopiaMover } from "../movers/kopia.ts";
import type { RestorePlan } from "../plan.ts";
import { replaceFiles } from "../steps/files.ts";
import { startWorkloads, stopWorkloads } from "../steps/workloads.ts";
import { replicasAnnotation } from "../standstill.ts";
import { aCluster, type Cluster, mounting } from "./cluster.ts";
import { aPlan } from "./plans.ts";

const store = { endpoint: "https://nas", bucket: "b", region: "r", prefix: "velero/", privateCa: false };
const namespace = "holdfast";
const volume = "media/sonarr-config";

/** Agents whose pods are seen in the cluster, as the real ones are: they work on when who called them is dead. */
class SeenAgents implements Agents {
  readonly #inner: Agents;
  readonly #cluster: Cluster;
  #count = 0;

  constructor(volumes: MemoryVolumes, inner: Agents, cluster: Cluster) {
    this.#inner = inner;
    this.#cluster = cluster;
    volumes.onEnd((task) => this.#put(task, "Succeeded"));
  }

  async run(task: AgentTask, onLine: (line: AgentLine) => void, signal: AbortSignal): Promise<void> {
    this.#count += 1;
    this.#put(task, "Running");
    try {
      await this.#inner.run(task, onLine, signal);
    } finally {
      const kubelet = this.#cluster.kubernetes.as("kubelet");
      for (const pod of this.#pods(task)) await kubelet.remove(resources.pods, pod, { gracePeriodSeconds: 0 });
    }
  }

  #pods({ operation, mounts }: AgentTask): readonly { readonly name: string; readonly namespace: string }[] {
    const name = `agent-${operation}-${this.#count}`;
    const holders = mounts.map((mount) => ({ name: `hold-${name}-${mount.key}`, namespace: mount.namespace }));
    return [{ name, namespace }, ...holders];
  }

  #put(task: AgentTask, phase: string): void {
    for (const [index, pod] of this.#pods(task).entries()) {
      const spec = index === 0 ? { containers: [] } : mounting(task.mounts[index - 1]?.claim ?? "");
      const metadata = { ...pod, labels: managedLabels(task.operation) };
      const object = { metadata, spec, status: { phase: index === 0 ? phase : "Running" } };
      this.#cluster.kubernetes.as("kubelet").put(resources.pods, object);
    }
  }
}

export interface RestoreScene extends Scene {
  readonly cluster: Cluster;
  readonly volumes: MemoryVolumes;
  readonly agents: MemoryAgents;
  readonly world: OperationWorld;
  readonly found: RestorePlan;
  process(life?: Life, signal?: AbortSignal): ReturnType<OperationWorld["process"]>;
  /** Replicas asked for, and what is remembered of them. */
  standing(): Promise<readonly unknown[]>;
}

/** The app's files are "old", the copy's "new". */
export const aScene = async (
  options: { readonly replicas?: number; readonly keepFor?: string | undefined } = { keepFor: "7d" },
): Promise<RestoreScene> => {
  const { replicas = 2, keepFor } = options;
  const cluster = await aCluster(replicas);
  // Holdfast's own pods are moved by hand.
  cluster.outcome = ({ metadata }) => (metadata.labels?.[operationLabel] === undefined ? "ready" : "pending");
  const world = new OperationWorld(cluster.clock, cluster.kubernetes);
  cluster.kubernetes.put(resources.namespaces, { metadata: { name: namespace } });
  const volumes = new MemoryVolumes();
  volumes.write(volume, "old");
  volumes.copies.set("snap-1", "new");
  const agents = new MemoryAgents(volumes.script);
  const seen = new SeenAgents(volumes, agents, cluster);
  const kinds = (kubernetes: Kubernetes, life: Life): StepKinds => {
    const own: Agents = life.port(seen);
    const clock = life.clock(cluster.clock);
    const waits = { kubernetes, clock, timeout: 10_000 };
    return stepKinds([
      stopWorkloads(waits),
      startWorkloads(waits),
      replaceFiles({
        agents: async () => own,
        mover: async () => new KopiaMover(own, store),
        ...waits,
        namespace,
      }),
    ]);
  };
  const found = aPlan({ keepFor }, replicas);
  const process = (life?: Life, signal?: AbortSignal) => world.process(kinds, life, signal);
  const standing = async (): Promise<readonly unknown[]> => {
    const deployment = await cluster.deployment();
    return [deployment?.spec.replicas, deployment?.metadata.annotations?.[replicasAnnotation]];
  };
  const demand = async (changed: boolean, context: string): Promise<void> => {
    const wanted = { content: changed ? "new" : "old", standing: [replicas, undefined], unfinished: [] };
    const is = {
      content: volumes.content(volume),
      standing: await standing(),
      unfinished: [...volumes.unfinished(volume)],
    };
    if (JSON.stringify(is) !== JSON.stringify(wanted))
      throw new Failure("VERIFICATION_FAILED", {
        what: `${context}: ${JSON.stringify(is)}, not ${JSON.stringify(wanted)}`,
      });
    if (changed && keepFor !== undefined && ![...volumes.kept(volume).values()].includes("old"))
      throw new Failure("VERIFICATION_FAILED", { what: `${context}: the earlier files are lost` });
  };
  const open = (life: Life): Operations => process(life).operations;
  return { cluster, volumes, agents, world, found, plan: found.plan, process, standing, demand, open };
};
