/** Refuses what cannot end well, before anything is changed. */
import { Failure } from "../model/failure.ts";
import { formatBytes } from "../model/units.ts";
import { type Volume, volumeName } from "../model/volume.ts";
import { formatBlobName, opensRepository } from "../systems/kopia/password.ts";
import type { AccessRule, Kubernetes } from "../systems/kubernetes/port.ts";
import { lockRules } from "../operation/plan-rights.ts";
import { requireRights } from "../systems/kubernetes/require-rights.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import type { Bucket } from "../systems/s3/port.ts";
import { repositoryPrefix } from "../systems/velero/bucket-layout.ts";
import type { Unstoppable } from "./owners.ts";
import type { RestoreItem, RestorePlan, Stop } from "./plan.ts";
import type { ZfsPlan } from "./zfs/plan.ts";

/** What the plan alone tells. Pure. Throws TARGET_UNUSABLE, TARGET_TOO_SMALL or TARGET_IN_USE. */
export const checkPlan = (plan: RestorePlan): void => {
  for (const item of plan.items) checkTarget(item);
  demandNoBlocker(plan.blockers);
};

/** Throws TARGET_IN_USE for somebody who uses the volume and cannot be stopped by scaling. */
export const demandNoBlocker = ([blocker]: readonly Unstoppable[]): void => {
  if (blocker === undefined) return;
  throw new Failure("TARGET_IN_USE", {
    what: `${blocker.kind} ${blocker.namespace}/${blocker.name} uses the volume.`,
    why: blocker.why,
    todo: "Stop it, then restore again.",
  });
};

const unusable = (target: Volume): string | undefined => {
  if (target.deleting) return "the claim is being deleted";
  if (target.phase === "Lost") return "its PersistentVolume is gone";
  return target.volumeMode === "Filesystem" ? undefined : "it is a block volume, and the copy is files";
};

const checkTarget = ({ target, chosen }: RestoreItem): void => {
  const name = volumeName(target);
  const why = unusable(target);
  if (why !== undefined)
    throw new Failure("TARGET_UNUSABLE", {
      what: `${name} cannot be restored into.`,
      why,
      todo: "Give another claim with --to NAMESPACE/PVC.",
    });
  const bytes = chosen.copy.bytes ?? 0;
  if (target.capacity === undefined || bytes <= target.capacity) return;
  throw new Failure("TARGET_TOO_SMALL", {
    what: `The copy has ${formatBytes(bytes)}, and ${name} only ${formatBytes(target.capacity)}.`,
    todo: "Grow the claim, or restore into a larger one with --to NAMESPACE/PVC.",
  });
};

const stopRule = (stop: Stop): AccessRule => ({
  verb: "patch",
  resource: {
    Deployment: resources.deployments,
    StatefulSet: resources.statefulSets,
    ReplicaSet: resources.replicaSets,
  }[stop.kind],
  namespace: stop.namespace,
});

/** Everything that the plan will ask of the API server. */
const rulesOf = (plan: RestorePlan, agents: string, velero: string): readonly AccessRule[] => {
  const namespaces = [...new Set(plan.items.map((item) => item.target.namespace)), agents];
  return [
    ...namespaces.flatMap((namespace) =>
      ["create", "get", "list", "delete"].map((verb) => ({ verb, resource: resources.pods, namespace })),
    ),
    ...["create", "delete"].map((verb) => ({ verb, resource: resources.secrets, namespace: agents })),
    ...lockRules(agents),
    { verb: "get", resource: resources.pods, subresource: "log", namespace: agents },
    ...plan.stops.map(stopRule),
    ...(plan.mover === "kopia" ? [] : [{ verb: "create", resource: resources.podVolumeRestores, namespace: velero }]),
  ];
};

/** Throws REPOSITORY_PASSWORD when the password does not open one of the plan's repositories. Cost: one small read each. */
export const checkPassword = async (
  bucket: Bucket,
  prefix: string,
  plan: RestorePlan,
  password: string,
): Promise<void> => {
  for (const repository of new Set(plan.items.map(({ chosen }) => chosen.copy.repository))) {
    const blob = await bucket.get(`${repositoryPrefix(prefix, repository)}${formatBlobName}`);
    if (blob === undefined)
      throw new Failure("COPY_MISSING", {
        what: `The bucket has no kopia repository for ${repository}.`,
        todo: "Is bucket.prefix in holdfast.yaml the one of Velero's BackupStorageLocation?",
      });
    if (await opensRepository(blob.body, password)) continue;
    throw new Failure("REPOSITORY_PASSWORD", {
      what: `The repository password does not open the copies of ${repository}; nothing was changed.`,
      todo: "Correct repository.password in holdfast.yaml: it is what the Secret velero-repo-credentials held when the first backup was made.",
    });
  }
};

/** Asks the API server about every right that the plan needs. Throws KUBERNETES_FORBIDDEN naming all that are missing. */
export const checkRights = (kubernetes: Kubernetes, plan: RestorePlan, agents: string, velero: string): Promise<void> =>
  requireRights(kubernetes, rulesOf(plan, agents, velero), "this restore needs");

/** The same for a restore from ZFS. */
export const checkZfsRights = (kubernetes: Kubernetes, found: ZfsPlan, agents: string): Promise<void> => {
  const namespaces = [...new Set(found.plan.locks.map((volume) => volume.split("/")[0] ?? ""))];
  const rules: readonly AccessRule[] = [
    ...["get", "create", "patch", "delete"].map((verb) => ({ verb, resource: resources.persistentVolumes })),
    ...namespaces.flatMap((namespace) =>
      ["get", "create", "patch", "delete"].map((verb) => ({
        verb,
        resource: resources.persistentVolumeClaims,
        namespace,
      })),
    ),
    ...lockRules(agents),
    ...found.stops.map(stopRule),
  ];
  return requireRights(kubernetes, rules, "this restore needs");
};
