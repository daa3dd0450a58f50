import { ApiError } from "./api-error.ts";
import type { Call } from "./call.ts";
import { failureOfApiError } from "./failures.ts";
import { isSame, isTree, merged, type Tree } from "./json-tree.ts";
import { applied, ownersAfterUpdate, type Owners } from "./memory-ownership.ts";
import { type MemoryStore, type Stored, withoutEmpties } from "./memory-store.ts";
import { traitsOf, type Traits } from "./memory-traits.ts";
import type { KubeObject, ObjectMeta, Preconditions, Resource } from "./port.ts";

/** What the twin's API server makes of objects and patches before they are stored. */

/** The Failure for a refusal in the API server's words. */
export const refused = (call: Call, status: number, reason: string, message: string): Error =>
  failureOfApiError(call, new ApiError({ status, reason, message }));

/** The manager that server-side apply writes as. */
export const applyManager = "holdfast";

const serverMetadata = ["uid", "creationTimestamp", "deletionTimestamp", "generation", "resourceVersion"] as const;

const without = (tree: Tree, keys: readonly string[]): Tree =>
  Object.fromEntries(Object.entries(tree).filter(([key]) => !keys.includes(key)));

/** A new object as the server would store it; `keepAll` believes what it says about itself. */
export const createdFrom = (
  store: MemoryStore,
  resource: Resource,
  object: KubeObject,
  options: { readonly keepAll?: boolean },
): KubeObject => {
  const traits = traitsOf(resource);
  const keepAll = options.keepAll === true;
  const content = without(object as unknown as Tree, !keepAll && traits.statusSubresource ? ["status"] : []);
  const given = keepAll ? object.metadata : without(object.metadata as unknown as Tree, serverMetadata);
  const name = object.metadata.name ?? `${object.metadata.generateName ?? ""}${store.suffix()}`;
  const metadata = {
    uid: store.uid(),
    creationTimestamp: store.timestamp(),
    ...(traits.generation ? { generation: 1 } : {}),
    ...given,
    name,
    ...(resource.plural === "namespaces"
      ? { labels: { "kubernetes.io/metadata.name": name, ...object.metadata.labels } }
      : {}),
  };
  return {
    ...(merged(traits.defaults, content) as KubeObject),
    apiVersion: resource.apiVersion,
    kind: resource.kind,
    metadata,
  };
};

/** Who owns the fields of a new object. */
export const firstOwners = (object: KubeObject, manager: string): Owners =>
  ownersAfterUpdate(new Map(), {}, object as unknown as Tree, manager);

/** KUBERNETES_REFUSED when a namespaced object would have no namespace to live in. */
export const checkNamespace = (call: Call, namespace: KubeObject | undefined, name: string): void => {
  if (namespace === undefined) throw refused(call, 404, "NotFound", `namespaces "${name}" not found`);
  if (namespace.metadata.deletionTimestamp === undefined) return;
  const why = `unable to create new content in namespace ${name} because it is being terminated`;
  throw refused(call, 403, "Forbidden", `${call.resource?.plural ?? ""} is forbidden: ${why}`);
};

/** KUBERNETES_CONFLICT when the object is not the one that was meant. */
export const checkPreconditions = (call: Call, stored: Stored, wanted: Preconditions): void => {
  const { name, uid, resourceVersion } = stored.object.metadata;
  const about = `Operation cannot be fulfilled on ${stored.resource.plural} "${name}"`;
  if (wanted.uid !== undefined && wanted.uid !== uid) {
    const why = `the UID in the precondition (${wanted.uid}) does not match the UID in record (${uid})`;
    throw refused(call, 409, "Conflict", `${about}: ${why}`);
  }
  if (wanted.resourceVersion !== undefined && wanted.resourceVersion !== resourceVersion) {
    throw refused(call, 409, "Conflict", `${about}: the object has been modified`);
  }
};

/** An object after a write to it; the same object when nothing changed. */
export interface Written {
  readonly stored: Stored;
  readonly isChanged: boolean;
}

const withVersionOf = (object: KubeObject, live: KubeObject): KubeObject => {
  const { resourceVersion } = live.metadata;
  return { ...object, metadata: { ...object.metadata, ...(resourceVersion === undefined ? {} : { resourceVersion }) } };
};

const contentOf = (object: KubeObject, traits: Traits): Tree =>
  without(object as unknown as Tree, traits.statusSubresource ? ["metadata", "status"] : ["metadata"]);

const finished = (live: Stored, wanted: KubeObject, owners: Owners): Written => {
  const object = withVersionOf(wanted, live.object);
  const traits = traitsOf(live.resource);
  const isNewGeneration = traits.generation && !isSame(contentOf(live.object, traits), contentOf(object, traits));
  const generation = { generation: (live.object.metadata.generation ?? 0) + 1 };
  const stamped = isNewGeneration ? { ...object, metadata: { ...object.metadata, ...generation } } : object;
  return { stored: { ...live, object: stamped, owners }, isChanged: !isSame(stamped, live.object) };
};

/** The part of a write that its address may change; the rest stays as it is. */
const limited = (call: Call, live: Stored, candidate: Tree): KubeObject => {
  const object = live.object as unknown as Tree;
  const traits = traitsOf(live.resource);
  if (call.subresource === "status") return { ...object, status: candidate["status"] } as unknown as KubeObject;
  if (call.subresource === "scale") {
    const spec = isTree(object["spec"]) ? object["spec"] : {};
    const replicas = isTree(candidate["spec"]) ? candidate["spec"]["replicas"] : undefined;
    return { ...object, spec: { ...spec, replicas } } as unknown as KubeObject;
  }
  const metadata = {
    ...(candidate["metadata"] as Tree),
    ...Object.fromEntries(Object.entries(live.object.metadata).filter(([key]) => isServerField(key))),
  };
  const status = traits.statusSubresource && "status" in object ? { status: object["status"] } : {};
  const content = without(candidate, traits.statusSubresource ? ["status"] : []);
  const identity = { apiVersion: live.resource.apiVersion, kind: live.resource.kind };
  const filled = withoutEmpties(metadata as unknown as ObjectMeta);
  return { ...content, ...status, ...identity, metadata: filled };
};

const isServerField = (key: string): boolean =>
  [...serverMetadata, "name", "namespace", "deletionGracePeriodSeconds"].includes(key);

const checkSubresource = (call: Call, resource: Resource): void => {
  const { statusSubresource, scaleSubresource } = traitsOf(resource);
  const exists = { status: statusSubresource, scale: scaleSubresource }[call.subresource ?? ""] ?? true;
  if (!exists) throw refused(call, 404, "NotFound", "the server could not find the requested resource");
};

/** An object after a JSON merge patch, with the preconditions that travel in it. */
export const patched = (call: Call, live: Stored, patch: Tree, manager: string): Written => {
  checkSubresource(call, live.resource);
  const metadata = isTree(patch["metadata"]) ? (patch["metadata"] as Partial<ObjectMeta>) : {};
  checkPreconditions(call, live, metadata);
  if (metadata.name !== undefined && metadata.name !== live.object.metadata.name) {
    const why = `the name of the object (${metadata.name}) does not match the name on the URL (${live.object.metadata.name})`;
    throw refused(call, 400, "BadRequest", why);
  }
  const next = limited(call, live, merged(live.object, patch) as Tree);
  if (isSame(next, live.object)) return { stored: live, isChanged: false };
  const owners = ownersAfterUpdate(live.owners, live.object as unknown as Tree, next as unknown as Tree, manager);
  return finished(live, next, owners);
};

/** An object after server-side apply without force. KUBERNETES_CONFLICT names the managers and their fields. */
export const applyTo = (call: Call, live: Stored, config: KubeObject): Written => {
  checkPreconditions(call, live, config.metadata);
  const result = applied(live.object as unknown as Tree, live.owners, config as unknown as Tree, applyManager);
  if (result.conflicts.length > 0) {
    const count = result.conflicts.length === 1 ? "1 conflict" : `${result.conflicts.length} conflicts`;
    const list = result.conflicts.map(({ manager, path }) => `conflict with "${manager}": ${path}`).join(", ");
    throw refused(call, 409, "Conflict", `Apply failed with ${count}: ${list}`);
  }
  const next = finished(live, limited(call, live, result.object), result.owners);
  const before = [...(live.owners.get(applyManager) ?? [])].sort();
  const after = [...(result.owners.get(applyManager) ?? [])].sort();
  return { ...next, isChanged: next.isChanged || !isSame(before, after) };
};

/** The Scale object of a workload, as its subresource answers. */
export const scaleOf = (object: KubeObject): KubeObject => {
  const { spec, status } = object as KubeObject & { spec?: { replicas?: number }; status?: { replicas?: number } };
  const scale = { spec: { replicas: spec?.replicas ?? 0 }, status: { replicas: status?.replicas ?? 0 } };
  return { apiVersion: "autoscaling/v1", kind: "Scale", metadata: object.metadata, ...scale };
};
