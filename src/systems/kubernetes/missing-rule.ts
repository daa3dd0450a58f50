import { Failure } from "../../model/failure.ts";
import type { ApiError } from "./api-error.ts";
import { describeCall, type Call } from "./call.ts";
import { groupOf } from "./resources.ts";

/** One RBAC rule, with the place it is missing in. */
interface MissingRule {
  readonly user?: string;
  /** As it stands in a Role: `apiGroups: ["velero.io"], resources: ["backups"], verbs: ["create"]`. */
  readonly rule: string;
  /** Absent: the rule has to hold for the whole cluster. */
  readonly namespace?: string;
}

const user = /User "([^"]+)"/;
const refusal = /User "[^"]*" cannot (\S+) resource "([^"]+)" in API group "([^"]*)"(?: in the namespace "([^"]+)")?/;
const pathRefusal = /User "[^"]*" cannot (\S+) path "([^"]+)"/;

const ruleText = (group: string, resource: string, verb: string): string =>
  `apiGroups: ["${group}"], resources: ["${resource}"], verbs: ["${verb}"]`;

const pathRuleText = (path: string, verb: string): string => `nonResourceURLs: ["${path}"], verbs: ["${verb}"]`;

const ruleOfCall = (call: Call): Omit<MissingRule, "user"> => {
  if (call.resource === undefined) return { rule: pathRuleText(call.path, call.verb) };
  const below = call.subresource === undefined ? "" : `/${call.subresource}`;
  const rule = ruleText(groupOf(call.resource), `${call.resource.plural}${below}`, call.verb);
  return call.namespace === undefined ? { rule } : { rule, namespace: call.namespace };
};

/** What the server says is missing; it knows better than the call (an apply that has to create needs "create" too). */
const ruleOfMessage = (message: string): Omit<MissingRule, "user"> | undefined => {
  const [, verb, resource, group, namespace] = refusal.exec(message) ?? [];
  if (verb !== undefined && resource !== undefined && group !== undefined) {
    return { rule: ruleText(group, resource, verb), ...(namespace === undefined ? {} : { namespace }) };
  }
  const [, pathVerb, path] = pathRefusal.exec(message) ?? [];
  return pathVerb !== undefined && path !== undefined ? { rule: pathRuleText(path, pathVerb) } : undefined;
};

/**
 * True when a 403 is about rights. Admission (Pod Security, quotas, a namespace that is going away) says 403 as well,
 * and there an RBAC rule would not help.
 */
export const isAboutRights = (answer: ApiError): boolean =>
  answer.reason !== "Forbidden" || ruleOfMessage(answer.message) !== undefined;

/** KUBERNETES_FORBIDDEN that spells out the rule to add, and for whom. */
export const forbidden = (call: Call, message: string, cause?: ApiError): Failure => {
  const { rule, namespace } = ruleOfMessage(message) ?? ruleOfCall(call);
  const who = user.exec(message)?.[1];
  const subject = who === undefined ? "the current user" : `user "${who}"`;
  const where = namespace === undefined ? "cluster-wide" : `in namespace "${namespace}"`;
  const role = namespace === undefined ? "a ClusterRole" : `a Role in namespace "${namespace}" (or a ClusterRole)`;
  return new Failure("KUBERNETES_FORBIDDEN", {
    what: `Not allowed to ${describeCall(call)}.`,
    why: `This RBAC rule is missing ${where} for ${subject}: ${rule}`,
    todo:
      who === "system:anonymous"
        ? "The request carried no credentials: check the user of the kubeconfig's context."
        : `Add it to ${role} that is bound to ${subject}: - {${rule}}`,
    ...(cause === undefined ? {} : { cause }),
  });
};
