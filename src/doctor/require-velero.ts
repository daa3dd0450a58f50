import type { Kubernetes } from "../systems/kubernetes/port.ts";
import { readVelero, requireAvailable, requireNewEnough, tagOf } from "./velero-deployment.ts";

/**
 * For commands that are about to use Velero: throws VELERO_ABSENT, VELERO_TOO_OLD or VELERO_UNHEALTHY. The version is
 * the image's tag; a tag that says nothing passes. Cost: one read of the Deployment.
 */
export const requireVelero = async (kubernetes: Kubernetes, namespace: string): Promise<void> => {
  const velero = await readVelero(kubernetes, namespace);
  requireNewEnough(tagOf(velero.image) ?? "");
  requireAvailable(velero);
};
