import { fullNameOf, groupOf } from "./resources.ts";
import type { ObjectName, Resource } from "./port.ts";

/** What is asked of the API server, in the words of RBAC: for addresses, and for errors that name the missing rule. */
export interface Call {
  readonly verb: string;
  /** Absent for paths outside the resources, such as /version. */
  readonly resource?: Resource;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly path: string;
}

/**
 * One segment of a URL's path. What the API server would not take as a name is a defect of the caller, and a dangerous
 * one: an empty name addresses the whole collection, and ".." its parent.
 */
const segment = (value: string, what: string): string => {
  if (value === "" || value === "." || value === ".." || /[/%]/.test(value)) {
    throw new TypeError(`not a ${what}: ${JSON.stringify(value)}`);
  }
  return encodeURIComponent(value);
};

const collectionPath = (resource: Resource, namespace: string | undefined): string => {
  const root = groupOf(resource) === "" ? `/api/${resource.apiVersion}` : `/apis/${resource.apiVersion}`;
  if (namespace === undefined) return `${root}/${resource.plural}`;
  if (!resource.namespaced) throw new TypeError(`${fullNameOf(resource)} have no namespace, yet one was given`);
  return `${root}/namespaces/${segment(namespace, "namespace")}/${resource.plural}`;
};

/** A call about all objects of a resource, in one namespace or everywhere. */
export const collectionCall = (verb: string, resource: Resource, namespace?: string): Call => ({
  verb,
  resource,
  path: collectionPath(resource, namespace),
  ...(namespace === undefined ? {} : { namespace }),
});

/** A call about one object. Throws TypeError when the name or the namespace is missing or cannot be one. */
export const objectCall = (verb: string, resource: Resource, name: ObjectName, subresource?: string): Call => {
  const collection = ownCollection(verb, resource, name.namespace);
  const below = subresource === undefined ? "" : `/${subresource}`;
  return {
    ...collection,
    name: name.name,
    path: `${collection.path}/${segment(name.name, "name")}${below}`,
    ...(subresource === undefined ? {} : { subresource }),
  };
};

/** The collection that an object lives in: here a namespace is required exactly for namespaced resources. */
export const ownCollection = (verb: string, resource: Resource, namespace: string | undefined): Call => {
  if (resource.namespaced && namespace === undefined) {
    throw new TypeError(`${fullNameOf(resource)} are namespaced, but no namespace was given`);
  }
  return collectionCall(verb, resource, namespace);
};

/** "create backups.velero.io velero/nightly", for the `what` of a failure. */
export const describeCall = (call: Call): string => {
  if (call.resource === undefined) return `${call.verb} ${call.path}`;
  const what = `${call.verb} ${fullNameOf(call.resource)}${call.subresource === undefined ? "" : `/${call.subresource}`}`;
  if (call.name === undefined) return call.namespace === undefined ? what : `${what} in namespace ${call.namespace}`;
  return call.namespace === undefined ? `${what} ${call.name}` : `${what} ${call.namespace}/${call.name}`;
};
