/**
 * Velero's node-agent in memory: it restores what PodVolumeRestores ask for, a part at each turn of the event loop, whether
 * or not whoever made them is alive, and stops when one is cancelled.
 */
import type { MemoryVolumes } from "../../systems/agent/memory-volumes.ts";
import type { MemoryKubernetes } from "../../systems/kubernetes/memory.ts";
import type { KubeObject, ObjectName } from "../../systems/kubernetes/port.ts";
import { resources } from "../../systems/kubernetes/resources.ts";

interface Restore extends KubeObject {
  readonly spec: {
    readonly pod: { readonly namespace: string; readonly name: string };
    readonly snapshotID: string;
    readonly cancel?: boolean;
  };
}

interface Pod extends KubeObject {
  readonly spec: { readonly volumes?: readonly { readonly persistentVolumeClaim?: { readonly claimName: string } }[] };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export class MemoryNodeAgent {
  readonly #kubernetes: MemoryKubernetes;
  readonly #volumes: MemoryVolumes;
  readonly #known = new Set<string>();
  readonly stop: () => void;

  constructor(kubernetes: MemoryKubernetes, volumes: MemoryVolumes) {
    this.#kubernetes = kubernetes.as("node-agent");
    this.#volumes = volumes;
    this.stop = kubernetes.onChange(resources.podVolumeRestores, () => void this.#look());
  }

  async #look(): Promise<void> {
    const { items } = await this.#kubernetes.list<Restore>(resources.podVolumeRestores);
    for (const restore of items.filter(({ metadata }) => !this.#known.has(metadata.name))) {
      this.#known.add(restore.metadata.name);
      await this.#restore(restore);
    }
  }

  async #restore({ metadata, spec }: Restore): Promise<void> {
    const pod = await this.#kubernetes.get<Pod>(resources.pods, spec.pod);
    const claim = pod?.spec.volumes?.[0]?.persistentVolumeClaim?.claimName;
    if (claim === undefined) return this.#phase(metadata, "Failed");
    await this.#phase(metadata, "InProgress");
    const content = this.#volumes.copy(spec.snapshotID);
    for (const part of [`part of ${content}`, content]) {
      await turn();
      const present = await this.#kubernetes.get<Restore>(resources.podVolumeRestores, nameOf(metadata));
      if (present?.spec.cancel === true) return this.#phase(metadata, "Canceled");
      this.#volumes.write(`${spec.pod.namespace}/${claim}`, part);
    }
    await this.#phase(metadata, "Completed");
    await this.#endHelper(spec.pod);
  }

  /** Velero's objects have no status subresource. */
  async #phase(metadata: KubeObject["metadata"], phase: string): Promise<void> {
    await this.#kubernetes.mergePatch(resources.podVolumeRestores, nameOf(metadata), { status: { phase } });
  }

  async #endHelper(pod: ObjectName): Promise<void> {
    if ((await this.#kubernetes.get(resources.pods, pod)) === undefined) return;
    const status = { initContainerStatuses: [{ state: { terminated: { exitCode: 0 } } }] };
    await this.#kubernetes.mergePatch(resources.pods, pod, { status }, { subresource: "status" });
  }
}

const nameOf = ({ namespace = "", name }: KubeObject["metadata"]): ObjectName => ({ namespace, name });
