/**
 * Twin of the binder of kube-controller-manager for one MemoryKubernetes: claims and PersistentVolumes find each other by
 * name, a claim that is deleted goes when no pod uses it any more, and a volume whose claim is gone is released. It
 * provisions nothing, and it reclaims nothing: what a reclaim policy of Delete would have destroyed is listed in `reclaimed`.
 */
import { apiErrorOf } from "./api-error.ts";
import { hasEnded, type Pod } from "./memory-kubelet.ts";
import type { MemoryKubernetes } from "./memory.ts";
import type { KubeObject } from "./port.ts";
import { resources } from "./resources.ts";

interface Claim extends KubeObject {
  readonly spec: { readonly volumeName?: string };
  readonly status?: { readonly phase?: string };
}

interface Volume extends KubeObject {
  readonly spec: {
    readonly claimRef?: { readonly namespace: string; readonly name: string; readonly uid?: string };
    readonly persistentVolumeReclaimPolicy?: string;
  };
  readonly status?: { readonly phase?: string };
}

const protection = "kubernetes.io/pvc-protection";

const isProtected = ({ metadata }: Claim): boolean =>
  metadata.deletionTimestamp !== undefined && metadata.finalizers?.includes(protection) === true;

const uses = ({ spec }: Pod, claim: string): boolean =>
  spec?.volumes?.some(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName === claim) === true;

/** What has gone since it was listed needs nothing more; what has changed is looked at again. */
const ifUnchanged = async (work: Promise<void>): Promise<void> => {
  try {
    await work;
  } catch (error) {
    if (![404, 409].includes(apiErrorOf(error)?.status ?? 0)) throw error;
  }
};

export class MemoryBinder {
  /** Names of volumes that were released while they said Delete. */
  readonly reclaimed = new Set<string>();
  readonly #memory: MemoryKubernetes;
  readonly #subscriptions: (() => void)[];
  #queue: Promise<void> = Promise.resolve();

  constructor(memory: MemoryKubernetes) {
    this.#memory = memory.as("system:persistent-volume-binder");
    const look = (): void => {
      this.#queue = this.#queue.then(() => this.#look());
    };
    const seen = [resources.persistentVolumes, resources.persistentVolumeClaims, resources.pods];
    this.#subscriptions = seen.map((kind) => memory.onChange(kind, look));
  }

  stop(): void {
    for (const unsubscribe of this.#subscriptions) unsubscribe();
  }

  async #look(): Promise<void> {
    const claims = await this.#memory.list<Claim>(resources.persistentVolumeClaims);
    for (const claim of claims.items) if (isProtected(claim)) await ifUnchanged(this.#letGo(claim));
    const { items } = await this.#memory.list<Volume>(resources.persistentVolumes);
    for (const volume of items) await ifUnchanged(this.#settle(volume));
  }

  /** As the controller for pvc-protection does. */
  async #letGo({ metadata }: Claim): Promise<void> {
    const { namespace = "", name, resourceVersion, finalizers = [] } = metadata;
    const pods = await this.#memory.list<Pod>(resources.pods, { namespace });
    if (pods.items.some((pod) => !hasEnded(pod) && uses(pod, name))) return;
    const others = finalizers.filter((finalizer) => finalizer !== protection);
    const patch = { metadata: { resourceVersion, finalizers: others } };
    await this.#memory.mergePatch(resources.persistentVolumeClaims, { namespace, name }, patch);
  }

  async #settle(volume: Volume): Promise<void> {
    const { claimRef } = volume.spec;
    const claim = claimRef === undefined ? undefined : await this.#claim(claimRef);
    if (claimRef === undefined) return this.#phase(volume, "Available");
    if (claimRef.uid === undefined) {
      const fits = claim !== undefined && (claim.spec.volumeName ?? volume.metadata.name) === volume.metadata.name;
      return fits && claim.metadata.deletionTimestamp === undefined
        ? this.#bind(volume, claim)
        : this.#phase(volume, "Available");
    }
    if (claim?.metadata.uid === claimRef.uid) return;
    if (volume.spec.persistentVolumeReclaimPolicy === "Delete") this.reclaimed.add(volume.metadata.name);
    return this.#phase(volume, "Released");
  }

  #claim({ namespace, name }: { readonly namespace: string; readonly name: string }): Promise<Claim | undefined> {
    return this.#memory.get<Claim>(resources.persistentVolumeClaims, { namespace, name });
  }

  async #bind(volume: Volume, claim: Claim): Promise<void> {
    const { name } = volume.metadata;
    const { uid, namespace = "", name: claimName } = claim.metadata;
    await this.#memory.mergePatch(resources.persistentVolumes, { name }, { spec: { claimRef: { uid } } });
    await this.#phase(volume, "Bound");
    const claimed = { namespace, name: claimName };
    await this.#memory.mergePatch(resources.persistentVolumeClaims, claimed, {
      metadata: { annotations: { "pv.kubernetes.io/bind-completed": "yes" } },
      spec: { volumeName: name },
    });
    const status = { status: { phase: "Bound" } };
    await this.#memory.mergePatch(resources.persistentVolumeClaims, claimed, status, { subresource: "status" });
  }

  async #phase(volume: Volume, phase: string): Promise<void> {
    if (volume.status?.phase === phase) return;
    const { name } = volume.metadata;
    await this.#memory.mergePatch(
      resources.persistentVolumes,
      { name },
      { status: { phase } },
      { subresource: "status" },
    );
  }
}
