/** Which Applications and ApplicationSets can delete a volume, and which Argo CD runs. Pure. */
import type { Claim, PodMaker } from "../../inventory/raw.ts";
import type { Application as ArgoApplication } from "../../systems/gitops/argo-objects.ts";
import { trackedBy, trackingNames } from "../../systems/gitops/tracking.ts";
import type { KubeObject } from "../../systems/kubernetes/port.ts";
import { keyOf } from "../../systems/kubernetes/object-key.ts";

export type Application = KubeObject & Pick<ArgoApplication, "status">;

/** Undefined: the cluster does not know Applications. */
export interface ArgoView {
  readonly applications: readonly Application[];
  readonly sets: readonly KubeObject[];
}

/** The ApplicationSet that makes an Application, and overwrites its annotations: "namespace/name". */
export const setOf = ({ metadata }: Application): string | undefined => {
  const owner = metadata.ownerReferences?.find(({ kind }) => kind === "ApplicationSet");
  return owner === undefined ? undefined : `${metadata.namespace ?? ""}/${owner.name}`;
};

/** What of the cluster a volume hangs on. */
export interface Hangs {
  readonly claim: Claim;
  readonly statefulSets: readonly string[];
}

/** True when the Application has this object among its resources. */
const has = (application: Application, kind: string, namespace: string, name: string): boolean =>
  (application.status?.resources ?? []).some(
    (resource) => resource.kind === kind && resource.name === name && (resource.namespace ?? "") === namespace,
  );

export const manages = (argo: ArgoView | undefined, kind: string, { metadata }: KubeObject): boolean =>
  (argo?.applications ?? []).some((application) => has(application, kind, metadata.namespace ?? "", metadata.name));

const ownsClaim = (application: Application, { claim, statefulSets }: Hangs): boolean => {
  const { namespace = "", name } = claim.metadata;
  return (
    trackingNames(application).includes(trackedBy(claim.metadata) ?? "") ||
    has(application, "PersistentVolumeClaim", namespace, name) ||
    has(application, "Namespace", "", namespace) ||
    statefulSets.some((statefulSet) => has(application, "StatefulSet", namespace, statefulSet))
  );
};

const parentsOf = (argo: ArgoView, kind: string, key: string): readonly Application[] => {
  const [namespace = "", name = ""] = key.split("/");
  return argo.applications.filter((application) => has(application, kind, namespace, name));
};

/** Keys of every Application and ApplicationSet whose deletion can reach the volume, parents of parents too. */
export const reaching = (
  argo: ArgoView | undefined,
  volume: Hangs,
): { readonly applications: readonly string[]; readonly sets: readonly string[] } => {
  const applications = new Set<string>();
  const sets = new Set<string>();
  if (argo === undefined) return { applications: [], sets: [] };
  const waiting = argo.applications.filter((application) => ownsClaim(application, volume));
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const key = keyOf(next);
    if (applications.has(key)) continue;
    applications.add(key);
    const set = setOf(next);
    if (set !== undefined) {
      sets.add(set);
      waiting.push(...parentsOf(argo, "ApplicationSet", set));
    }
    waiting.push(...parentsOf(argo, "Application", key));
  }
  return { applications: [...applications], sets: [...sets] };
};

const controllerName = "argocd-application-controller";

const isController = ({ metadata }: PodMaker): boolean =>
  metadata.name === controllerName || metadata.labels?.["app.kubernetes.io/name"] === controllerName;

/** Major and minor version of the Argo CD that runs in this cluster, by its controller's image tag. */
export const argoVersionOf = (makers: readonly PodMaker[]): readonly [number, number] | undefined => {
  const images = makers
    .filter(isController)
    .flatMap(({ spec }) => (spec.template?.spec.containers ?? []).map(({ image }) => image ?? ""));
  for (const image of images) {
    const [, major, minor] = /:v?(\d+)\.(\d+)/.exec(image) ?? [];
    if (major !== undefined && minor !== undefined) return [Number(major), Number(minor)];
  }
  return undefined;
};

/** Whether that Argo CD knows Delete=false. */
export const knowsDelete = ([major, minor]: readonly [number, number]): boolean =>
  major > 2 || (major === 2 && minor >= 7);

/** What the version means for the annotations; undefined when all is well. */
export const argoVersionNote = (makers: readonly PodMaker[]): string | undefined => {
  const version = argoVersionOf(makers);
  if (version === undefined)
    return "Which Argo CD runs is not known (no controller with a version in its image tag was found). Before 2.7 it does not know Delete=false, and deletes guarded claims with their Application as far as finalizer and policy let it.";
  if (knowsDelete(version)) return undefined;
  return `Argo CD ${version.join(".")} does not know Delete=false (2.7 does): when an Application is deleted, its claims are kept by finalizer and policy only.`;
};
