/**
 * The shape that democratic-csi gives to PVs and datasets: volume attributes, user properties, names on the NAS.
 * Holdfast finds a volume's dataset by exactly these. Pure.
 */
import type { StringMap } from "./messages.ts";

export const driverNames = { nfs: "org.democratic-csi.nfs", iscsi: "org.democratic-csi.iscsi" } as const;

export type Protocol = keyof typeof driverNames;

export const provisionerDrivers = { nfs: "freenas-api-nfs", iscsi: "freenas-api-iscsi" } as const;

/** User properties of a dataset. */
export const property = {
  managed: "democratic-csi:managed_resource",
  volumeName: "democratic-csi:csi_volume_name",
  success: "democratic-csi:provision_success",
  shareContext: "democratic-csi:csi_share_volume_context",
  provisionerDriver: "democratic-csi:volume_context_provisioner_driver",
  provisionerInstance: "democratic-csi:volume_context_provisioner_instance_id",
  nfsShareId: "democratic-csi:freenas_nfs_share_id",
  targetId: "democratic-csi:freenas_iscsi_target_id",
  extentId: "democratic-csi:freenas_iscsi_extent_id",
  targetToExtentId: "democratic-csi:freenas_iscsi_targettoextent_id",
  assetsName: "democratic-csi:freenas_iscsi_assets_name",
} as const;

/** What democratic-csi writes in place of the id of an export that it removed. */
export const noExport = "-";

export interface Provisioner {
  readonly protocol: Protocol;
  readonly instanceId?: string | undefined;
}

const instanceOf = (instanceId: string | undefined, name: string): StringMap =>
  instanceId === undefined ? {} : { [name]: instanceId };

/** Properties set when a dataset is made. */
export const birthProperties = ({ protocol, instanceId }: Provisioner, volumeId: string): StringMap => ({
  [property.managed]: "true",
  [property.volumeName]: volumeId,
  [property.provisionerDriver]: provisionerDrivers[protocol],
  ...instanceOf(instanceId, property.provisionerInstance),
});

/** Properties set when the export works: the dataset alone is then enough to make the PV again. */
export const successProperties = (shareContext: StringMap): StringMap => ({
  [property.shareContext]: JSON.stringify(shareContext),
  [property.success]: "true",
});

/** The PV's volumeAttributes; external-provisioner adds its own identity. */
export const volumeContext = ({ protocol, instanceId }: Provisioner, shareContext: StringMap): StringMap => ({
  ...shareContext,
  provisioner_driver: provisionerDrivers[protocol],
  ...instanceOf(instanceId, "provisioner_driver_instance_id"),
});

/** The part of the volume attributes that tells a node where the share is. */
export const nfsShareContext = (server: string, share: string): StringMap => ({
  node_attach_driver: "nfs",
  server,
  share,
});

/** The part of the volume attributes that tells a node where the LUN is. */
export const iscsiShareContext = (address: string, iqn: string): StringMap => ({
  node_attach_driver: "iscsi",
  portal: `${address}:3260`,
  portals: "",
  interface: "",
  iqn,
  lun: "0",
});

/** The name that target and extent of a volume share. */
export const iscsiAssetsName = (
  volumeId: string,
  naming: { readonly namePrefix: string; readonly nameSuffix: string },
): string => `${naming.namePrefix}${volumeId}${naming.nameSuffix}`.toLowerCase();

export const iqnOf = (baseIqn: string, targetName: string): string => `${baseIqn}:${targetName}`;

/** The target's name within an IQN: what follows the first colon. */
export const targetNameOf = (iqn: string): string => iqn.slice(iqn.indexOf(":") + 1);

/** An extent's disk for a dataset, and back. The stand-in of a zvol is an image file in a dataset of the same name. */
export const diskOf = (dataset: string): string => `zvol/${dataset}`;
export const datasetOf = (disk: string): string => disk.replace(/^zvol\//, "");
export const imageName = "disk.img";
