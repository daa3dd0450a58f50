/** What a kit says of the cluster that it is made in, as far as the cluster tells. */
import { readVelero, tagOf } from "../doctor/velero-deployment.ts";
import { isFailure } from "../model/failure.ts";
import type { FailureCode } from "../model/failure-catalogue.ts";
import type { Kubernetes } from "../systems/kubernetes/port.ts";
import { resources } from "../systems/kubernetes/resources.ts";

export interface ClusterFacts {
  /** UID of kube-system. */
  readonly uid: string | undefined;
  readonly kubernetes: string | undefined;
  readonly velero: string | undefined;
}

/** A kit can be made without these, and must be while the cluster is ill. */
const silent: readonly FailureCode[] = [
  "KUBERNETES_UNREACHABLE",
  "KUBERNETES_UNTRUSTED",
  "KUBERNETES_UNAUTHORIZED",
  "KUBERNETES_FORBIDDEN",
  "KUBECONFIG_MISSING",
  "KUBECONFIG_INVALID",
  "VELERO_ABSENT",
];

/** Each fact that the cluster does not tell is undefined. */
export const clusterFacts = async (
  connect: () => Promise<Kubernetes>,
  veleroNamespace: string,
): Promise<ClusterFacts> => {
  const told = async (ask: (kubernetes: Kubernetes) => Promise<string | undefined>): Promise<string | undefined> => {
    try {
      return await ask(await connect());
    } catch (error) {
      if (isFailure(error, ...silent)) return undefined;
      throw error;
    }
  };
  const [uid, kubernetes, velero] = await Promise.all([
    told(async (api) => (await api.get(resources.namespaces, { name: "kube-system" }))?.metadata.uid),
    told((api) => api.version()),
    told(async (api) => tagOf((await readVelero(api, veleroNamespace)).image)),
  ]);
  return { uid, kubernetes, velero };
};
