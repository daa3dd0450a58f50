/**
 * What takes the place of a volume: a dataset, an export and a PersistentVolume like the volume's own, under names of
 * their own, so that the storage driver can grow and delete it as it does any other. Pure; one function a kind of PV.
 */
import type { CsiSource, PersistentVolume } from "../../inventory/raw.ts";
import { Failure } from "../../model/failure.ts";
import type { Dataset, Exports, NewExport, VolumeExport } from "../../systems/nas/port.ts";

export interface Successor {
  /** Full name of the clone. */
  readonly dataset: string;
  /** User properties by which the driver knows a dataset as its own. */
  readonly properties: Readonly<Record<string, string>>;
  readonly wanted: NewExport;
  /** The volume's present export. */
  readonly old: VolumeExport;
  /** User properties that keep the ids of the new export, by what they keep. */
  readonly idProperties: Readonly<Record<string, string>>;
  readonly manifest: PersistentVolume;
}

export interface Present {
  /** "namespace/pvc", for messages. */
  readonly volume: string;
  readonly pv: PersistentVolume;
  readonly dataset: Dataset;
  readonly exports: Exports;
  /** Tells the new names from the present ones: lower-case letters and digits. */
  readonly suffix: string;
}

const generation = /-r[a-z0-9]{6}$/;

/** "pvc-1" → "pvc-1-rab12cd"; a successor's successor has one ending too. */
export const nextName = (name: string, suffix: string): string => `${name.replace(generation, "")}-r${suffix}`;

const lastPart = (dataset: string): string => dataset.slice(dataset.lastIndexOf("/") + 1);
const parentOf = (dataset: string): string => dataset.slice(0, dataset.lastIndexOf("/"));

const unsupported = ({ volume, pv }: Present, why: string): Failure =>
  new Failure("NAS_UNSUPPORTED", {
    what: `${volume} (PV ${pv.metadata.name}) cannot be given a clone of its dataset.`,
    why,
    todo: "Restore it from Velero's copy: leave out --from zfs.",
  });

/** Throws NAS_UNSUPPORTED for drivers whose volumes Holdfast cannot make, and for a volume whose export is not whole. */
export const successorOf = (present: Present): Successor => {
  const { csi, nfs } = present.pv.spec;
  const driver = csi?.volumeAttributes?.["provisioner_driver"] ?? "";
  const attach = csi?.volumeAttributes?.["node_attach_driver"];
  if (csi !== undefined && driver.endsWith("-nfs") && attach === "nfs") return democraticNfs(present, csi);
  if (csi !== undefined && driver.endsWith("-iscsi") && attach === "iscsi") return democraticIscsi(present, csi);
  if (nfs !== undefined) return staticNfs(present, nfs);
  throw unsupported(present, "Holdfast knows how to make volumes of democratic-csi, and static NFS volumes");
};

const namesOf = ({ dataset, suffix }: Present) => {
  const leaf = nextName(lastPart(dataset.name), suffix);
  return { leaf, name: `${parentOf(dataset.name)}/${leaf}` };
};

/** Annotations that belong to the present binding. */
const ofBinding = new Set(["pv.kubernetes.io/bound-by-controller"]);

/** Labels and annotations for a PV that is made like this one. */
export const lastingMeta = ({ metadata: { labels, annotations = {} } }: PersistentVolume) => ({
  ...(labels === undefined ? {} : { labels }),
  annotations: Object.fromEntries(Object.entries(annotations).filter(([key]) => !ofBinding.has(key))),
});

const manifestWith = ({ pv, suffix }: Present, source: object): PersistentVolume => {
  const { claimRef: _, ...spec } = pv.spec;
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name: nextName(pv.metadata.name, suffix), ...lastingMeta(pv) },
    spec: { ...spec, ...source, persistentVolumeReclaimPolicy: "Retain" },
  };
};

interface NfsPlace {
  readonly old: VolumeExport;
  readonly wanted: NewExport;
  readonly path: string;
}

const nfsPlace = (present: Present, path: string): NfsPlace => {
  const { dataset, exports } = present;
  const { leaf, name } = namesOf(present);
  const share = exports.nfs.find((candidate) => candidate.path === path);
  if (share === undefined) throw unsupported(present, `the NAS has no share of ${path}`);
  if (dataset.mountpoint !== path) throw unsupported(present, `${path} is not where ${dataset.name} is mounted`);
  return {
    old: { kind: "nfs", share: share.id, path },
    wanted: { kind: "nfs", dataset: name, like: share },
    path: `${parentOf(path)}/${leaf}`,
  };
};

const prefix = "democratic-csi:";
const context = `${prefix}csi_share_volume_context`;

/** The attributes that democratic-csi remembers on the dataset, with what is different now. */
const rememberedBy = (dataset: Dataset, changed: Readonly<Record<string, string>>): string => {
  const text = dataset.properties[context];
  const known = text === undefined ? {} : (JSON.parse(text) as Record<string, string>);
  return JSON.stringify({ ...known, ...changed });
};

/** The driver's own properties, but for those that name the present export. */
const driverProperties = (
  { dataset }: Present,
  leaf: string,
  changed: Readonly<Record<string, string>>,
  ids: readonly string[],
): Readonly<Record<string, string>> => {
  const own = Object.entries(dataset.properties).filter(
    ([name]) => name.startsWith(prefix) && !ids.includes(name) && name !== `${prefix}csi_volume_content_source_type`,
  );
  return {
    ...Object.fromEntries(own),
    [`${prefix}csi_volume_name`]: leaf,
    [context]: rememberedBy(dataset, changed),
  };
};

const withAttributes = (csi: CsiSource, leaf: string, changed: Readonly<Record<string, string>>): object => ({
  csi: { ...csi, volumeHandle: leaf, volumeAttributes: { ...csi.volumeAttributes, ...changed } },
});

const shareId = `${prefix}freenas_nfs_share_id`;

const democraticNfs = (present: Present, csi: CsiSource): Successor => {
  const { leaf, name } = namesOf(present);
  const { old, wanted, path } = nfsPlace(present, csi.volumeAttributes?.["share"] ?? "");
  const changed = { share: path };
  return {
    dataset: name,
    properties: driverProperties(present, leaf, changed, [shareId]),
    wanted,
    old,
    idProperties: { share: shareId },
    manifest: manifestWith(present, withAttributes(csi, leaf, changed)),
  };
};

const staticNfs = (present: Present, nfs: { readonly server: string; readonly path: string }): Successor => {
  const { old, wanted, path } = nfsPlace(present, nfs.path);
  return {
    dataset: namesOf(present).name,
    properties: {},
    wanted,
    old,
    idProperties: {},
    manifest: manifestWith(present, { nfs: { ...nfs, path } }),
  };
};

const idProperties = {
  target: `${prefix}freenas_iscsi_target_id`,
  extent: `${prefix}freenas_iscsi_extent_id`,
  targetExtent: `${prefix}freenas_iscsi_targettoextent_id`,
} as const;
/** User properties by which democratic-csi finds the export of a PV's dataset again, by what they keep. */
export const idPropertiesOf = ({ spec: { csi } }: PersistentVolume): Readonly<Record<string, string>> => {
  const driver = csi?.volumeAttributes?.["provisioner_driver"] ?? "";
  if (driver.endsWith("-nfs")) return { share: shareId };
  return driver.endsWith("-iscsi") ? idProperties : {};
};

const assetsName = `${prefix}freenas_iscsi_assets_name`;

/** Longest name of an extent on TrueNAS. */
const longest = 64;

const democraticIscsi = (present: Present, csi: CsiSource): Successor => {
  const { dataset, exports, suffix } = present;
  const { leaf, name } = namesOf(present);
  const iqn = csi.volumeAttributes?.["iqn"] ?? "";
  const target = exports.targets.find((candidate) => iqn === `${exports.iqnBase ?? ""}:${candidate.name}`);
  const mapping = exports.targetExtents.find((candidate) => candidate.target === target?.id && candidate.lun === 0);
  const extent = exports.extents.find((candidate) => candidate.id === mapping?.extent);
  if (target === undefined || mapping === undefined || extent === undefined)
    throw unsupported(present, `the IQN ${iqn} leads to no extent of the NAS`);
  const asset = target.name.includes(lastPart(dataset.name))
    ? target.name.replace(lastPart(dataset.name), leaf)
    : nextName(target.name, suffix);
  if (asset.length > longest)
    throw unsupported(present, `the extent's name "${asset}" would be longer than ${longest}`);
  const changed = { iqn: `${exports.iqnBase ?? ""}:${asset}` };
  const ids = [...Object.values(idProperties), assetsName];
  return {
    dataset: name,
    properties: { ...driverProperties(present, leaf, changed, ids), [assetsName]: asset },
    wanted: { kind: "iscsi", dataset: name, name: asset, likeTarget: target, likeExtent: extent },
    old: {
      kind: "iscsi",
      target: target.id,
      extent: extent.id,
      targetExtent: mapping.id,
      name: target.name,
      iqn,
      disk: extent.disk,
    },
    idProperties,
    manifest: manifestWith(present, withAttributes(csi, leaf, changed)),
  };
};
