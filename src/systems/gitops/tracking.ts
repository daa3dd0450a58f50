/** By which annotation Argo CD tells what is whose. Pure. */
import type { KubeObject, ObjectMeta } from "../kubernetes/port.ts";

export const trackingAnnotation = "argocd.argoproj.io/tracking-id";

/** "sonarr" of "sonarr:/PersistentVolumeClaim:media/config"; an Application in another namespace is "namespace_name". */
export const trackedBy = ({ annotations }: Pick<ObjectMeta, "annotations">): string | undefined =>
  annotations?.[trackingAnnotation]?.split(":")[0];

/** The names under which an Application tracks. */
export const trackingNames = ({ metadata }: KubeObject): readonly string[] => [
  metadata.name,
  `${metadata.namespace}_${metadata.name}`,
];
