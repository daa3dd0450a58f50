/** Asks about every right that a plan of the guard needs, before it is begun. */
import type { Plan } from "../../model/plan.ts";
import { lockRules, touchedKinds } from "../../operation/plan-rights.ts";
import type { AccessRule, Kubernetes } from "../../systems/kubernetes/port.ts";
import { requireRights } from "../../systems/kubernetes/require-rights.ts";
import { resources } from "../../systems/kubernetes/resources.ts";

/** All kinds that carry marks. */
export const markable = [
  resources.persistentVolumeClaims,
  resources.persistentVolumes,
  resources.namespaces,
  resources.statefulSets,
  resources.applications,
  resources.applicationSets,
];

const rulesOf = (plan: Plan, namespace: string): readonly AccessRule[] => {
  const touched = touchedKinds(plan);
  return [
    ...markable.filter(({ kind }) => touched.has(kind)).map((resource) => ({ verb: "patch", resource })),
    ...lockRules(namespace),
  ];
};

/** Throws KUBERNETES_FORBIDDEN naming all that are missing. `namespace`: Holdfast's own, where its locks are. */
export const checkGuardRights = (kubernetes: Kubernetes, plan: Plan, namespace: string): Promise<void> =>
  requireRights(kubernetes, rulesOf(plan, namespace), "the guard needs");
