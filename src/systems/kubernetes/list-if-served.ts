/** Lists of kinds that a cluster need not know: Argo CD's, the snapshot controller's, those of newer servers. */
import { absentAsUndefined } from "./api-error.ts";
import type { KubeObject, Kubernetes, Resource } from "./port.ts";

/** Undefined when the server does not have the kind. */
export const listIfServed = async <T extends KubeObject>(
  kubernetes: Kubernetes,
  resource: Resource,
): Promise<readonly T[] | undefined> => (await absentAsUndefined(kubernetes.list<T>(resource)))?.items;
