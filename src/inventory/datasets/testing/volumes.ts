/** Volumes of every driver as they are in a cluster and on its NAS, for tests. */
import type { Dataset, Exports } from "../../../systems/nas/port.ts";
import type { CsiSource, PersistentVolume } from "../../raw.ts";
import type { NasView } from "../answer.ts";

export const address = "10.0.0.5";
const iqnBase = "iqn.2005-10.org.freenas.ctl";

/** Another one for each name, of 64 bits as ZFS' own. */
const guidOf = (name: string): string =>
  String(Array.from(name).reduce((sum, letter) => (sum * 31n + BigInt(letter.charCodeAt(0))) % 2n ** 64n, 7n));

export const aDataset = (name: string, part: Partial<Dataset> = {}): Dataset => ({
  name,
  guid: guidOf(name),
  createtxg: "100",
  kind: "filesystem",
  mountpoint: part.kind === "volume" ? undefined : `/mnt/${name}`,
  origin: undefined,
  used: 1000,
  available: 10_000,
  refquota: undefined,
  volsize: undefined,
  readOnly: false,
  created: 0,
  properties: {},
  ...part,
});

export const noExports: Exports = { nfs: [], iqnBase, targets: [], extents: [], targetExtents: [] };

/** One volume, in the cluster and on the NAS. */
export interface Sample {
  readonly pv: PersistentVolume;
  readonly dataset: Dataset;
  readonly exports: Exports;
}

export const viewOf = (samples: readonly Sample[], part: Partial<NasView> = {}): NasView => ({
  datasets: samples.map(({ dataset }) => dataset),
  exports: {
    iqnBase,
    nfs: samples.flatMap(({ exports }) => exports.nfs),
    targets: samples.flatMap(({ exports }) => exports.targets),
    extents: samples.flatMap(({ exports }) => exports.extents),
    targetExtents: samples.flatMap(({ exports }) => exports.targetExtents),
  },
  addresses: [address],
  ...part,
});

const pvOf = (name: string, spec: PersistentVolume["spec"]): PersistentVolume => ({
  metadata: {
    name,
    uid: `uid-${name}`,
    ...(spec.csi === undefined ? {} : { annotations: { "pv.kubernetes.io/provisioned-by": spec.csi.driver } }),
  },
  spec,
});

const csiPv = (name: string, csi: CsiSource): PersistentVolume => pvOf(name, { csi });

const nfsExport = (id: number, path: string): Exports => ({
  ...noExports,
  nfs: [{ id, path, enabled: true, comment: "", settings: {} }],
});

/** Ids that differ between targets, extents and links, so that no test passes by mixing them up. */
const iscsiExport = (id: number, target: string, dataset: string): Exports => ({
  ...noExports,
  targets: [{ id, name: target, alias: undefined, groups: [] }],
  extents: [{ id: id + 1000, name: target, disk: `zvol/${dataset}`, enabled: true, settings: {} }],
  targetExtents: [{ id: id + 2000, target: id, extent: id + 1000, lun: 0 }],
});

const managed = (context: object): Readonly<Record<string, string>> => ({
  "democratic-csi:managed_resource": "true",
  "democratic-csi:csi_share_volume_context": JSON.stringify(context),
});

/** Makes the volume number `id` of a kind of driver. */
export type MakeSample = (id: number) => Sample;

export const makers = {
  "democratic-csi NFS": (id) => {
    const handle = `pvc-${id}`;
    const name = `tank/k8s/nfs/v/${handle}`;
    const context = { node_attach_driver: "nfs", server: address, share: `/mnt/${name}` };
    const volumeAttributes = { ...context, provisioner_driver: "freenas-api-nfs" };
    return {
      pv: csiPv(handle, { driver: "org.democratic-csi.nfs", volumeHandle: handle, volumeAttributes }),
      dataset: aDataset(name, { properties: managed(context) }),
      exports: nfsExport(id, `/mnt/${name}`),
    };
  },
  "democratic-csi iSCSI": (id) => {
    const handle = `pvc-${id}`;
    const name = `tank/k8s/iscsi/v/${handle}`;
    const target = `csi-${handle}-clustera`;
    const context = { node_attach_driver: "iscsi", portal: `${address}:3260`, iqn: `${iqnBase}:${target}`, lun: "0" };
    const volumeAttributes = { ...context, provisioner_driver: "freenas-iscsi" };
    return {
      pv: csiPv(handle, { driver: "some.name.of.the.chart", fsType: "ext4", volumeHandle: handle, volumeAttributes }),
      dataset: aDataset(name, { kind: "volume", properties: managed(context) }),
      exports: iscsiExport(id, target, name),
    };
  },
  "truenas-csi NFS": (id) => {
    const name = `tank/csi/pvc-${id}`;
    const volumeAttributes = { protocol: "nfs", nfsServer: address, nfsPath: `/mnt/${name}` };
    return {
      pv: csiPv(`pvc-${id}`, { driver: "csi.truenas.io", volumeHandle: name, volumeAttributes }),
      dataset: aDataset(name),
      exports: nfsExport(id, `/mnt/${name}`),
    };
  },
  "truenas-csi iSCSI": (id) => {
    const name = `tank/csi/pvc-${id}`;
    const volumeAttributes = {
      protocol: "iscsi",
      targetPortal: `${address}:3260`,
      targetIQN: `${iqnBase}:pvc-${id}`,
      lun: "0",
    };
    return {
      pv: csiPv(`pvc-${id}`, { driver: "csi.truenas.io", volumeHandle: name, volumeAttributes }),
      dataset: aDataset(name, { kind: "volume" }),
      exports: iscsiExport(id, `pvc-${id}`, name),
    };
  },
  "tns-csi NFS": (id) => {
    const name = `tank/tns/pvc-${id}`;
    const volumeAttributes = { protocol: "nfs", server: address, datasetID: name, nfsShareID: String(id) };
    return {
      pv: csiPv(`pvc-${id}`, { driver: "tns.csi.io", volumeHandle: name, volumeAttributes }),
      dataset: aDataset(name, { properties: tnsProperties(id) }),
      exports: nfsExport(id, `/mnt/${name}`),
    };
  },
  "tns-csi iSCSI with an old handle": (id) => {
    const name = `tank/tns/pvc-${id}`;
    const old = { name: `pvc-${id}`, protocol: "iscsi", datasetID: name };
    const volumeHandle = Buffer.from(JSON.stringify(old)).toString("base64url");
    const volumeAttributes = { protocol: "iscsi", iscsiIQN: `${iqnBase}:pvc-${id}`, iscsiTargetID: String(id) };
    return {
      pv: csiPv(`pvc-${id}`, { driver: "tns.csi.io", volumeHandle, volumeAttributes }),
      dataset: aDataset(name, { kind: "volume", properties: tnsProperties(id) }),
      exports: iscsiExport(id, `pvc-${id}`, name),
    };
  },
  "OpenEBS zfs-localpv": (id) => {
    const handle = `pvc-${id}`;
    const csi = { driver: "zfs.csi.openebs.io", fsType: "zfs", volumeHandle: handle };
    return {
      pv: csiPv(handle, { ...csi, volumeAttributes: { "openebs.io/poolname": "tank/local" } }),
      dataset: aDataset(`tank/local/${handle}`, { mountpoint: undefined }),
      exports: noExports,
    };
  },
  "static NFS": (id) => {
    const name = `tank/media/films-${id}`;
    return {
      pv: pvOf(`films-${id}`, { nfs: { server: address, path: `/mnt/${name}` } }),
      dataset: aDataset(name),
      exports: nfsExport(id, `/mnt/${name}`),
    };
  },
  "static iSCSI": (id) => {
    const name = `tank/media/disk-${id}`;
    return {
      pv: pvOf(`disk-${id}`, { iscsi: { targetPortal: `${address}:3260`, iqn: `${iqnBase}:disk-${id}`, lun: 0 } }),
      dataset: aDataset(name, { kind: "volume" }),
      exports: iscsiExport(id, `disk-${id}`, name),
    };
  },
  "node-manual": (id) => {
    const name = `tank/restored/r-${id}`;
    const volumeAttributes = {
      node_attach_driver: "nfs",
      provisioner_driver: "node-manual",
      server: address,
      share: `/mnt/${name}`,
    };
    return {
      pv: csiPv(`anything-${id}`, {
        driver: "org.democratic-csi.node-manual",
        volumeHandle: `x${id}`,
        volumeAttributes,
      }),
      dataset: aDataset(name),
      exports: nfsExport(id, `/mnt/${name}`),
    };
  },
} as const satisfies Record<string, MakeSample>;

export type SampleKind = keyof typeof makers;

const tnsProperties = (id: number): Readonly<Record<string, string>> => ({
  "tns-csi:managed_by": "tns-csi",
  "tns-csi:csi_volume_name": `pvc-${id}`,
});
