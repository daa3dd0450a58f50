/** What GitOps may act on while a volume is brought back: its claim, its namespace, the workloads that use it. Pure. */
import type { Claim, PodMaker } from "../../inventory/raw.ts";
import { namedClaimsOf } from "../../inventory/volumes.ts";
import type { ManagedObject } from "../../systems/gitops/port.ts";
import type { KubeObject } from "../../systems/kubernetes/port.ts";
import type { DeletedVolume } from "./deleted.ts";

const managed = (kind: string, group: string, { metadata }: KubeObject): ManagedObject => ({
  group,
  kind,
  namespace: metadata.namespace ?? "",
  name: metadata.name,
  labels: metadata.labels ?? {},
  annotations: metadata.annotations ?? {},
});

export const managedClaims = (claims: readonly Claim[]): readonly ManagedObject[] =>
  claims.map((claim) => managed("PersistentVolumeClaim", "", claim));

/** Namespaces that are made again: whoever has them, or had them, in git could prune them with all that is in them. */
export const managedNamespaces = (found: readonly DeletedVolume[]): readonly ManagedObject[] => {
  const gone = found.filter(({ namespaceIs }) => namespaceIs !== "there");
  const metaOf = new Map(gone.map(({ namespace, namespaceMeta }) => [namespace, namespaceMeta]));
  return [...metaOf].map(([name, meta]) => managed("Namespace", "", { metadata: { name, ...meta } }));
};

const deployable: ReadonlySet<string> = new Set(["Deployment", "StatefulSet", "DaemonSet"]);

/** Cost: workloads × deleted volumes. */
export const managedWorkloads = (
  makers: readonly PodMaker[],
  found: readonly DeletedVolume[],
): readonly ManagedObject[] => {
  const namespaces = new Set(found.map(({ namespace }) => namespace));
  return makers
    .filter(({ kind, metadata }) => deployable.has(kind ?? "") && namespaces.has(metadata.namespace ?? ""))
    .filter((maker) => found.some(({ claim }) => usesClaim(maker, claim)))
    .map((maker) => managed(maker.kind ?? "", "apps", maker));
};

/** Also a claim of a StatefulSet that has fewer replicas now. */
const usesClaim = (maker: PodMaker, claim: string): boolean =>
  namedClaimsOf(maker).includes(claim) ||
  (maker.spec.volumeClaimTemplates ?? []).some((template) =>
    claim.startsWith(`${template.metadata.name}-${maker.metadata.name}-`),
  );
