/** Asks about every right that a plan of undelete needs: once a claim was let go, there is no way back. */
import type { Plan } from "../../model/plan.ts";
import { lockRules, touchedKinds } from "../../operation/plan-rights.ts";
import type { AccessRule, Kubernetes, Resource } from "../../systems/kubernetes/port.ts";
import { requireRights } from "../../systems/kubernetes/require-rights.ts";
import { resources } from "../../systems/kubernetes/resources.ts";

const { applications, applicationSets, deployments, namespaces, persistentVolumeClaims, persistentVolumes } = resources;
const { pods, replicaSets, statefulSets } = resources;

const byKind: Readonly<Record<string, readonly (readonly [Resource, readonly string[]])[]>> = {
  "keep-volumes": [[persistentVolumes, ["get", "patch"]]],
  "release-claims": [
    [persistentVolumeClaims, ["get", "patch", "delete"]],
    [namespaces, ["get"]],
    [pods, ["list"]],
  ],
  "make-namespace": [[namespaces, ["get", "create"]]],
  "create-volume": [[persistentVolumes, ["get", "create", "delete"]]],
  "bind-back": [
    [persistentVolumeClaims, ["get", "create", "patch", "delete"]],
    [persistentVolumes, ["get", "patch"]],
  ],
  "make-claim": [[persistentVolumeClaims, ["get", "create", "patch", "delete"]]],
};

/** What the steps that stop something name in `touches`, by its kind. */
const stopped: readonly Resource[] = [deployments, statefulSets, replicaSets, applications, applicationSets];

const rulesOf = (plan: Plan, agents: string): readonly AccessRule[] => {
  const kinds = new Set(plan.steps.map(({ kind }) => kind));
  const touched = touchedKinds(plan);
  const needed = [
    ...Object.entries(byKind).flatMap(([kind, rules]) => (kinds.has(kind) ? rules : [])),
    ...stopped.filter(({ kind }) => touched.has(kind)).map((resource) => [resource, ["get", "patch"]] as const),
  ];
  const rules = needed.flatMap(([resource, verbs]) => verbs.map((verb) => ({ verb, resource })));
  const unique = new Map(rules.map((rule) => [`${rule.verb} ${rule.resource.plural}`, rule]));
  return [...unique.values(), ...lockRules(agents)];
};

/** Throws KUBERNETES_FORBIDDEN naming all that are missing. `agents`: Holdfast's own namespace, where its locks are. */
export const checkUndeleteRights = (kubernetes: Kubernetes, plan: Plan, agents: string): Promise<void> =>
  requireRights(kubernetes, rulesOf(plan, agents), "this undelete needs");
