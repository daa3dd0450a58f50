import type { Randomness } from "./backoff.ts";
import { hasEnded, isReady, MemoryKubelet, type KubeletOptions, type Pod } from "./memory-kubelet.ts";
import type { MemoryKubernetes } from "./memory.ts";
import type { KubeObject, ObjectMeta, Resource } from "./port.ts";
import { resources } from "./resources.ts";

export interface ControllerOptions extends KubeletOptions, Randomness {}

interface Workload extends KubeObject {
  readonly metadata: ObjectMeta & { readonly uid: string; readonly namespace: string };
  readonly spec?: {
    readonly replicas?: number;
    readonly selector?: { readonly matchLabels?: Record<string, string> };
    readonly template?: { readonly metadata?: Partial<ObjectMeta>; readonly spec?: object };
    readonly volumeClaimTemplates?: readonly KubeObject[];
  };
  readonly status?: object;
}

/**
 * Twins of kube-controller-manager and kubelet for one MemoryKubernetes: Deployments make ReplicaSets, these and
 * StatefulSets make pods, and pods become Ready and end in their own time. `stop` ends them.
 */
export class MemoryControllers {
  readonly #memory: MemoryKubernetes;
  readonly #options: ControllerOptions;
  readonly #kubelet: MemoryKubelet;
  readonly #subscriptions: (() => void)[];
  /** One reconcile at a time, as one worker would. */
  #queue: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(memory: MemoryKubernetes, options: ControllerOptions) {
    this.#memory = memory.as("system:kube-controller-manager");
    this.#options = options;
    this.#kubelet = new MemoryKubelet(memory, options, (work) => this.#enqueue(work));
    const whole = (resource: Resource, reconcile: (workload: Workload) => Promise<void>): (() => void) =>
      memory.onChange(resource, ({ type, object }) => {
        if (type !== "DELETED") this.#enqueue(() => this.#fresh(resource, object, reconcile));
      });
    this.#subscriptions = [
      whole(resources.deployments, (deployment) => this.#deployment(deployment)),
      whole(resources.replicaSets, (replicaSet) => this.#replicas(resources.replicaSets, replicaSet)),
      whole(resources.statefulSets, (statefulSet) => this.#replicas(resources.statefulSets, statefulSet)),
      memory.onChange(resources.pods, ({ object }) => this.#wakeOwnersOf(object)),
    ];
  }

  /** Nothing is reconciled any more. */
  stop(): void {
    for (const unsubscribe of this.#subscriptions) unsubscribe();
    this.#kubelet.stop();
    this.#isStopped = true;
  }

  /** Resolves when everything that was to be done at once has been done. */
  async settled(): Promise<void> {
    let seen: Promise<void> | undefined;
    while (seen !== this.#queue) {
      seen = this.#queue;
      await seen;
      // Change handlers run in microtasks and may have added something.
      for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
    }
  }

  #enqueue(work: () => Promise<void>): void {
    this.#queue = this.#queue.then(() => (this.#isStopped ? undefined : work()));
  }

  async #fresh(
    resource: Resource,
    object: KubeObject,
    reconcile: (workload: Workload) => Promise<void>,
  ): Promise<void> {
    const current = await this.#memory.get<Workload>(resource, object.metadata);
    if (current !== undefined && current.metadata.deletionTimestamp === undefined) await reconcile(current);
  }

  async #deployment(deployment: Workload): Promise<void> {
    const { namespace, uid } = deployment.metadata;
    const sets = (await this.#memory.list<Workload>(resources.replicaSets, { namespace })).items.filter((set) =>
      isOwned(set, uid),
    );
    const hash = hashOf(JSON.stringify(deployment.spec?.template ?? {}));
    const current = sets.find((set) => set.metadata.labels?.["pod-template-hash"] === hash);
    if (current === undefined) await this.#memory.create(resources.replicaSets, replicaSetOf(deployment, hash));
    for (const set of sets) {
      const replicas = set === current ? replicasOf(deployment) : 0;
      if (replicasOf(set) !== replicas)
        await this.#memory.mergePatch(resources.replicaSets, set.metadata, { spec: { replicas } });
    }
    const pods = (await Promise.all(sets.map((set) => this.#podsOf(set)))).flat();
    await this.#report(resources.deployments, deployment, pods);
  }

  async #replicas(resource: Resource, workload: Workload): Promise<void> {
    const pods = await this.#podsOf(workload);
    // A pod of a StatefulSet keeps its name busy until it is gone; a ReplicaSet replaces one that is going.
    const isStateful = resource.plural === "statefulsets";
    const wanted = replicasOf(workload);
    const standing = pods.filter((pod) => pod.metadata.deletionTimestamp === undefined && !hasEnded(pod));
    if (isStateful) await this.#ordinals(workload, pods, wanted);
    else {
      for (let count = standing.length; count < wanted; count += 1) await this.#createPod(workload);
      for (const pod of standing.slice(wanted)) await this.#memory.remove(resources.pods, pod.metadata);
    }
    await this.#report(resource, workload, await this.#podsOf(workload));
    await this.#wakeOwner(workload);
  }

  async #ordinals(workload: Workload, pods: readonly Pod[], wanted: number): Promise<void> {
    const names = Array.from({ length: wanted }, (_, ordinal) => `${workload.metadata.name}-${ordinal}`);
    for (const [ordinal, name] of names.entries()) {
      if (pods.some((pod) => pod.metadata.name === name)) continue;
      await this.#claims(workload, ordinal);
      await this.#createPod(workload, name);
    }
    for (const pod of pods) {
      const isGoing = pod.metadata.deletionTimestamp !== undefined;
      if (!isGoing && !names.includes(pod.metadata.name)) await this.#memory.remove(resources.pods, pod.metadata);
    }
  }

  async #claims(workload: Workload, ordinal: number): Promise<void> {
    const { name, namespace } = workload.metadata;
    for (const template of workload.spec?.volumeClaimTemplates ?? []) {
      const claim = { name: `${template.metadata.name}-${name}-${ordinal}`, namespace };
      if ((await this.#memory.get(resources.persistentVolumeClaims, claim)) !== undefined) continue;
      const metadata = { ...template.metadata, ...claim };
      await this.#memory.create(resources.persistentVolumeClaims, { ...template, metadata });
    }
  }

  async #createPod(workload: Workload, name?: string): Promise<void> {
    const template = workload.spec?.template;
    const metadata = {
      ...template?.metadata,
      name: name ?? `${workload.metadata.name}-${this.#options.randomId(5)}`,
      namespace: workload.metadata.namespace,
      ownerReferences: [ownedBy(workload)],
    };
    const pod = { metadata, spec: { ...template?.spec } };
    await this.#memory.create(resources.pods, pod);
  }

  async #podsOf(workload: Workload): Promise<Pod[]> {
    const { items } = await this.#memory.list<Pod>(resources.pods, { namespace: workload.metadata.namespace });
    return items.filter((pod) => isOwned(pod, workload.metadata.uid));
  }

  async #report(resource: Resource, workload: Workload, pods: readonly Pod[]): Promise<void> {
    const ready = pods.filter((pod) => isReady(pod) && pod.metadata.deletionTimestamp === undefined).length;
    const replicas = pods.filter((pod) => pod.metadata.deletionTimestamp === undefined).length;
    const counts = { replicas, readyReplicas: ready, availableReplicas: ready, updatedReplicas: replicas };
    const status = { observedGeneration: workload.metadata.generation, ...counts };
    await this.#memory.mergePatch(resource, workload.metadata, { status }, { subresource: "status" });
  }

  async #wakeOwner(workload: Workload): Promise<void> {
    const owner = workload.metadata.ownerReferences?.find(({ kind }) => kind === "Deployment");
    if (owner === undefined) return;
    const name = { name: owner.name, namespace: workload.metadata.namespace };
    const deployment = await this.#memory.get<Workload>(resources.deployments, name);
    if (deployment !== undefined && deployment.metadata.deletionTimestamp === undefined) {
      await this.#deployment(deployment);
    }
  }

  #wakeOwnersOf(pod: KubeObject): void {
    for (const owner of pod.metadata.ownerReferences ?? []) {
      const resource = { ReplicaSet: resources.replicaSets, StatefulSet: resources.statefulSets }[owner.kind];
      if (resource === undefined) continue;
      const name = {
        name: owner.name,
        ...(pod.metadata.namespace === undefined ? {} : { namespace: pod.metadata.namespace }),
      };
      this.#enqueue(() => this.#fresh(resource, { metadata: name }, (set) => this.#replicas(resource, set)));
    }
  }
}

const replicasOf = (workload: Workload): number => workload.spec?.replicas ?? 1;

const isOwned = (object: KubeObject, uid: string): boolean =>
  object.metadata.ownerReferences?.some((owner) => owner.uid === uid && owner.controller === true) === true;

const ownedBy = ({ apiVersion = "apps/v1", kind = "", metadata }: Workload) => ({
  apiVersion,
  kind,
  name: metadata.name,
  uid: metadata.uid,
  controller: true,
  blockOwnerDeletion: true,
});

const replicaSetOf = (deployment: Workload, hash: string): KubeObject => {
  const { name, namespace } = deployment.metadata;
  const template = deployment.spec?.template;
  const labels = { ...template?.metadata?.labels, "pod-template-hash": hash };
  const spec = {
    replicas: replicasOf(deployment),
    selector: { matchLabels: { ...deployment.spec?.selector?.matchLabels, "pod-template-hash": hash } },
    template: { ...template, metadata: { ...template?.metadata, labels } },
  };
  const metadata = { name: `${name}-${hash}`, namespace, labels, ownerReferences: [ownedBy(deployment)] };
  return { metadata, spec } as KubeObject;
};

/** A short name for a template; equal templates have equal ones. */
const hashOf = (text: string): string => {
  let hash = 5381;
  for (const letter of text) hash = (hash * 33 + (letter.codePointAt(0) ?? 0)) % 2 ** 32;
  return hash.toString(36);
};
