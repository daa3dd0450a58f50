/** The volumes of the newest backup: what is known of the cluster when it does not answer. */
import type { PointDetails } from "../model/point.ts";
import type { Volume } from "../model/volume.ts";
import type { KubeObject } from "../systems/kubernetes/port.ts";
import type { Bucket } from "../systems/s3/port.ts";
import { readContents } from "../systems/velero/contents.ts";
import type { Claim, Namespace, PersistentVolume, Pod, PodMaker } from "./raw.ts";
import { volumesOf } from "./volumes.ts";

export interface LastKnown {
  readonly volumes: readonly Volume[];
  /** The point that they come from. */
  readonly point: PointDetails;
}

const makers = ["deployments.apps", "statefulsets.apps", "replicasets.apps", "daemonsets.apps", "jobs.batch", "cronjobs.batch"] as const;
const wanted: ReadonlySet<string> = new Set(["namespaces", "persistentvolumeclaims", "persistentvolumes", "pods", ...makers]);

/** Undefined when no backup in the bucket has an archive. Points come newest first. */
export const readLastKnown = async (bucket: Bucket, prefix: string, points: readonly PointDetails[]): Promise<LastKnown | undefined> => {
  for (const point of points) {
    const contents = await readContents(bucket, prefix, point.backup, wanted);
    if (contents === undefined) continue;
    const all = <T extends KubeObject>(resource: string): readonly T[] => (contents.get(resource) ?? []) as readonly T[];
    const volumes = volumesOf({
      namespaces: all<Namespace>("namespaces"),
      claims: all<Claim>("persistentvolumeclaims"),
      persistentVolumes: all<PersistentVolume>("persistentvolumes"),
      pods: all<Pod>("pods"),
      makers: makers.flatMap((maker) => all<PodMaker>(maker)),
    });
    return { volumes, point };
  }
  return undefined;
};
