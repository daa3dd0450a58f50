/** Changes an object by what was just read of it, so that nobody else's change is overwritten. */
import { isFailure } from "../../model/failure.ts";
import { apiErrorOf } from "./api-error.ts";
import type { KubeObject, Kubernetes, ObjectName, Resource } from "./port.ts";

/** Whether a write did not find its object as it was, or not at all. */
export const isMissed = (error: unknown): boolean =>
  isFailure(error, "KUBERNETES_CONFLICT") || apiErrorOf(error)?.status === 404;

export interface ChangeTarget {
  readonly kubernetes: Kubernetes;
  readonly resource: Resource;
  readonly name: ObjectName;
  /** How often it is tried while somebody else's change comes first. Default: until it succeeds. */
  readonly attempts?: number;
}

/**
 * `change` gives a merge patch for the object as it is, undefined to leave it. The patch carries uid and version of what was
 * read; a conflict has it made again from what there is then. Gives the object as it is afterwards; undefined when there is
 * none.
 */
export const changeObject = async <T extends KubeObject>(
  { kubernetes, resource, name, attempts = Number.POSITIVE_INFINITY }: ChangeTarget,
  change: (object: T) => object | undefined | Promise<object | undefined>,
): Promise<T | undefined> => {
  for (let tried = 1; ; tried += 1) {
    const object = await kubernetes.get<T>(resource, name);
    const patch = object === undefined ? undefined : await change(object);
    if (object === undefined || patch === undefined) return object;
    const { uid, resourceVersion } = object.metadata;
    const { metadata = {}, ...rest } = patch as { readonly metadata?: object };
    try {
      const whole = { ...rest, metadata: { ...metadata, uid, resourceVersion } };
      return await kubernetes.mergePatch<T>(resource, name, whole);
    } catch (error) {
      // It may go, and be made again, between our look and our write: the next look tells.
      if (!isMissed(error) || tried === attempts) throw error;
    }
  }
};
