/** Which volumes the guard covers by itself: every long-lived one. Each exception has its reason. Pure. */
import type { Claim, Namespace, PersistentVolume } from "../../inventory/raw.ts";
import type { ClusterObjects } from "../../inventory/volumes.ts";
import { operationLabel } from "../../systems/agent/labels.ts";
import { stagingLabel } from "../../capture/staging.ts";
import type { OwnerReference } from "../../systems/kubernetes/port.ts";
import { guardKey } from "./mode.ts";

/** Why a claim is left alone. */
export interface Exception {
  readonly code: "excluded" | "deleting" | "not-bound" | "lost" | "ephemeral" | "owned" | "temporary" | "ours";
  readonly why: string;
}

const has = (claim: Claim, key: string): boolean =>
  claim.metadata.labels?.[key] !== undefined || claim.metadata.annotations?.[key] !== undefined;

const label = (claim: Claim, key: string): string | undefined => claim.metadata.labels?.[key];

interface Maker {
  readonly why: string;
  readonly made: (claim: Claim) => boolean;
}

const cdiLabel = "containerized-data-importer";
const veleroKeys = ["velero.io/data-upload", "velero.io/data-download", "velero.io/exposer-pod-uid"];

/** Operators that make claims for a while, or delete and re-create them as they see fit. */
const makers: readonly Maker[] = [
  {
    why: "VolSync makes it for a copy and removes it by itself",
    made: (claim) =>
      label(claim, "app.kubernetes.io/created-by") === "volsync" || has(claim, "volsync.backube/cleanup"),
  },
  {
    why: "CloudNativePG manages it: it removes and re-creates the claims of its instances",
    made: (claim) => has(claim, "cnpg.io/cluster"),
  },
  {
    why: "CDI makes it for an import and removes it by itself",
    made: (claim) =>
      label(claim, "app") === cdiLabel &&
      (claim.metadata.name.startsWith("prime-") || claim.metadata.name.endsWith("-scratch")),
  },
  {
    why: "Velero's data mover makes it for a backup or restore and removes it by itself",
    made: (claim) => veleroKeys.some((key) => has(claim, key)),
  },
  {
    why: "a workflow made it for one run, and removes it by itself",
    made: ({ metadata }) =>
      (metadata.ownerReferences ?? []).some(
        ({ apiVersion, kind }) =>
          apiVersion.startsWith("tekton.dev/") || (apiVersion.startsWith("argoproj.io/") && kind === "Workflow"),
      ),
  },
];

const isOurs = (claim: Claim): boolean =>
  label(claim, "app.kubernetes.io/managed-by") === "holdfast" || has(claim, stagingLabel) || has(claim, operationLabel);

/**
 * A pod's ephemeral volume is named after the pod. A StatefulSet that deletes claims when it is scaled down also makes the
 * pod their owner; those are named the other way round, and hold data.
 */
const isEphemeral = (claim: Claim, owner: OwnerReference): boolean =>
  owner.kind === "Pod" && claim.metadata.name.startsWith(`${owner.name}-`);

const ownedBy = (claim: Claim): Exception | undefined => {
  const owners = claim.metadata.ownerReferences ?? [];
  const pod = owners.find((owner) => isEphemeral(claim, owner));
  if (pod !== undefined)
    return { code: "ephemeral", why: `an ephemeral volume of pod ${pod.name}: it lives and ends with it` };
  const other = owners.find(({ kind }) => kind !== "StatefulSet" && kind !== "Pod");
  if (other === undefined) return undefined;
  return { code: "owned", why: `it belongs to ${other.kind} ${other.name}, which removes it with itself` };
};

/** What belongs to a claim, as far as it is there. */
export interface Around {
  /** The one that the claim names. */
  readonly pv: PersistentVolume | undefined;
  readonly namespace: Namespace | undefined;
}

/** How to find what belongs to a claim. Cost: one pass over PVs and Namespaces. */
export const aroundIn = (
  objects: Pick<ClusterObjects, "persistentVolumes" | "namespaces">,
): ((claim: Claim) => Around) => {
  const pvs = new Map(objects.persistentVolumes.map((pv) => [pv.metadata.name, pv]));
  const namespaces = new Map(objects.namespaces.map((namespace) => [namespace.metadata.name, namespace]));
  return ({ spec, metadata }) => ({
    pv: pvs.get(spec.volumeName ?? ""),
    namespace: namespaces.get(metadata.namespace ?? ""),
  });
};

/** Undefined for a volume that the guard covers. */
export const exceptionOf = (claim: Claim, { pv, namespace }: Around): Exception | undefined => {
  if (claim.metadata.annotations?.[guardKey] === "off")
    return { code: "excluded", why: `its annotation ${guardKey} says "off"` };
  if (isOurs(claim)) return { code: "ours", why: "Holdfast made it for an operation and removes it by itself" };
  const maker = makers.find(({ made }) => made(claim));
  if (maker !== undefined) return { code: "temporary", why: maker.why };
  const owned = ownedBy(claim);
  if (owned !== undefined) return owned;
  if (claim.metadata.deletionTimestamp !== undefined)
    return { code: "deleting", why: "it is being deleted: `holdfast undelete` brings it back" };
  // A finalizer would only let the Namespace hang.
  if (namespace?.metadata.deletionTimestamp !== undefined)
    return { code: "deleting", why: "its Namespace is being deleted: `holdfast undelete` brings it back" };
  return stateException(claim, pv);
};

const stateException = (claim: Claim, pv: PersistentVolume | undefined): Exception | undefined => {
  if (claim.status?.phase === "Lost" || (claim.spec.volumeName !== undefined && pv === undefined))
    return { code: "lost", why: "its PersistentVolume is gone" };
  if (claim.status?.phase !== "Bound") return { code: "not-bound", why: "it is not bound to a volume yet" };
  return undefined;
};
