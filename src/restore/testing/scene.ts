/** A whole restore in memory: a cluster with one app, its volume, copies, agents as pods, and the engine over them. */
import type { AgentLine } from "../../agent/lines.ts";
import { Failure } from "../../model/failure.ts";
import { type StepKinds, stepKinds } from "../../operation/step-kind.ts";
import type { Life } from "../../operation/testing/mortal.ts";
import { OperationWorld } from "../../operation/testing/process.ts";
import type { Scene } from "../../operation/testing/kill-matrix.ts";
import { managedLabels, operationLabel } from "../../systems/agent/labels.ts";
import { MemoryAgents } from "../../systems/agent/memory.ts";
import { MemoryVolumes } from "../../systems/agent/memory-volumes.ts";
import type { Agents, AgentTask } from "../../systems/agent/port.ts";
import type { KubeObject, Kubernetes } from "../../systems/kubernetes/port.ts";
import { resources } from "../../systems/kubernetes/resources.ts";
import { KopiaMover } from "../movers/kopia.ts";
import { NodeAgentMover } from "../movers/node-agent.ts";
import type { Mover } from "../movers/replacement.ts";
import type { RestorePlan } from "../plan.ts";
import { clearFiles, proveCopies } from "../steps/clear.ts";
import { replaceFiles } from "../steps/files.ts";
import type { OnVolumes } from "../steps/on-volumes.ts";
import { startWorkloads, stopWorkloads } from "../steps/workloads.ts";
import { replicasAnnotation } from "../standstill.ts";
import { aCluster, type Cluster, mounting } from "./cluster.ts";
import { MemoryNodeAgent } from "./node-agent.ts";
import { aPlan } from "./plans.ts";

const store = { endpoint: "https://nas", bucket: "b", region: "r", prefix: "velero/", privateCa: false };
const namespace = "holdfast";
const volume = "media/sonarr-config";
/** Bytes; a content of `MemoryVolumes` has 1000. */
const tooSmallForBoth = 1500;

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
  stop(): void;
}

export interface SceneOptions {
  readonly replicas?: number;
  readonly keepFor?: string | undefined;
  readonly mover?: Mover;
  /** In a volume that cannot hold the present files beside the copy. */
  readonly makeRoom?: boolean;
}

/** Velero's part of the cluster. */
const putVelero = ({ kubernetes }: Cluster): void => {
  const metadata = { name: "velero", namespace: "velero" };
  const template = { spec: { containers: [{ name: "velero", image: "velero/velero:v1.18.3" }] } };
  kubernetes.put(resources.namespaces, { metadata: { name: "velero" } });
  kubernetes.put(resources.deployments, { metadata, spec: { template } } as KubeObject);
};

/** What processes of a scene share. */
interface Stage {
  readonly cluster: Cluster;
  readonly volumes: MemoryVolumes;
  readonly agents: Agents;
  readonly world: OperationWorld;
}

const kindsOn =
  ({ cluster, agents, world }: Stage) =>
  (kubernetes: Kubernetes, life: Life): StepKinds => {
    const own: Agents = life.port(agents);
    const clock = life.clock(cluster.clock);
    const waits = { kubernetes, clock, timeout: 10_000 };
    const kopia = new KopiaMover(own, store);
    const nodeAgent = new NodeAgentMover({
      ...waits,
      agents: own,
      store,
      veleroNamespace: "velero",
      storageLocation: "default",
      image: "holdfast:1",
      randomId: world.randomId,
    });
    const volumes: OnVolumes = {
      agents: async () => own,
      mover: async (wanted) => (wanted === "kopia" ? kopia : nodeAgent),
      ...waits,
      namespace,
    };
    const clearing = { ...volumes, store };
    return stepKinds([
      stopWorkloads(waits),
      startWorkloads(waits),
      proveCopies(clearing),
      clearFiles(clearing),
      replaceFiles(volumes),
    ]);
  };

/** Replicas asked for, and what is remembered of them. */
const standingOf = async ({ cluster }: Stage): Promise<readonly unknown[]> => {
  const deployment = await cluster.deployment();
  return [deployment?.spec.replicas, deployment?.metadata.annotations?.[replicasAnnotation]];
};

interface Wanted {
  readonly content: string;
  readonly replicas: number;
  /** Whether the earlier files must, and whether anything may, be kept. */
  readonly kept: "old" | "anything" | "nothing";
}

const demandOn = async (stage: Stage, { content, replicas, kept }: Wanted, context: string): Promise<void> => {
  const { volumes } = stage;
  const wanted = { content, standing: [replicas, undefined], unfinished: [] };
  const is = {
    content: volumes.content(volume),
    standing: await standingOf(stage),
    unfinished: [...volumes.unfinished(volume)],
  };
  const wrong = (what: string): Failure => new Failure("VERIFICATION_FAILED", { what: `${context}: ${what}` });
  if (JSON.stringify(is) !== JSON.stringify(wanted))
    throw wrong(`${JSON.stringify(is)}, not ${JSON.stringify(wanted)}`);
  const present = [...volumes.kept(volume).values()];
  if (kept === "old" && !present.includes("old")) throw wrong("the earlier files are lost");
  if (kept === "nothing" && present.length > 0) throw wrong(`${present.join(", ")} is left`);
};

const setStage = async (replicas: number) => {
  const cluster = await aCluster(replicas);
  // Holdfast's own pods are moved by hand.
  cluster.outcome = ({ metadata }) => (metadata.labels?.[operationLabel] === undefined ? "ready" : "pending");
  const world = new OperationWorld(cluster.clock, cluster.kubernetes);
  cluster.kubernetes.put(resources.namespaces, { metadata: { name: namespace } });
  putVelero(cluster);
  const volumes = new MemoryVolumes();
  volumes.write(volume, "old");
  volumes.copies.set("snap-1", "new");
  const scripted = new MemoryAgents(volumes.script);
  return { cluster, volumes, world, scripted, agents: new SeenAgents(volumes, scripted, cluster) };
};

/** The app's files are "old", the copy's "new". */
export const aScene = async (options: SceneOptions = { keepFor: "7d" }): Promise<RestoreScene> => {
  const { replicas = 2, mover = "kopia", makeRoom = false } = options;
  const keepFor = makeRoom ? undefined : options.keepFor;
  const stage = await setStage(replicas);
  const { cluster, volumes, world, scripted } = stage;
  const nodeAgent = new MemoryNodeAgent(cluster.kubernetes, volumes);
  if (makeRoom) volumes.volumeSizes.set(volume, tooSmallForBoth);
  const found = aPlan({ keepFor, mover, makeRoom }, replicas);
  const process = (life?: Life, signal?: AbortSignal) => world.process(kindsOn(stage), life, signal);
  /** What an undo after the end has set aside stays until it is settled; else nothing stays. */
  const demand = async (changed: boolean, context: string): Promise<void> => {
    const known = (await process().operations.list()).operations.find(({ id }) => id === "op-1");
    const keptOfChange = keepFor === undefined ? "nothing" : "old";
    const keptOfNone = known?.status === "undone" ? "anything" : "nothing";
    const wanted: Wanted = changed
      ? { content: "new", replicas, kept: keptOfChange }
      : { content: "old", replicas, kept: keptOfNone };
    await demandOn(stage, wanted, context);
  };
  const stop = (): void => {
    nodeAgent.stop();
    cluster.controllers.stop();
  };
  return {
    cluster,
    volumes,
    world,
    found,
    process,
    demand,
    stop,
    agents: scripted,
    plan: found.plan,
    standing: () => standingOf(stage),
    open: (life) => process(life).operations,
  };
};
