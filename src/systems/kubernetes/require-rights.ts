/** Asks the API server about rights before they are needed, so that a change does not stop half-way for want of one. */
import { mapLimited } from "../../model/concurrency.ts";
import { Failure } from "../../model/failure.ts";
import type { AccessRule, Kubernetes } from "./port.ts";
import { fullNameOf } from "./resources.ts";

const ruleText = ({ verb, resource, subresource, namespace }: AccessRule): string =>
  `${verb} ${fullNameOf(resource)}${subresource === undefined ? "" : `/${subresource}`} ${namespace === undefined ? "cluster-wide" : `in ${namespace}`}`;

/** No more than the connections that reading the cluster has opened: each new one costs more than its question. */
const atATime = 8;

/** Throws KUBERNETES_FORBIDDEN naming every missing rule. `purpose` continues "Your user lacks rights that ". */
export const requireRights = async (
  kubernetes: Kubernetes,
  rules: readonly AccessRule[],
  purpose: string,
): Promise<void> => {
  const answers = await mapLimited(rules, atATime, (rule) => kubernetes.allowed(rule));
  const missing = rules.filter((_, index) => answers[index] === false);
  if (missing.length === 0) return;
  throw new Failure("KUBERNETES_FORBIDDEN", {
    what: `Your user lacks rights that ${purpose}; nothing was changed.`,
    why: `missing: ${missing.map(ruleText).join(", ")}`,
    todo: "Add these rules to a Role or ClusterRole of yours. `holdfast doctor` lists all that Holdfast needs.",
  });
};
