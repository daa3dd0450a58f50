/** Stops the workloads of a restore and starts them again: replicas are recorded on the workload before they change. */
import type { Clock } from "../context.ts";
import type { Pod } from "../inventory/raw.ts";
import { Failure } from "../model/failure.ts";
import { changeObject } from "../systems/kubernetes/changing.ts";
import type { KubeObject, Kubernetes, Resource } from "../systems/kubernetes/port.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import { operationLabel } from "../systems/agent/labels.ts";
import type { Stop } from "./plan.ts";
import { ownerKey, type Scalable } from "./owners.ts";

/** A claim, by name. */
export interface ClaimName {
  readonly namespace: string;
  readonly claim: string;
}

/** Replicas before the restore, on the workload itself: they survive the loss of the process that stopped it. */
export const replicasAnnotation = "holdfast.dev/replicas-before-restore";

const resourceOf: Readonly<Record<Scalable["kind"], Resource>> = {
  Deployment: resources.deployments,
  StatefulSet: resources.statefulSets,
  ReplicaSet: resources.replicaSets,
};

interface Workload extends KubeObject {
  readonly spec: {
    readonly replicas?: number;
    readonly persistentVolumeClaimRetentionPolicy?: { readonly whenScaled?: string };
  };
  readonly status?: {
    readonly replicas?: number;
    readonly readyReplicas?: number;
    readonly observedGeneration?: number;
  };
}

const read = (kubernetes: Kubernetes, owner: Scalable): Promise<Workload | undefined> =>
  kubernetes.get<Workload>(resourceOf[owner.kind], { namespace: owner.namespace, name: owner.name });

/**
 * Replicas to come back to: what an interrupted restore recorded counts more than the present zero. Throws TARGET_IN_USE
 * for a StatefulSet that cannot be stopped without losing its claims.
 */
export const readReplicas = async (kubernetes: Kubernetes, owner: Scalable): Promise<number | undefined> => {
  const workload = await read(kubernetes, owner);
  if (workload === undefined) return undefined;
  if (workload.spec.persistentVolumeClaimRetentionPolicy?.whenScaled === "Delete")
    throw new Failure("TARGET_IN_USE", {
      what: `StatefulSet ${owner.namespace}/${owner.name} deletes its claims when it is scaled down.`,
      why: "its persistentVolumeClaimRetentionPolicy.whenScaled is Delete, and it must stand still for a restore",
      todo: "Set it to Retain, then restore again.",
    });
  const recorded = workload.metadata.annotations?.[replicasAnnotation];
  const present = workload.spec.replicas ?? 1;
  return present === 0 && recorded !== undefined ? Number(recorded) : present;
};

/** Its controller writes the status all the time while pods come and go. */
const attempts = 10;

const changing = async (
  kubernetes: Kubernetes,
  { kind, namespace, name }: Scalable,
  change: (workload: Workload) => object | undefined,
): Promise<void> =>
  void (await changeObject<Workload>(
    { kubernetes, resource: resourceOf[kind], name: { namespace, name }, attempts },
    change,
  ));

/** Reads the replicas of all of them: what a plan asks for. Throws TARGET_IN_USE as `readReplicas`. */
export const replicasOf = async (
  kubernetes: Kubernetes,
  owners: readonly Scalable[],
): Promise<(owner: Scalable) => number | undefined> => {
  const read = async (owner: Scalable) => [ownerKey(owner), await readReplicas(kubernetes, owner)] as const;
  const known = new Map(await Promise.all(owners.map(read)));
  return (owner) => known.get(ownerKey(owner));
};

/** Sets replicas to zero and remembers what they were. May be called twice. A workload that is gone is stopped. */
export const stopWorkload = (kubernetes: Kubernetes, stop: Scalable): Promise<void> =>
  changing(kubernetes, stop, (workload) => {
    const replicas = workload.spec.replicas ?? 1;
    const recorded = workload.metadata.annotations?.[replicasAnnotation];
    if (replicas === 0 && recorded !== undefined) return undefined;
    return {
      metadata: { annotations: { [replicasAnnotation]: String(replicas) } },
      spec: { replicas: 0 },
    };
  });

/**
 * Gives the recorded replicas back and forgets the record. May be called twice: without a record nothing was stopped, or
 * it is started already. `stop.replicas` counts when the record is lost and the workload stands still.
 */
export const startWorkload = (kubernetes: Kubernetes, stop: Stop): Promise<void> =>
  changing(kubernetes, stop, (workload) => {
    const recorded = workload.metadata.annotations?.[replicasAnnotation];
    const present = workload.spec.replicas ?? 1;
    const replicas = recorded === undefined ? stop.replicas : Number(recorded);
    if (recorded === undefined && (present > 0 || replicas === 0)) return undefined;
    return {
      metadata: { annotations: { [replicasAnnotation]: null } },
      spec: { replicas: present > 0 ? present : replicas },
    };
  });

/** Whether a workload stands still by our doing. One that is gone does, too. */
export const isStopped = async (kubernetes: Kubernetes, owner: Scalable): Promise<boolean> => {
  const workload = await read(kubernetes, owner);
  if (workload === undefined) return true;
  return (workload.spec.replicas ?? 1) === 0 && workload.metadata.annotations?.[replicasAnnotation] !== undefined;
};

/** Pods that use one of the claims and have not ended. Cost: a list of the pods of each namespace. */
export const podsUsing = async (kubernetes: Kubernetes, volumes: readonly ClaimName[]): Promise<readonly Pod[]> => {
  const namespaces = [...new Set(volumes.map((volume) => volume.namespace))];
  const lists = await Promise.all(namespaces.map((namespace) => kubernetes.list<Pod>(resources.pods, { namespace })));
  return lists
    .flatMap(({ items }) => items)
    .filter((pod) => !hasEnded(pod) && volumes.some((volume) => uses(pod, volume)));
};

/** Those that are not ours: ours hold a claim for a restore. */
export const othersUsing = async (kubernetes: Kubernetes, volumes: readonly ClaimName[]): Promise<readonly Pod[]> =>
  (await podsUsing(kubernetes, volumes)).filter(({ metadata }) => metadata.labels?.[operationLabel] === undefined);

const hasEnded = ({ status }: Pod): boolean => ["Succeeded", "Failed"].includes(status?.phase ?? "");

const uses = ({ metadata, spec }: Pod, { namespace, claim }: ClaimName): boolean =>
  metadata.namespace === namespace &&
  (spec.volumes ?? []).some(({ name, persistentVolumeClaim, ephemeral }) =>
    ephemeral === undefined ? persistentVolumeClaim?.claimName === claim : `${metadata.name}-${name}` === claim,
  );

export interface Waiting {
  readonly clock: Clock;
  readonly kubernetes: Kubernetes;
  /** ms */
  readonly timeout: number;
  readonly signal: AbortSignal;
}

const pollInterval = 200;

/** Waits until no pod uses the claims. Throws TARGET_IN_USE naming the pods when they do not end. */
export const waitUntilUnused = async (waiting: Waiting, volumes: readonly ClaimName[]): Promise<void> => {
  const { clock } = waiting;
  const deadline = clock.now() + waiting.timeout;
  for (;;) {
    const pods = await othersUsing(waiting.kubernetes, volumes);
    if (pods.length === 0) return;
    if (clock.now() > deadline) {
      const names = pods.map((pod) => `${pod.metadata.namespace}/${pod.metadata.name}`).join(", ");
      throw new Failure("TARGET_IN_USE", {
        what: `Pods still use the volume: ${names}.`,
        todo: "Stop what makes them, then try again.",
      });
    }
    await clock.sleep(pollInterval, waiting.signal);
  }
};

/** Waits until every started workload has all its replicas Ready. Throws APP_NOT_READY. */
export const waitUntilReady = async (waiting: Waiting, stops: readonly Stop[]): Promise<void> => {
  const { clock } = waiting;
  const deadline = clock.now() + waiting.timeout;
  for (;;) {
    const states = await Promise.all(
      stops.map(async (stop) => ({ stop, workload: await read(waiting.kubernetes, stop) })),
    );
    const late = states
      .filter(({ workload }) => !isReady(workload))
      .map(({ stop }) => `${stop.kind} ${stop.namespace}/${stop.name}`);
    if (late.length === 0) return;
    if (clock.now() > deadline) {
      throw new Failure("APP_NOT_READY", {
        what: `The data is restored and verified, but ${late.join(", ")} is not Ready.`,
        todo: "Look at its pods: kubectl describe, kubectl logs.",
      });
    }
    await clock.sleep(pollInterval, waiting.signal);
  }
};

const isReady = (workload: Workload | undefined): boolean => {
  if (workload === undefined) return false;
  const current = (workload.status?.observedGeneration ?? 0) >= (workload.metadata.generation ?? 0);
  // Somebody may have wanted other replicas since the plan was made.
  return current && (workload.status?.readyReplicas ?? 0) >= (workload.spec.replicas ?? 1);
};
