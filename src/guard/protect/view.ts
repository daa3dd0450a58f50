/** What the guard reads of a cluster. Cost: the inventory's lists, two of Argo CD's and two of admission policies. */
import type { ClusterObjects } from "../../inventory/volumes.ts";
import { volumesOf } from "../../inventory/volumes.ts";
import { readClusterObjects } from "../../inventory/read.ts";
import { isFailure } from "../../model/failure.ts";
import type { Volume } from "../../model/volume.ts";
import { listIfServed } from "../../systems/kubernetes/list-if-served.ts";
import type { AccessRule, KubeObject, Kubernetes } from "../../systems/kubernetes/port.ts";
import { resources } from "../../systems/kubernetes/resources.ts";
import type { Application, ArgoView } from "./argo.ts";
import { policyName } from "./policy.ts";

/** The admission policy as it is, or why there can be none. */
export type PolicyView =
  | {
      readonly possible: true;
      readonly policy: KubeObject | undefined;
      readonly binding: KubeObject | undefined;
      /** Rights on policies that the user lacks: reading is possible, changing is not. */
      readonly lacks: readonly string[];
    }
  | { readonly possible: false; readonly why: string };

export interface GuardView {
  readonly objects: ClusterObjects;
  readonly volumes: readonly Volume[];
  readonly argo: ArgoView | undefined;
  readonly policy: PolicyView;
}

export const readGuardView = async (kubernetes: Kubernetes): Promise<GuardView> => {
  const [objects, argo, policy] = await Promise.all([
    readClusterObjects(kubernetes),
    readArgo(kubernetes),
    readPolicy(kubernetes),
  ]);
  return { objects, volumes: volumesOf(objects), argo, policy };
};

/** What Argo CD has; undefined where the cluster does not know Applications. Cost: two lists. */
export const readArgo = async (kubernetes: Kubernetes): Promise<ArgoView | undefined> => {
  const applications = await listIfServed<Application>(kubernetes, resources.applications);
  if (applications === undefined) return undefined;
  return { applications, sets: (await listIfServed(kubernetes, resources.applicationSets)) ?? [] };
};

const verbs = ["get", "create", "patch", "delete"];
const kinds = [resources.admissionPolicies, resources.admissionPolicyBindings];

/** What turning the policy on and off asks of the API server. */
const policyRules: readonly AccessRule[] = kinds.flatMap((resource) => verbs.map((verb) => ({ verb, resource })));

const readPolicy = async (kubernetes: Kubernetes): Promise<PolicyView> => {
  try {
    const [policies, bindings] = await Promise.all(kinds.map((kind) => listIfServed(kubernetes, kind)));
    if (policies === undefined || bindings === undefined) return tooOld(await kubernetes.version());
    const lacks = await policyLacks(kubernetes);
    const named = ({ metadata }: KubeObject): boolean => metadata.name === policyName;
    return {
      possible: true,
      policy: policies.find(named),
      binding: bindings.find(named),
      lacks,
    };
  } catch (error) {
    if (!isFailure(error, "KUBERNETES_FORBIDDEN")) throw error;
    return unreadable(error.why ?? "");
  }
};

/** Rights on policies that the user lacks: "create validatingadmissionpolicies". Cost: eight questions. */
export const policyLacks = async (kubernetes: Kubernetes): Promise<readonly string[]> => {
  const allowed = await Promise.all(policyRules.map((rule) => kubernetes.allowed(rule)));
  const lacks = policyRules.filter((_, index) => allowed[index] === false);
  return lacks.map(({ verb, resource }) => `${verb} ${resource.plural}`);
};

export const unreadable = (why: string): PolicyView => ({
  possible: false,
  why: `your user may not read admission policies: ${why}`,
});

export const tooOld = (version: string): PolicyView => ({
  possible: false,
  why: `this API server (${version}) has no ValidatingAdmissionPolicy v1: Kubernetes 1.30 and later have, unless it was switched off`,
});
