/**
 * Twin of Argo CD's application controller for one MemoryKubernetes, as far as freezing shows: it deletes claims that are
 * not in git, gives Deployments their replicas back, and stops when it is told to. `stop` ends it.
 */
import type { MemoryKubernetes } from "../kubernetes/memory.ts";
import type { KubeObject } from "../kubernetes/port.ts";
import { resources } from "../kubernetes/resources.ts";
import type { Application } from "./argo-objects.ts";
import { trackingAnnotation } from "./tracking.ts";
import { syncsByItself } from "./freezing.ts";

export class MemoryArgo {
  /** "namespace/name" of the claims that git has. */
  readonly git = new Set<string>();
  readonly #memory: MemoryKubernetes;
  readonly #subscriptions: (() => void)[];
  #queue: Promise<void> = Promise.resolve();

  constructor(memory: MemoryKubernetes) {
    this.#memory = memory.as("system:serviceaccount:argocd:argocd-application-controller");
    const look = (): void => {
      this.#queue = this.#queue.then(() => this.#reconcile());
    };
    this.#subscriptions = [resources.applications, resources.persistentVolumeClaims, resources.deployments].map(
      (kind) => memory.onChange(kind, look),
    );
  }

  stop(): void {
    for (const unsubscribe of this.#subscriptions) unsubscribe();
  }

  async #reconcile(): Promise<void> {
    const { items } = await this.#memory.list<Application>(resources.applications);
    for (const application of items) {
      if (application.status?.operationState?.phase === "Terminating") await this.#phase(application, "Failed");
      else if (syncsByItself(application)) await this.#sync(application);
    }
  }

  async #sync(application: Application): Promise<void> {
    const claims = await this.#memory.list<KubeObject>(resources.persistentVolumeClaims);
    for (const { metadata } of claims.items) {
      const { namespace = "", name, annotations = {}, deletionTimestamp, uid = "" } = metadata;
      const isTracked = annotations[trackingAnnotation]?.startsWith(`${application.metadata.name}:`) === true;
      const isKept = annotations["argocd.argoproj.io/sync-options"]?.split(",").includes("Prune=false") === true;
      if (!isTracked || isKept || deletionTimestamp !== undefined || this.git.has(`${namespace}/${name}`)) continue;
      await this.#memory.remove(resources.persistentVolumeClaims, { namespace, name }, { uid });
    }
    const deployments = await this.#memory.list<KubeObject & { readonly spec: { readonly replicas?: number } }>(
      resources.deployments,
    );
    for (const { metadata, spec } of deployments.items)
      if (spec.replicas === 0)
        await this.#memory.mergePatch(
          resources.deployments,
          { namespace: metadata.namespace ?? "", name: metadata.name },
          { spec: { replicas: 1 } },
        );
  }

  async #phase({ metadata }: Application, phase: string): Promise<void> {
    const name = { namespace: metadata.namespace ?? "", name: metadata.name };
    await this.#memory.mergePatch(resources.applications, name, {
      operation: null,
      status: { operationState: { phase } },
    });
  }
}
