import { fullNameOf } from "./resources.ts";
import type { Call } from "./call.ts";
import type { MemoryStore, Stored } from "./memory-store.ts";
import { refused } from "./memory-writes.ts";
import type { KubeObject, ObjectName, Resource } from "./port.ts";

/** What admission is told of a request. */
export interface AdmissionRequest {
  readonly operation: "UPDATE" | "DELETE";
  readonly resource: Resource;
  readonly user: string;
  /** As it would be; undefined for a removal. */
  readonly object: KubeObject | undefined;
  readonly oldObject: KubeObject;
}

/** Says why a request is refused; undefined lets it pass. `find` reads the cluster. The twin has no CEL of its own. */
export type Admission = (
  request: AdmissionRequest,
  find: (resource: Resource, name: ObjectName) => KubeObject | undefined,
) => string | undefined;

/** Throws KUBERNETES_REFUSED in the API server's words when the store's admission refuses. */
export const admit = (
  store: MemoryStore,
  call: Call,
  user: string,
  change: Pick<Stored, "resource"> & Change,
): void => {
  const { resource, oldObject, object } = change;
  const operation = object === undefined ? "DELETE" : "UPDATE";
  const find = (kind: Resource, name: ObjectName): KubeObject | undefined => store.find(kind, name)?.object;
  const why = store.admission?.({ operation, resource, user, object, oldObject }, find);
  if (why === undefined) return;
  const message = `${fullNameOf(resource)} "${oldObject.metadata.name}" is forbidden: ${why}`;
  throw refused(call, 403, "Forbidden", message);
};

interface Change {
  readonly oldObject: KubeObject;
  readonly object: KubeObject | undefined;
}
