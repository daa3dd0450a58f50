/**
 * What one run has made in the cluster, and removes again: that and nothing else. A process that slept while another one
 * took its operation over must not remove the other's pods when it wakes.
 */
import { isFailure } from "../../model/failure.ts";
import type { KubeObject, Kubernetes, RemoveOptions, Resource } from "../kubernetes/port.ts";

/** An object that a run has made, or tried to make. */
export interface Made {
  readonly resource: Resource;
  readonly namespace: string;
  /** With a random part that is this run's own. */
  readonly name: string;
  /** Undefined when no answer to its creation came: it may be there all the same, and has only its name. */
  readonly uid: string | undefined;
}

/** Creates an object, and hands over what must be removed again: also when no answer came, since it may be there. */
export const make = async <T extends KubeObject>(
  kubernetes: Kubernetes,
  resource: Resource,
  object: KubeObject,
  onMade: (made: Made) => void,
): Promise<T> => {
  const { name, namespace = "" } = object.metadata;
  try {
    const created = await kubernetes.create<T>(resource, object);
    onMade({ resource, namespace, name, uid: created.metadata.uid });
    return created;
  } catch (error) {
    if (!isFailure(error, "KUBERNETES_CONFLICT")) onMade({ resource, namespace, name, uid: undefined });
    throw error;
  }
};

/** Asks for its deletion. What has its name and another uid is somebody else's, and stays. */
export const removeMade = async (
  kubernetes: Kubernetes,
  { resource, namespace, name, uid }: Made,
  options: Pick<RemoveOptions, "gracePeriodSeconds"> = {},
): Promise<void> => {
  try {
    await kubernetes.remove(resource, { namespace, name }, { ...options, ...(uid === undefined ? {} : { uid }) });
  } catch (error) {
    if (!isFailure(error, "KUBERNETES_CONFLICT")) throw error;
  }
};

/** True while that very object is there. */
export const isThere = async (kubernetes: Kubernetes, { resource, namespace, name, uid }: Made): Promise<boolean> => {
  const present = await kubernetes.get(resource, { namespace, name });
  return present !== undefined && (uid === undefined || present.metadata.uid === uid);
};
