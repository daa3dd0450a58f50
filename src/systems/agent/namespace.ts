import type { Kubernetes } from "../kubernetes/port.ts";
import { resources } from "../kubernetes/resources.ts";
import { managedLabels } from "./labels.ts";

/** Holdfast's own namespace, made when it is missing. */
export const ensureNamespace = async (kubernetes: Kubernetes, name: string): Promise<void> => {
  if ((await kubernetes.get(resources.namespaces, { name })) !== undefined) return;
  // Its pods reach into the kubelet's directory, which the restricted pod security levels refuse.
  const labels = {
    ...managedLabels("namespace"),
    "pod-security.kubernetes.io/enforce": "privileged",
    "velero.io/exclude-from-backup": "true",
  };
  await kubernetes.create(resources.namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } });
};
