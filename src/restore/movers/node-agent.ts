/**
 * The second mover: Velero's node-agent writes the files, from a PodVolumeRestore made by hand for each volume, and an
 * agent of ours does what comes before and after. It leans on a Velero internal (seen in 1.18): node-agent restores into
 * the volume of a pod whose first init container is called restore-wait.
 */
import type { AgentLine } from "../../agent/lines.ts";
import type { StoreReference } from "../../agent/job.ts";
import type { Clock } from "../../context.ts";
import { Failure } from "../../model/failure.ts";
import { operationLabel } from "../../systems/agent/labels.ts";
import type { Agents } from "../../systems/agent/port.ts";
import type { KubeObject, Kubernetes, Resource } from "../../systems/kubernetes/port.ts";
import { resources } from "../../systems/kubernetes/resources.ts";
import {
  helperPod,
  helpersOf,
  ownerOf,
  podVolumeRestore,
  type RunName,
} from "../../systems/velero/hand-made-restore.ts";
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
  readonly randomId: (length: number) => string;
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
    // An earlier run may have decided it already: then the files stand, and only its end is missing.
    let isDecided = false;
    const hear = (line: AgentLine): void => {
      isDecided ||= line.type === "decided";
      onLine(line);
    };
    await agents.run({ operation, job: replaceJob(task, store, "before"), mounts }, hear, signal);
    if (!isDecided) await this.#restoreAll(task, onLine, signal);
    await agents.run({ operation, job: replaceJob(task, store, "after"), mounts }, onLine, signal);
  }

  async clear(operation: string): Promise<void> {
    const { kubernetes, veleroNamespace: namespace } = this.#options;
    const selection = { namespace, labels: `${operationLabel}=${operation}` };
    const restores = await kubernetes.list<PodVolumeRestore>(resources.podVolumeRestores, selection);
    const working = restores.items.filter(({ status }) => !isTerminal(status?.phase ?? "New"));
    for (const { metadata } of working)
      await kubernetes.mergePatch(
        resources.podVolumeRestores,
        { namespace, name: metadata.name },
        { spec: { cancel: true } },
      );
    const [first] = working;
    if (first !== undefined) throw stillWriting(namespace, first.metadata.name);
    const helpers = await kubernetes.list(resources.pods, { labels: helpersOf(operation) });
    await Promise.all(helpers.items.map((pod) => removeOwned(kubernetes, resources.pods, pod)));
    // The PodVolumeRestores go with their owners.
    const owners = await kubernetes.list(resources.configMaps, selection);
    await Promise.all(owners.items.map((owner) => removeOwned(kubernetes, resources.configMaps, owner)));
  }

  /** All volumes at a time: node-agent itself limits how many it works on. */
  async #restoreAll(task: ReplaceTask, onLine: (line: AgentLine) => void, signal: AbortSignal): Promise<void> {
    const { kubernetes, veleroNamespace, randomId } = this.#options;
    const helperImage = await this.#veleroImage();
    const name = { operation: task.operation, run: randomId(4) };
    const owner = await kubernetes.create(resources.configMaps, ownerOf(name, veleroNamespace));
    try {
      const results = await Promise.allSettled(
        task.items.map((item) => this.#restoreOne({ name, item, owner, helperImage, onLine, signal })),
      );
      for (const result of results) if (result.status === "rejected") throw result.reason;
    } finally {
      // The PodVolumeRestores go with their owner.
      await removeOwned(kubernetes, resources.configMaps, owner);
    }
  }

  async #restoreOne(work: Work): Promise<void> {
    const { kubernetes, veleroNamespace, storageLocation, image } = this.#options;
    const { name, item, owner, helperImage } = work;
    const { namespace, claim } = item;
    const pod = await kubernetes.create<Pod>(
      resources.pods,
      helperPod({ ...name, key: item.key, namespace, claim, helperImage, image, owner }),
    );
    try {
      const made = await kubernetes.create(
        resources.podVolumeRestores,
        podVolumeRestore({
          ...name,
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
      await removeOwned(kubernetes, resources.pods, pod);
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
  readonly name: RunName;
  readonly item: ReplaceItem;
  readonly owner: KubeObject;
  readonly helperImage: string;
  readonly onLine: (line: AgentLine) => void;
  readonly signal: AbortSignal;
}

/** Removes exactly this object, not another of its name. */
const removeOwned = (kubernetes: Kubernetes, resource: Resource, { metadata }: KubeObject): Promise<void> =>
  kubernetes.remove(
    resource,
    { namespace: metadata.namespace ?? "", name: metadata.name },
    { uid: metadata.uid ?? "", gracePeriodSeconds: 0 },
  );

const stillWriting = (namespace: string, name: string): Failure =>
  new Failure("LOCKED", {
    what: "Velero's node-agent may still be writing for an earlier run of this restore.",
    why: `the PodVolumeRestore ${namespace}/${name} was told to stop and has not ended`,
    todo: `Try again when \`kubectl -n ${namespace} get podvolumerestore ${name}\` shows an end. When no node-agent runs any more on its node, delete it.`,
  });
