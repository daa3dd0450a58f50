/**
 * The second mover: Velero's node-agent writes the files, from a PodVolumeRestore made by hand for each volume, and an
 * agent of ours does what comes before and after. It leans on a Velero internal (seen in 1.18): node-agent restores into
 * the volume of a pod whose first init container is called restore-wait.
 */
import type { AgentLine } from "../../agent/lines.ts";
import type { StoreReference } from "../../agent/job.ts";
import type { Clock } from "../../context.ts";
import { Failure } from "../../model/failure.ts";
import type { Agents } from "../../systems/agent/port.ts";
import type { KubeObject, Kubernetes } from "../../systems/kubernetes/port.ts";
import { resources } from "../../systems/kubernetes/resources.ts";
import { helperPod, ownerOf, podVolumeRestore } from "../../systems/velero/hand-made-restore.ts";
import type { PodVolumeRestore } from "../../systems/velero/objects.ts";
import { isTerminal } from "../../systems/velero/phases.ts";
import { type DataMover, mountsOf, type ReplaceItem, replaceJob, type ReplaceTask } from "./replacement.ts";

export interface NodeAgentOptions {
  readonly agents: Agents;
  readonly store: StoreReference;
  readonly kubernetes: Kubernetes;
  readonly clock: Clock;
  readonly veleroNamespace: string;
  readonly storageLocation: string;
  /** Image of the helper pod's idle container. */
  readonly image: string;
  /** ms for each volume. */
  readonly timeout: number;
}

interface Pod extends KubeObject {
  readonly status?: {
    readonly phase?: string;
    readonly initContainerStatuses?: readonly { readonly state?: { readonly terminated?: object } }[];
  };
}

const pollInterval = 300;

const nameOf = ({ namespace, claim }: ReplaceItem): string => `${namespace}/${claim}`;

export class NodeAgentMover implements DataMover {
  readonly #options: NodeAgentOptions;

  constructor(options: NodeAgentOptions) {
    this.#options = options;
  }

  async replace(task: ReplaceTask, onLine: (line: AgentLine) => void, signal: AbortSignal): Promise<void> {
    const { agents, store } = this.#options;
    const { operation, items } = task;
    const mounts = mountsOf(items);
    await agents.run({ operation, job: replaceJob(task, store, "before"), mounts }, onLine, signal);
    await this.#restoreAll(task, onLine, signal);
    await agents.run({ operation, job: replaceJob(task, store, "after"), mounts }, onLine, signal);
  }

  /** All volumes at a time: node-agent itself limits how many it works on. */
  async #restoreAll(task: ReplaceTask, onLine: (line: AgentLine) => void, signal: AbortSignal): Promise<void> {
    const { kubernetes, veleroNamespace } = this.#options;
    const helperImage = await this.#veleroImage();
    const owner = await kubernetes.create(resources.configMaps, ownerOf(task.operation, veleroNamespace));
    try {
      const results = await Promise.allSettled(
        task.items.map((item) => this.#restoreOne({ task, item, owner, helperImage, onLine, signal })),
      );
      for (const result of results) if (result.status === "rejected") throw result.reason;
    } finally {
      // The PodVolumeRestores go with their owner.
      await kubernetes.remove(resources.configMaps, { namespace: veleroNamespace, name: owner.metadata.name });
    }
  }

  async #restoreOne(work: Work): Promise<void> {
    const { kubernetes, veleroNamespace, storageLocation, image } = this.#options;
    const { task, item, owner, helperImage } = work;
    const { namespace, claim } = item;
    const pod = await kubernetes.create<Pod>(
      resources.pods,
      helperPod({ operation: task.operation, key: item.key, namespace, claim, helperImage, image, owner }),
    );
    try {
      const made = await kubernetes.create(
        resources.podVolumeRestores,
        podVolumeRestore({
          operation: task.operation,
          key: item.key,
          namespace: veleroNamespace,
          pod,
          owner,
          storageLocation,
          snapshotId: item.snapshotId,
          sourceNamespace: item.repository,
        }),
      );
      await this.#waitOrCancel(work, made.metadata.name);
      await this.#waitForHelper(work, pod);
    } finally {
      await kubernetes.remove(resources.pods, { namespace, name: pod.metadata.name }, { gracePeriodSeconds: 0 });
    }
  }

  /** Whatever ends the wait early: node-agent must have stopped writing before anybody puts files back. */
  async #waitOrCancel(work: Work, name: string): Promise<void> {
    const { kubernetes, clock, veleroNamespace, timeout } = this.#options;
    try {
      await this.#waitForRestore(work, name);
    } catch (error) {
      const restore = { namespace: veleroNamespace, name };
      await kubernetes.mergePatch(resources.podVolumeRestores, restore, { spec: { cancel: true } });
      const deadline = clock.now() + timeout;
      for (;;) {
        const present = await kubernetes.get<PodVolumeRestore>(resources.podVolumeRestores, restore);
        if (present === undefined || isTerminal(present.status?.phase ?? "New")) throw error;
        if (clock.now() > deadline) {
          throw new Failure("AGENT_FAILED", {
            what: `Velero's node-agent does not stop restoring ${nameOf(work.item)}.`,
            todo: `Wait until \`kubectl -n ${veleroNamespace} get podvolumerestore ${name}\` shows an end, then run the same restore again: it puts the earlier files back first.`,
            cause: error,
          });
        }
        await clock.sleep(pollInterval);
      }
    }
  }

  async #waitForRestore({ item, onLine, signal }: Work, name: string): Promise<void> {
    const { kubernetes, clock, veleroNamespace, timeout } = this.#options;
    const volume = nameOf(item);
    const deadline = clock.now() + timeout;
    for (;;) {
      const restore = await kubernetes.get<PodVolumeRestore>(resources.podVolumeRestores, {
        namespace: veleroNamespace,
        name,
      });
      const { phase = "New", message, progress } = restore?.status ?? {};
      if (phase === "Completed") return;
      if (restore === undefined || isTerminal(phase)) {
        throw new Failure("AGENT_FAILED", {
          what: `Velero's node-agent did not restore ${volume}: it ended as ${restore === undefined ? "deleted" : phase}.`,
          ...(message === undefined ? {} : { why: message }),
          todo: "Restore without --mover node-agent.",
        });
      }
      if (clock.now() > deadline)
        throw new Failure("TIMEOUT", {
          what: `Velero's node-agent has not restored ${volume} in time (${phase}).`,
          todo: "Give a longer --timeout, or restore without --mover node-agent.",
        });
      onLine({ type: "progress", volume, files: 0, bytes: progress?.bytesDone ?? 0 });
      await clock.sleep(pollInterval, signal);
    }
  }

  /** The helper removes Velero's own marker from the volume as the last thing it does. */
  async #waitForHelper({ item, signal }: Work, pod: Pod): Promise<void> {
    const { kubernetes, clock, timeout } = this.#options;
    const deadline = clock.now() + timeout;
    for (;;) {
      const present = await kubernetes.get<Pod>(resources.pods, {
        namespace: item.namespace,
        name: pod.metadata.name,
      });
      if (present?.status?.initContainerStatuses?.[0]?.state?.terminated !== undefined) return;
      if (clock.now() > deadline)
        throw new Failure("TIMEOUT", { what: `Velero's restore helper in ${nameOf(item)} does not end.` });
      await clock.sleep(pollInterval, signal);
    }
  }

  async #veleroImage(): Promise<string> {
    const { kubernetes, veleroNamespace } = this.#options;
    const velero = await kubernetes.get<VeleroDeployment>(resources.deployments, {
      namespace: veleroNamespace,
      name: "velero",
    });
    const image = velero?.spec.template.spec.containers[0]?.image;
    if (image === undefined)
      throw new Failure("VELERO_ABSENT", {
        what: `There is no Deployment velero in the namespace ${veleroNamespace}.`,
        todo: "Restore without --mover node-agent: the default mover needs no Velero.",
      });
    return image;
  }
}

interface VeleroDeployment extends KubeObject {
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: readonly { readonly image?: string }[] } };
  };
}

interface Work {
  readonly task: ReplaceTask;
  readonly item: ReplaceItem;
  readonly owner: KubeObject;
  readonly helperImage: string;
  readonly onLine: (line: AgentLine) => void;
  readonly signal: AbortSignal;
}
