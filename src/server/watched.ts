/** Everything that the server watches: what `guard on` reads, but for pods and for makers that no volume hangs on. */
import type { Application, ArgoView } from "../guard/protect/argo.ts";
import { policyName } from "../guard/protect/policy.ts";
import { type GuardView, type PolicyView, tooOld, unreadable } from "../guard/protect/view.ts";
import type { Claim, Namespace, PersistentVolume, PodMaker } from "../inventory/raw.ts";
import { type ClusterObjects, volumesOf } from "../inventory/volumes.ts";
import type { KubeObject } from "../systems/kubernetes/port.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import { Mirror, type MirrorWorld } from "./mirror.ts";

/** What of the policy's view is asked for, and not watched. */
export interface Asked {
  readonly version: string;
  readonly lacks: readonly string[];
}

const named = ({ metadata }: KubeObject): boolean => metadata.name === policyName;

/** Cost: one watch a kind, nine in all, and their objects in memory. */
export class Watched {
  readonly claims = new Mirror<Claim>(resources.persistentVolumeClaims);
  readonly persistentVolumes = new Mirror<PersistentVolume>(resources.persistentVolumes);
  readonly #namespaces = new Mirror<Namespace>(resources.namespaces);
  readonly #statefulSets = new Mirror<PodMaker>(resources.statefulSets);
  /** One of them may be Argo CD's controller, whose version matters. */
  readonly #deployments = new Mirror<PodMaker>(resources.deployments);
  readonly #applications = new Mirror<Application>(resources.applications, true);
  readonly #sets = new Mirror<KubeObject>(resources.applicationSets, true);
  readonly #policies = new Mirror<KubeObject>(resources.admissionPolicies, true);
  readonly #bindings = new Mirror<KubeObject>(resources.admissionPolicyBindings, true);

  get #all(): readonly Mirror<KubeObject>[] {
    return [
      this.claims,
      this.persistentVolumes,
      this.#namespaces,
      this.#statefulSets,
      this.#deployments,
      this.#applications,
      this.#sets,
      this.#policies,
      this.#bindings,
    ];
  }

  /** Until the signal aborts. */
  async run(world: MirrorWorld): Promise<void> {
    await Promise.all(this.#all.map((mirror) => mirror.run(world)));
  }

  /** Kinds that are not known yet. */
  get missing(): readonly string[] {
    return this.#all.filter(({ state }) => state === "waiting").map(({ resource }) => resource.plural);
  }

  /** Claims and PVs are known: enough to keep bytes. */
  get knowsVolumes(): boolean {
    return this.claims.state === "synced" && this.persistentVolumes.state === "synced";
  }

  get volumes(): Pick<ClusterObjects, "claims" | "persistentVolumes"> {
    return { claims: this.claims.items, persistentVolumes: this.persistentVolumes.items };
  }

  /** Who deploys from git; none of a kind that is absent, not known yet, or may not be read. */
  get deployers(): ArgoView {
    return { applications: this.#applications.items, sets: this.#sets.items };
  }

  /** As `readGuardView` gives it; `missing` must be empty. */
  view(asked: Asked): GuardView {
    const objects: ClusterObjects = {
      ...this.volumes,
      namespaces: this.#namespaces.items,
      pods: [],
      makers: [...this.#deployments.items, ...this.#statefulSets.items],
    };
    const argo = this.#applications.state === "synced" ? this.deployers : undefined;
    return { objects, volumes: volumesOf(objects), argo, policy: this.#policy(asked) };
  }

  #policy({ version, lacks }: Asked): PolicyView {
    const both = [this.#policies, this.#bindings];
    const hidden = both.find(({ state }) => state === "forbidden");
    if (hidden !== undefined) return unreadable(hidden.why);
    if (both.some(({ state }) => state === "absent")) return tooOld(version);
    return {
      possible: true,
      policy: this.#policies.items.find(named),
      binding: this.#bindings.items.find(named),
      lacks,
    };
  }
}
