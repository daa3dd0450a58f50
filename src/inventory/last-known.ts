/** The volumes of the newest backup: what is known of the cluster when it does not answer. */
import { type Failure, isFailure } from "../model/failure.ts";
import type { PointDetails } from "../model/point.ts";
import type { Volume } from "../model/volume.ts";
import type { KubeObject } from "../systems/kubernetes/port.ts";
import type { Bucket } from "../systems/s3/port.ts";
import { readContents } from "../systems/velero/contents.ts";
import type { Claim, PersistentVolume, Pod, PodMaker } from "./raw.ts";
import { volumesOf } from "./volumes.ts";

export interface LastKnown {
  readonly volumes: readonly Volume[];
  /** The point that they come from. */
  readonly point: PointDetails;
}

const makers = [
  "deployments.apps",
  "statefulsets.apps",
  "replicasets.apps",
  "daemonsets.apps",
  "jobs.batch",
  "cronjobs.batch",
] as const;
const wanted: ReadonlySet<string> = new Set([
  "namespaces",
  "persistentvolumeclaims",
  "persistentvolumes",
  "pods",
  ...makers,
]);

/**
 * Undefined when no backup in the bucket has an archive. Points come newest first; ours of everything are asked before
 * the others, which may hold only a part of the cluster. A damaged archive is passed over, unless there is no other: then
 * COPY_CORRUPT.
 */
export const readLastKnown = async (
  bucket: Bucket,
  prefix: string,
  points: readonly PointDetails[],
): Promise<LastKnown | undefined> => {
  let damaged: Failure | undefined;
  const isWhole = ({ ours, partial }: PointDetails): boolean => ours && partial !== true;
  for (const point of [...points.filter(isWhole), ...points.filter((point) => !isWhole(point))]) {
    try {
      const contents = await readContents(bucket, prefix, point.backup, wanted);
      if (contents !== undefined) return { volumes: volumesIn(contents), point };
    } catch (error) {
      if (!isFailure(error, "COPY_CORRUPT")) throw error;
      damaged ??= error;
    }
  }
  if (damaged !== undefined) throw damaged;
  return undefined;
};

const volumesIn = (contents: ReadonlyMap<string, readonly KubeObject[]>): readonly Volume[] => {
  const all = (resource: string): readonly KubeObject[] => contents.get(resource) ?? [];
  return volumesOf({
    namespaces: all("namespaces"),
    claims: all("persistentvolumeclaims") as readonly Claim[],
    persistentVolumes: all("persistentvolumes") as readonly PersistentVolume[],
    pods: all("pods") as readonly Pod[],
    makers: makers.flatMap((maker) => all(maker) as readonly PodMaker[]),
  });
};
