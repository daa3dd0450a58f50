/**
 * Holder pods: each mounts one claim in the claim's own namespace and does nothing, so that the kubelet keeps the volume
 * mounted under the pod's directory, where an agent on the same node can reach it. They hold no secret and no right.
 */
import type { Clock } from "../../context.ts";
import { Failure } from "../../model/failure.ts";
import { holdingPod } from "../kubernetes/holding-pod.ts";
import type { KubeObject, Kubernetes } from "../kubernetes/port.ts";
import { resources } from "../kubernetes/resources.ts";
import { managedLabels } from "./labels.ts";
import { make, type Made, removeMade } from "./made.ts";
import type { AgentMount } from "./port.ts";

/** A claim that is mounted on a node, with the host's directory of it. */
export interface HeldVolume {
  readonly key: string;
  readonly node: string;
  readonly hostPath: string;
}

export interface HolderOptions {
  readonly image: string;
  readonly operation: string;
  /** Random, and this run's own: another run of the same operation makes holders of its own. */
  readonly run: string;
  /** The kubelet's directory on the nodes. */
  readonly kubeletDir: string;
  /** ms to wait for the mount. */
  readonly timeout: number;
}

interface Pod extends KubeObject {
  readonly spec: { readonly nodeName?: string };
  readonly status?: { readonly phase?: string };
}

interface PersistentVolume extends KubeObject {
  readonly spec: Readonly<Record<string, unknown>>;
}

interface Claim extends KubeObject {
  readonly spec: { readonly volumeName?: string };
}

interface Event extends KubeObject {
  readonly reason?: string;
  readonly message?: string;
  readonly type?: string;
}

const nameFor = (mount: AgentMount, { operation, run }: HolderOptions): string =>
  `holdfast-hold-${operation}-${mount.key}-${run}`;

interface UsingPod extends Pod {
  readonly spec: Pod["spec"] & {
    readonly volumes?: readonly { readonly persistentVolumeClaim?: { readonly claimName: string } }[];
  };
}

/** Node on which a pod uses the claim at present: a volume that is attached there can be mounted nowhere else. */
const nodeInUse = async (kubernetes: Kubernetes, { namespace, claim }: AgentMount): Promise<string | undefined> => {
  const { items } = await kubernetes.list<UsingPod>(resources.pods, { namespace });
  const user = items.find(
    ({ spec, status }) =>
      spec.nodeName !== undefined &&
      !["Succeeded", "Failed"].includes(status?.phase ?? "") &&
      (spec.volumes ?? []).some((volume) => volume.persistentVolumeClaim?.claimName === claim),
  );
  return user?.spec.nodeName;
};

/** By the scheduler, so that its other rules still hold. */
const onNode = (node: string): object => ({
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: [node] }] }],
      },
    },
  },
  tolerations: [{ operator: "Exists" }],
});

const holderPod = (mount: AgentMount, node: string | undefined, options: HolderOptions): KubeObject =>
  holdingPod({
    metadata: {
      name: nameFor(mount, options),
      namespace: mount.namespace,
      labels: { ...managedLabels(options.operation), "velero.io/exclude-from-backup": "true" },
    },
    image: options.image,
    claim: mount.claim,
    place: node === undefined ? {} : onNode(node),
  });

/** Directory names that the kubelet gives to the sources it mounts itself. */
const pluginOf: Readonly<Record<string, string>> = {
  local: "local-volume",
  nfs: "nfs",
  iscsi: "iscsi",
  cephfs: "cephfs",
  rbd: "rbd",
  fc: "fc",
};

const volumeDirectory = (pv: PersistentVolume): string | undefined => {
  if ("csi" in pv.spec) return `kubernetes.io~csi/${pv.metadata.name}/mount`;
  const source = Object.keys(pluginOf).find((field) => field in pv.spec);
  return source === undefined ? undefined : `kubernetes.io~${pluginOf[source]}/${pv.metadata.name}`;
};

/** Where the kubelet mounts a claim, below a pod's directory. Throws TARGET_UNUSABLE for sources without a mount. */
const directoryOfClaim = async (kubernetes: Kubernetes, mount: AgentMount): Promise<string> => {
  const name = `${mount.namespace}/${mount.claim}`;
  const claim = await kubernetes.get<Claim>(resources.persistentVolumeClaims, {
    namespace: mount.namespace,
    name: mount.claim,
  });
  const volumeName = claim?.spec.volumeName;
  const pv =
    volumeName === undefined
      ? undefined
      : await kubernetes.get<PersistentVolume>(resources.persistentVolumes, { name: volumeName });
  if (pv === undefined)
    throw new Failure("TARGET_UNUSABLE", {
      what: `The claim ${name} is not bound to a volume.`,
      todo: `kubectl -n ${mount.namespace} describe pvc ${mount.claim}`,
    });
  const directory = volumeDirectory(pv);
  if (directory !== undefined) return directory;
  throw new Failure("TARGET_UNUSABLE", {
    what: `Holdfast cannot reach the files of ${name}.`,
    why: `its volume ${pv.metadata.name} is of a kind that the kubelet does not mount for a pod (hostPath, for example)`,
    todo: "Restore into a claim of another StorageClass with --to NAMESPACE/PVC.",
  });
};

interface World {
  readonly kubernetes: Kubernetes;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Creates a holder for each mount and waits until all run. What it has made it puts into `made`, also when it throws: the
 * caller removes that.
 */
export const holdVolumes = async (
  world: World,
  mounts: readonly AgentMount[],
  options: HolderOptions,
  made: Made[],
): Promise<readonly HeldVolume[]> => {
  const { kubernetes, clock } = world;
  const directories = await Promise.all(mounts.map((mount) => directoryOfClaim(kubernetes, mount)));
  const created = await Promise.allSettled(
    mounts.map(async (mount) => {
      const holder = holderPod(mount, await nodeInUse(kubernetes, mount), options);
      await make(kubernetes, resources.pods, holder, (pod) => void made.push(pod));
    }),
  );
  for (const result of created) if (result.status === "rejected") throw result.reason;
  const deadline = clock.now() + options.timeout;
  return Promise.all(
    mounts.map(async (mount, index) => {
      const pod = await waitUntilRunning(world, mount, options, deadline);
      return {
        key: mount.key,
        node: pod.spec.nodeName ?? "",
        hostPath: `${options.kubeletDir}/pods/${pod.metadata.uid}/volumes/${directories[index]}`,
      };
    }),
  );
};

const waitUntilRunning = async (
  { kubernetes, clock, signal }: World,
  mount: AgentMount,
  options: HolderOptions,
  deadline: number,
): Promise<Pod> => {
  const name = { namespace: mount.namespace, name: nameFor(mount, options) };
  for (;;) {
    const pod = await kubernetes.get<Pod>(resources.pods, name);
    if (pod?.status?.phase === "Running") return pod;
    if (clock.now() > deadline) {
      throw new Failure("TARGET_UNUSABLE", {
        what: `The claim ${mount.namespace}/${mount.claim} could not be mounted within ${Math.round(options.timeout / 1000)} s.`,
        why: (await lastWarning(kubernetes, name)) ?? `its holder pod is ${pod?.status?.phase ?? "gone"}`,
        todo: `kubectl -n ${mount.namespace} describe pvc ${mount.claim}`,
      });
    }
    await clock.sleep(150, signal);
  }
};

const lastWarning = async (
  kubernetes: Kubernetes,
  pod: { readonly namespace: string; readonly name: string },
): Promise<string | undefined> => {
  const events = await kubernetes.list<Event>(resources.events, {
    namespace: pod.namespace,
    fields: `involvedObject.name=${pod.name}`,
  });
  return events.items.findLast((event) => event.type === "Warning")?.message;
};

/** Removes holders that one run has made. May be called again. */
export const removeHolders = async (kubernetes: Kubernetes, made: readonly Made[]): Promise<void> => {
  await Promise.all(made.map((holder) => removeMade(kubernetes, holder, { gracePeriodSeconds: 0 })));
};
