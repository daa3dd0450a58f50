/** node-agent copies the files: it has to run wherever pods with volumes may run, and on more than one volume at a time. */
import { Failure, messageOf } from "../model/failure.ts";
import type { KubeObject, Kubernetes } from "../systems/kubernetes/port.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import { type Check, type Finding, ok, warning } from "./check.ts";
import { flagValues } from "./flag-values.ts";
import type { DoctorWorld } from "./world.ts";

interface Node extends KubeObject {
  readonly spec?: {
    readonly unschedulable?: boolean;
    readonly taints?: readonly { readonly key: string; readonly effect: string }[];
  };
}

interface Pod extends KubeObject {
  readonly spec?: { readonly nodeName?: string };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

interface DaemonSet extends KubeObject {
  readonly spec?: {
    readonly template?: {
      readonly spec?: {
        readonly containers?: readonly { readonly command?: readonly string[]; readonly args?: readonly string[] }[];
      };
    };
  };
}

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

export const nodeAgentChecks = (world: DoctorWorld): readonly Check[] => {
  const { namespace } = world.loaded.config.velero;
  return [
    {
      id: "node-agent",
      title: "node-agent on the nodes",
      needs: ["velero"],
      look: async () => nodesFinding(await world.kubernetes(), namespace),
    },
    {
      id: "node-agent-concurrency",
      title: "node-agent's concurrency",
      needs: ["velero"],
      look: async () => concurrencyFinding(await world.kubernetes(), namespace),
    },
  ];
};

const readDaemonSet = async (kubernetes: Kubernetes, namespace: string): Promise<DaemonSet> => {
  const daemonSet = await kubernetes.get<DaemonSet>(resources.daemonSets, { namespace, name: "node-agent" });
  if (daemonSet !== undefined) return daemonSet;
  throw new Failure("VELERO_UNHEALTHY", {
    what: `There is no DaemonSet ${namespace}/node-agent.`,
    why: "without it Velero copies no files",
    todo: "Install it: velero install --use-node-agent, or Helm's deployNodeAgent: true.",
  });
};

/** Velero itself looks for its node-agents by this label. */
const agentLabel = "role=node-agent";

const isReady = (pod: Pod): boolean =>
  pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;

/** Ordinary pods cannot be there, so there need not be volumes. */
const isReserved = (node: Node): boolean =>
  node.spec?.taints?.some(({ effect }) => effect === "NoSchedule" || effect === "NoExecute") === true;

const nodesFinding = async (kubernetes: Kubernetes, namespace: string): Promise<Finding> => {
  await readDaemonSet(kubernetes, namespace);
  const [nodes, pods] = await Promise.all([
    kubernetes.list<Node>(resources.nodes),
    kubernetes.list<Pod>(resources.pods, { namespace, labels: agentLabel }),
  ]);
  const covered = new Set(pods.items.filter(isReady).map((pod) => pod.spec?.nodeName));
  const without = nodes.items.filter(
    ({ metadata, spec }) => spec?.unschedulable !== true && !covered.has(metadata.name),
  );
  const names = without.filter((node) => !isReserved(node)).map(({ metadata }) => metadata.name);
  if (names.length > 0) {
    throw new Failure("VELERO_UNHEALTHY", {
      what: `node-agent is not Ready on ${names.join(", ")}.`,
      why: "volumes of pods there cannot be copied",
      todo: `kubectl -n ${namespace} get pods -l ${agentLabel} -o wide; a taint needs a toleration in the DaemonSet (Helm: nodeAgent.tolerations).`,
    });
  }
  const tainted = without.map(({ metadata }) => metadata.name);
  const note = tainted.length === 0 ? "" : `; not on the tainted ${tainted.join(", ")}`;
  return ok(`Ready on ${covered.size} of ${nodes.items.length} ${nodes.items.length === 1 ? "node" : "nodes"}${note}`);
};

interface Concurrency {
  readonly value: number;
  readonly from: string;
}

const configMapArgument = (daemonSet: DaemonSet): string | undefined => {
  const container = daemonSet.spec?.template?.spec?.containers?.[0];
  return flagValues([...(container?.command ?? []), ...(container?.args ?? [])], "--node-agent-configmap").at(-1);
};

const parseConcurrency = (text: string): number => {
  const config = JSON.parse(text) as { readonly loadConcurrency?: { readonly globalConfig?: unknown } } | null;
  const value = config?.loadConcurrency?.globalConfig;
  return typeof value === "number" && value > 0 ? value : 1;
};

/** As node-agent reads it; what it cannot read leaves its default, one. */
const readConcurrency = async (kubernetes: Kubernetes, namespace: string): Promise<Concurrency> => {
  const name = configMapArgument(await readDaemonSet(kubernetes, namespace));
  if (name === undefined) return { value: 1, from: "no --node-agent-configmap" };
  const map = await kubernetes.get<ConfigMap>(resources.configMaps, { namespace, name });
  const text = Object.values(map?.data ?? {}).at(0);
  if (text === undefined)
    return {
      value: 1,
      from: `the ConfigMap ${namespace}/${name} ${map === undefined ? "does not exist" : "is empty"}`,
    };
  try {
    return { value: parseConcurrency(text), from: `ConfigMap ${namespace}/${name}` };
  } catch (error) {
    return { value: 1, from: `the ConfigMap ${namespace}/${name} is not JSON: ${messageOf(error)}` };
  }
};

const concurrencyFinding = async (kubernetes: Kubernetes, namespace: string): Promise<Finding> => {
  const { value, from } = await readConcurrency(kubernetes, namespace);
  if (value > 1) return ok(`${value} volumes at a time on each node (${from})`);
  return warning(
    `one volume at a time on each node (${from})`,
    `Put {"loadConcurrency": {"globalConfig": 4}} into a ConfigMap in ${namespace} and name it by --node-agent-configmap in the DaemonSet's arguments: a backup of many volumes takes about half the time.`,
  );
};
