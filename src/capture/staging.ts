/**
 * Staging pods: Velero copies a volume only through a running pod that mounts it in a main container, so a claim that
 * nobody mounts gets one for the time of the backup. It waits, reads nothing, and yields: lowest priority, no requests.
 */
import type { Volume } from "../model/volume.ts";
import { holdingPod } from "../systems/kubernetes/holding-pod.ts";
import type { KubeObject, Kubernetes } from "../systems/kubernetes/port.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import type { Pod } from "../inventory/raw.ts";

export const stagingLabel = "holdfast.dev/staging";

export interface StagingOptions {
  readonly image: string;
  /** The recovery point that the pod serves, so that leftovers can be told apart. */
  readonly point: string;
}

/** The name depends on the claim alone: kopia then finds the previous copy and reads only what changed. */
const podName = (claim: string): string => `holdfast-staging-${claim}`.slice(0, 253);

/** The pod that mounts one claim read-only. On the node that already uses the claim, when there is one. */
export const stagingPod = (volume: Volume, options: StagingOptions): KubeObject => {
  const node = volume.mounts.find((mount) => mount.node !== undefined && mount.phase === "Running")?.node;
  return holdingPod({
    metadata: {
      name: podName(volume.claim),
      namespace: volume.namespace,
      labels: { [stagingLabel]: options.point, "app.kubernetes.io/managed-by": "holdfast" },
    },
    image: options.image,
    claim: volume.claim,
    readOnly: true,
    place: node === undefined ? {} : { nodeName: node },
  });
};

/** Creates the pods of all staged volumes; a leftover of an earlier, killed run is used as it is. */
export const createStagingPods = async (
  kubernetes: Kubernetes,
  volumes: readonly Volume[],
  options: StagingOptions,
): Promise<void> => {
  await Promise.all(
    volumes.map(async (volume) => {
      const pod = stagingPod(volume, options);
      const present = await kubernetes.get(resources.pods, { namespace: volume.namespace, name: pod.metadata.name });
      if (present === undefined) await kubernetes.create(resources.pods, pod);
    }),
  );
};

/** Removes every staging pod of the cluster, whoever left it. */
export const removeStagingPods = async (kubernetes: Kubernetes): Promise<void> => {
  const { items } = await kubernetes.list<Pod>(resources.pods, { labels: stagingLabel });
  await Promise.all(
    items.map(({ metadata }) =>
      kubernetes.remove(resources.pods, nameOf(metadata), { uid: metadata.uid ?? "", gracePeriodSeconds: 0 }),
    ),
  );
};

/** Claims whose staging pod does not run yet, with the pod's phase. */
export const notYetStaged = async (kubernetes: Kubernetes): Promise<readonly string[]> => {
  const { items } = await kubernetes.list<Pod>(resources.pods, { labels: stagingLabel });
  return items
    .filter((pod) => pod.status?.phase !== "Running")
    .map((pod) => `${pod.metadata.namespace}/${pod.metadata.name}: ${pod.status?.phase ?? "Unknown"}`);
};

const nameOf = (metadata: KubeObject["metadata"]): { readonly name: string; readonly namespace: string } => ({
  name: metadata.name,
  namespace: metadata.namespace ?? "",
});
