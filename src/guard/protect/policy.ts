/**
 * The admission policy that refuses to delete what is guarded, and to disarm the guard. It runs inside the API server and
 * needs nothing of Holdfast: without its binding, or without the policy, nothing is refused any more. Pure.
 */
import { isDeepStrictEqual } from "node:util";
import type { KubeObject } from "../../systems/kubernetes/port.ts";
import { guardFinalizer } from "../finalizer.ts";
import { trashKey } from "../retire/trash-mark.ts";
import { guardKey, isOpen, openingKey } from "./mode.ts";

export const policyName = "holdfast-guard";

export interface PolicyPair {
  readonly policy: KubeObject;
  readonly binding: KubeObject;
}

const annotation = (object: string, key: string): string => `${object}.?metadata.annotations[?'${key}'].orValue('')`;

const namespaceOf = "oldObject.?metadata.namespace.orValue('')";

/** As people write it: "media/sonarr-config", or "media" for what has no namespace. */
const nameText = `(${namespaceOf} == '' ? '' : ${namespaceOf} + '/') + oldObject.metadata.name`;

/** What to do when it is meant, by the kind of object. */
const hint = [
  "request.resource.resource == 'persistentvolumeclaims' ? 'If it is meant: holdfast guard allow-delete ' + variables.name",
  "request.resource.resource == 'namespaces' ? 'It holds guarded volumes, which `holdfast guard status` lists. If it is meant: holdfast guard off ' + variables.name + '/'",
  `request.resource.resource == 'persistentvolumes' && ${annotation("oldObject", trashKey)} != '' ? 'It is in the trash. If it is meant: holdfast trash empty ' + variables.name`,
  "request.resource.resource == 'persistentvolumes' ? 'If it is meant: holdfast guard allow-delete ' + dyn(oldObject).?spec.claimRef.namespace.orValue('') + '/' + dyn(oldObject).?spec.claimRef.name.orValue('')",
  "'It has guarded volumes, which `holdfast guard status` lists. If it is meant: holdfast guard off VOLUME'",
].join(" : ");

const refusal = (what: string): string =>
  `request.kind.kind + ' ' + variables.name + ' is guarded by Holdfast: ${what} (asked by ' + request.userInfo.username + '). ' + variables.hint`;

const rule = (group: string, version: string, resources: readonly string[]): object => ({
  apiGroups: [group],
  apiVersions: [version],
  operations: ["DELETE", "UPDATE"],
  resources,
  scope: "*",
});

const unless = (condition: string, demand: string): string => `!(${condition}) || (${demand})`;
const hasFinalizer = (object: string): string => `'${guardFinalizer}' in ${object}.?metadata.finalizers.orValue([])`;
const reclaim = (object: string): string => `dyn(${object}).?spec.persistentVolumeReclaimPolicy.orValue('')`;

const validation = (expression: string, what: string): object => ({
  expression,
  reason: "Forbidden",
  message: `it is guarded by Holdfast: ${what}`,
  messageExpression: refusal(what),
});

const validations: readonly object[] = [
  validation(unless("request.operation == 'DELETE'", "variables.guard != 'deny'"), "it was not deleted"),
  validation(
    unless(
      "request.operation == 'UPDATE'",
      `${annotation("object", guardKey)} == ${annotation("oldObject", guardKey)}`,
    ),
    `this change would take the annotation ${guardKey} away`,
  ),
  validation(
    unless(`request.operation == 'UPDATE' && ${hasFinalizer("oldObject")}`, hasFinalizer("object")),
    `this change would take the finalizer ${guardFinalizer} away`,
  ),
  validation(
    unless(
      `request.operation == 'UPDATE' && request.resource.resource == 'persistentvolumes' && ${reclaim("oldObject")} == 'Retain'`,
      `${reclaim("object")} == 'Retain'`,
    ),
    "this change would let its bytes go with the claim (Retain)",
  ),
];

/** Status too: a write to it may carry other metadata. */
const withStatus = (...plurals: readonly string[]): readonly string[] =>
  plurals.flatMap((plural) => [plural, `${plural}/status`]);

/**
 * `generated`: "namespace/name" of Applications that an ApplicationSet makes. It overwrites their annotations, so that they
 * are guarded by this list.
 */
export const policyFor = (generated: readonly string[]): PolicyPair => {
  const list = `[${generated
    .toSorted()
    .map((name) => `'${name}'`)
    .join(", ")}]`;
  const isListed = `(request.resource.resource == 'applications' && (${nameText}) in ${list})`;
  const guard = annotation("oldObject", guardKey);
  const metadata = { name: policyName, labels: { "app.kubernetes.io/managed-by": "holdfast" } };
  const spec = {
    failurePolicy: "Fail",
    matchConstraints: {
      matchPolicy: "Equivalent",
      namespaceSelector: {},
      objectSelector: {},
      resourceRules: [
        rule("", "v1", withStatus("persistentvolumeclaims", "persistentvolumes", "namespaces")),
        rule("apps", "v1", withStatus("statefulsets")),
        rule("argoproj.io", "*", ["applications", "applicationsets"]),
      ],
    },
    matchConditions: [
      // What is going already cannot be kept by refusing more; and its finalizers must be free to end.
      { name: "not-terminating", expression: "!has(oldObject.metadata.deletionTimestamp)" },
      { name: "guarded", expression: `${guard} in ['deny', 'hold', 'bin'] || ${isListed}` },
      {
        name: "not-opened",
        expression: `${annotation("oldObject", openingKey)} != string(oldObject.metadata.uid)`,
      },
    ],
    variables: [
      { name: "name", expression: nameText },
      { name: "guard", expression: `${isListed} ? 'deny' : ${guard}` },
      { name: "hint", expression: hint },
    ],
    validations,
  };
  return {
    policy: {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "ValidatingAdmissionPolicy",
      metadata,
      spec,
    } as KubeObject,
    binding: {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "ValidatingAdmissionPolicyBinding",
      metadata,
      spec: { policyName, validationActions: ["Deny", "Audit"] },
    } as KubeObject,
  };
};

/** Whether the policy looks at the object at all (`matchConditions`): what is going, or open, it passes over. */
export const isLookedAt = (object: KubeObject): boolean =>
  !isOpen(object) && object.metadata.deletionTimestamp === undefined;

const specOf = (object: KubeObject | undefined): unknown => (object as { readonly spec?: unknown } | undefined)?.spec;

/** True when what is there is this, to the letter: a selector that somebody added would let deletions pass. */
export const isCurrent = (wanted: KubeObject, present: KubeObject | undefined): boolean =>
  isDeepStrictEqual(specOf(wanted), specOf(present));

/** True when a refusal of the API server is this policy's, and not another one's. */
export const isOurRefusal = (message: string): boolean =>
  message.includes(`ValidatingAdmissionPolicy '${policyName}' with binding '${policyName}' denied request`);
