/**
 * What the admission policy says, for the twin, which has no CEL: in force while policy and binding are there, as they
 * stand now. That the policy itself says the same is shown in the lab (test/lab/82-guard.test.ts).
 */
import type { PersistentVolume } from "../../../inventory/raw.ts";
import type { Admission } from "../../../systems/kubernetes/memory-admission.ts";
import type { KubeObject, ObjectName, Resource } from "../../../systems/kubernetes/port.ts";
import { resources } from "../../../systems/kubernetes/resources.ts";
import { keyOf } from "../../../systems/kubernetes/object-key.ts";
import { guardFinalizer } from "../../finalizer.ts";
import { guardKey, isOpen, modeOf } from "../mode.ts";
import { policyName } from "../policy.ts";

const covered = new Set([
  "persistentvolumeclaims",
  "persistentvolumes",
  "namespaces",
  "statefulsets",
  "applications",
  "applicationsets",
]);

const denied = (what: string): string =>
  `ValidatingAdmissionPolicy '${policyName}' with binding '${policyName}' denied request: ${what}`;

const isListed = (policy: KubeObject, resource: Resource, object: KubeObject): boolean =>
  resource.plural === "applications" && JSON.stringify(policy).includes(`'${keyOf(object)}'`);

const retains = (object: KubeObject): boolean =>
  (object as PersistentVolume).spec.persistentVolumeReclaimPolicy === "Retain";

const disarmed = (resource: Resource, old: KubeObject, object: KubeObject): string | undefined => {
  if (old.metadata.annotations?.[guardKey] !== object.metadata.annotations?.[guardKey]) return "the annotation";
  const held = (one: KubeObject): boolean => one.metadata.finalizers?.includes(guardFinalizer) === true;
  if (held(old) && !held(object)) return "the finalizer";
  return resource.plural === "persistentvolumes" && retains(old) && !retains(object) ? "Retain" : undefined;
};

export const policyTwin: Admission = ({ resource, oldObject, object, user }, find) => {
  const policy = find(resources.admissionPolicies, named);
  if (policy === undefined || find(resources.admissionPolicyBindings, named) === undefined) return undefined;
  if (!covered.has(resource.plural) || oldObject.metadata.deletionTimestamp !== undefined) return undefined;
  const mode = isListed(policy, resource, oldObject) ? "deny" : modeOf(oldObject);
  if (mode === "off" || isOpen(oldObject)) return undefined;
  if (object === undefined) return mode === "deny" ? denied(`it was not deleted (asked by ${user})`) : undefined;
  const lost = disarmed(resource, oldObject, object);
  return lost === undefined ? undefined : denied(`this change would take ${lost} away (asked by ${user})`);
};

const named: ObjectName = { name: policyName };
