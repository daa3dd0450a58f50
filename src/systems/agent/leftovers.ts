/** What a Holdfast that died has left in the cluster: pods that hold volumes, and agents that may still be working. */
import { Failure } from "../../model/failure.ts";
import type { KubeObject, Kubernetes } from "../kubernetes/port.ts";
import { resources } from "../kubernetes/resources.ts";
import { operationLabel } from "./labels.ts";

interface Pod extends KubeObject {
  readonly spec: { readonly volumes?: readonly { readonly persistentVolumeClaim?: { readonly claimName: string } }[] };
  readonly status?: { readonly phase?: string };
}

interface ClaimName {
  readonly namespace: string;
  readonly claim: string;
}

const operationOf = (pod: Pod): string => pod.metadata.labels?.[operationLabel] ?? "";

const holds = (pod: Pod, { namespace, claim }: ClaimName): boolean =>
  pod.metadata.namespace === namespace &&
  (pod.spec.volumes ?? []).some((volume) => volume.persistentVolumeClaim?.claimName === claim);

/** ms within which a restore that lives has its agent running after its first holder. */
const startTime = 120_000;

const isYoung = (pod: Pod, now: number): boolean => now - Date.parse(pod.metadata.creationTimestamp ?? "") < startTime;

/**
 * Makes sure that no other restore works on these claims. Throws LOCKED when one does, or may be about to; removes what a
 * dead one left. `agentsNamespace` is where agents run, `now` in ms since 1970.
 */
export const clearLeftovers = async (
  kubernetes: Kubernetes,
  claims: readonly ClaimName[],
  agentsNamespace: string,
  now: number,
): Promise<void> => {
  const { items } = await kubernetes.list<Pod>(resources.pods, { labels: operationLabel });
  const operations = new Set(items.filter((pod) => claims.some((claim) => holds(pod, claim))).map(operationOf));
  const pods = items.filter((pod) => operations.has(operationOf(pod)));
  const working = pods.find(
    (pod) => pod.metadata.namespace === agentsNamespace && !["Succeeded", "Failed"].includes(pod.status?.phase ?? ""),
  );
  if (working !== undefined) {
    throw new Failure("LOCKED", {
      what: `Another restore works on ${claims.map(({ namespace, claim }) => `${namespace}/${claim}`).join(", ")}.`,
      why: `its pod ${agentsNamespace}/${working.metadata.name} is ${working.status?.phase ?? "there"}`,
      todo: `Wait for it. If whoever started it is gone, \`kubectl -n ${agentsNamespace} delete pod ${working.metadata.name}\` makes it put the earlier files back and end.`,
    });
  }
  const starting = pods.find(
    (pod) => isYoung(pod, now) && pods.every(({ metadata }) => metadata.namespace !== agentsNamespace),
  );
  if (starting !== undefined) {
    throw new Failure("LOCKED", {
      what: `Another restore is about to work on ${claims.map(({ namespace, claim }) => `${namespace}/${claim}`).join(", ")}.`,
      why: `the pod ${starting.metadata.namespace ?? ""}/${starting.metadata.name} holds its volume since ${starting.metadata.creationTimestamp ?? ""}`,
      todo: "Wait for it. If whoever started it is gone, try again in two minutes.",
    });
  }
  await Promise.all(pods.map(({ metadata }) => removePod(kubernetes, metadata)));
  for (const operation of operations) await removeSecrets(kubernetes, agentsNamespace, operation);
};

const removePod = (kubernetes: Kubernetes, metadata: KubeObject["metadata"]): Promise<void> =>
  kubernetes.remove(
    resources.pods,
    { namespace: metadata.namespace ?? "", name: metadata.name },
    { uid: metadata.uid ?? "", gracePeriodSeconds: 0 },
  );

const removeSecrets = async (kubernetes: Kubernetes, namespace: string, operation: string): Promise<void> => {
  const { items } = await kubernetes.list(resources.secrets, { namespace, labels: `${operationLabel}=${operation}` });
  await Promise.all(
    items.map(({ metadata }) =>
      kubernetes.remove(resources.secrets, { namespace, name: metadata.name }, { uid: metadata.uid ?? "" }),
    ),
  );
};
