/** A cluster in memory with one app, media/sonarr, whose Deployment mounts media/sonarr-config. */
import type { Context } from "../../context.ts";
import { MemoryControllers } from "../../systems/kubernetes/memory-controllers.ts";
import type { PodOutcome } from "../../systems/kubernetes/memory-kubelet.ts";
import { MemoryKubernetes } from "../../systems/kubernetes/memory.ts";
import type { KubeObject } from "../../systems/kubernetes/port.ts";
import { resources } from "../../systems/kubernetes/resources.ts";
import { jumpingClock } from "../../systems/kubernetes/testing/world.ts";

export interface Deployment extends KubeObject {
  readonly spec: { readonly replicas?: number };
  readonly status?: { readonly readyReplicas?: number };
}

export interface Cluster {
  readonly kubernetes: MemoryKubernetes;
  readonly controllers: MemoryControllers;
  readonly context: Context;
  readonly clock: ReturnType<typeof jumpingClock>;
  readonly stop: AbortController;
  /** What becomes of pods; may be changed. */
  outcome: (pod: KubeObject) => PodOutcome;
  deployment(name?: string): Promise<Deployment | undefined>;
  pods(): Promise<readonly string[]>;
  scale(replicas: number): Promise<void>;
}

/** A pod's spec that mounts a claim. */
export const mounting = (claim: string): object => ({
  containers: [{ name: "app", image: "app" }],
  volumes: [{ name: "data", persistentVolumeClaim: { claimName: claim } }],
});

const aDeployment = (name: string, replicas: number): KubeObject => {
  const labels = { app: name };
  return {
    metadata: { name, namespace: "media" },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: mounting(`${name}-config`) },
    },
  } as KubeObject;
};

/** Numbered ids: unpredictable ones are of no use to a test. */
const numbered = (): ((length: number) => string) => {
  let count = 0;
  return (length) => String((count += 1)).padStart(length, "a");
};

export const aCluster = async (replicas = 2, apps: readonly string[] = ["sonarr"]): Promise<Cluster> => {
  const clock = jumpingClock();
  const stop = new AbortController();
  const world = { clock, randomId: numbered() };
  const kubernetes = new MemoryKubernetes(world);
  const output = { isTTY: false, write: () => undefined };
  const context: Context = {
    ...world,
    env: {},
    cwd: "/",
    stdin: { isTTY: false, readLine: async () => undefined },
    stdout: output,
    stderr: output,
    signal: stop.signal,
  };
  const cluster: Omit<Cluster, "controllers"> = {
    kubernetes,
    context,
    clock,
    stop,
    outcome: () => "ready",
    deployment: (name = "sonarr") =>
      kubernetes.as("test").get<Deployment>(resources.deployments, { namespace: "media", name }),
    pods: async () =>
      (await kubernetes.as("test").list(resources.pods, { namespace: "media" })).items.map(
        ({ metadata }) => metadata.name,
      ),
    scale: async (count) =>
      void (await kubernetes
        .as("argocd")
        .mergePatch(resources.deployments, { namespace: "media", name: "sonarr" }, { spec: { replicas: count } })),
  };
  const controllers = new MemoryControllers(kubernetes, {
    ...world,
    outcome: (pod) => cluster.outcome(pod),
  });
  kubernetes.put(resources.namespaces, { metadata: { name: "media" } });
  for (const app of apps) await kubernetes.as("test").create(resources.deployments, aDeployment(app, replicas));
  await controllers.settled();
  return Object.assign(cluster, { controllers });
};
