/** Claims of the apps, and their PersistentVolumeClaims. */
import type { PersistentVolume, PersistentVolumeClaim } from "kubernetes-types/core/v1.d.ts";
import { storageClassNames } from "../csi/manifests.ts";
import { hostPathDir } from "../lab.ts";
import type { AppDefinition, Claim, KubeManifest } from "./app.ts";

type ClaimDetails = Partial<Omit<Claim, "storageClass">> & Pick<Claim, "name" | "mountPath">;

const claimOn =
  (storageClass: string) =>
  (namespace: string, details: ClaimDetails): Claim => ({
    storageClass,
    size: "1Gi",
    provision: "dynamic",
    seed: `${namespace}/${details.name}`,
    dynamicPaths: [],
    ...details,
  });

/** A dataset. */
export const nfsClaim = claimOn(storageClassNames.nfs);
/** ext4 on a block device. */
export const iscsiClaim = claimOn(storageClassNames.iscsi);
/** A folder on the node, with a PersistentVolume of its own. */
export const hostPathClaim = claimOn("");
/** Of a StorageClass that does not exist. */
export const impossibleClaim = claimOn("decommissioned-nas");

/** The files of an SQLite database. */
export const databaseFiles = (path: string): string[] =>
  ["", "-wal", "-shm", "-journal"].map((ending) => path + ending);

/** Volumes of an NFS dataset can be mounted many times; an iSCSI one on one node only, and a folder only where it lies. */
const accessMode = ({ storageClass }: Claim): string =>
  storageClass === storageClassNames.nfs ? "ReadWriteMany" : "ReadWriteOnce";

/** The claim's spec, for a PersistentVolumeClaim or a StatefulSet's template. */
export const claimSpec = (claim: Claim): NonNullable<PersistentVolumeClaim["spec"]> => ({
  accessModes: [accessMode(claim)],
  storageClassName: claim.storageClass,
  resources: { requests: { storage: claim.size } },
  ...(claim.provision === "static" ? { volumeName: claim.name } : {}),
});

/** Reserved for its claim: otherwise the two find each other only when the binder looks at everything again. */
const hostPathVolume = (namespace: string, claim: Claim): PersistentVolume & KubeManifest => ({
  apiVersion: "v1",
  kind: "PersistentVolume",
  metadata: { name: claim.name },
  spec: {
    accessModes: [accessMode(claim)],
    capacity: { storage: claim.size },
    storageClassName: "",
    claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace, name: claim.name },
    persistentVolumeReclaimPolicy: "Retain",
    hostPath: { path: `${hostPathDir}/${claim.name}`, type: "DirectoryOrCreate" },
  },
});

const claimManifest = (app: string, namespace: string, claim: Claim): KubeManifest => ({
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: { name: claim.name, namespace, labels: { "app.kubernetes.io/name": app } },
  spec: claimSpec(claim),
});

/** The objects that have to exist before the app's workloads: volumes that no driver makes, and its claims. */
export const claimManifests = ({ name, namespace, claims }: AppDefinition): KubeManifest[] => {
  const volumes = claims
    .filter(({ provision }) => provision === "static")
    .map((claim) => hostPathVolume(namespace, claim));
  const wanted = claims.filter(({ provision }) => provision !== "template");
  return [...volumes, ...wanted.map((claim) => claimManifest(name, namespace, claim))];
};
