/** The driver's objects in Kubernetes. */
import type { CSIDriver, StorageClass } from "kubernetes-types/storage/v1.d.ts";
import { driverNames, type Protocol } from "./volume-shape.ts";

type Named<T> = T & { readonly metadata: { readonly name: string } };

/** StorageClass names of the lab. */
export const storageClassNames = { nfs: "nas-nfs", iscsi: "nas-iscsi" } as const;

const fsTypes = { nfs: "nfs", iscsi: "ext4" } as const;

const driver = (protocol: Protocol): Named<CSIDriver> => ({
  apiVersion: "storage.k8s.io/v1",
  kind: "CSIDriver",
  metadata: { name: driverNames[protocol] },
  spec: {
    // democratic-csi's chart says true, for which it also runs external-attacher; the driver does nothing on attach.
    attachRequired: false,
    podInfoOnMount: true,
    fsGroupPolicy: "ReadWriteOnceWithFSType",
    storageCapacity: false,
    volumeLifecycleModes: ["Persistent"],
  },
});

const storageClass = (protocol: Protocol): Named<StorageClass> => ({
  apiVersion: "storage.k8s.io/v1",
  kind: "StorageClass",
  metadata: { name: storageClassNames[protocol] },
  provisioner: driverNames[protocol],
  parameters: { "csi.storage.k8s.io/fstype": fsTypes[protocol] },
  reclaimPolicy: "Delete",
  volumeBindingMode: "Immediate",
  allowVolumeExpansion: true,
});

/** Both CSIDrivers and both StorageClasses. */
export const csiManifests: readonly Named<CSIDriver | StorageClass>[] = [
  driver("nfs"),
  driver("iscsi"),
  storageClass("nfs"),
  storageClass("iscsi"),
];
