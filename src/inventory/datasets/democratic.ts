/**
 * democratic-csi. Its driver's name is whatever the chart was told, so a PV of it is known by `provisioner_driver` and
 * `node_attach_driver` in its attributes. Neither names the dataset: the share or the IQN leads to it, the volumeHandle
 * is the last part of its name, and the dataset keeps the attributes that the PV was made with.
 */
import type { CsiSource, PersistentVolume } from "../raw.ts";
import { type Check, type DatasetAnswer, judge, type NasView, speaksAgainst, speaksFor } from "./answer.ts";
import { leafIs, mountedAt, propertyIs, reachedBy, sharedAs } from "./checks.ts";

/** The drivers that make datasets; `node-manual` mounts what others made, and is a static PV. */
const provisioner = /^(?:(?:freenas|truenas)-(?:api-)?|zfs-generic-)(?:nfs|iscsi)$/;

/** Undefined for a PV that democratic-csi did not make with NFS. */
export const findDemocraticNfs = (pv: PersistentVolume, view: NasView): DatasetAnswer | undefined => {
  const { csi, attributes } = democraticOf(pv, "nfs");
  const share = attributes["share"];
  if (csi === undefined || share === undefined) return undefined;
  return judge(
    view.datasets,
    [mountedAt(share), sharedAs(share, view.exports), ...common(csi, "share")],
    `no dataset of the NAS is mounted at ${share} or ends in ${csi.volumeHandle}`,
  );
};

/** Undefined for a PV that democratic-csi did not make with iSCSI. */
export const findDemocraticIscsi = (pv: PersistentVolume, view: NasView): DatasetAnswer | undefined => {
  const { csi, attributes } = democraticOf(pv, "iscsi");
  const iqn = attributes["iqn"];
  if (csi === undefined || iqn === undefined) return undefined;
  return judge(
    view.datasets,
    [...reachedBy(iqn, attributes["lun"] ?? "0", view.exports), ...common(csi, "iqn")],
    `the IQN ${iqn} leads to no dataset of the NAS, and none ends in ${csi.volumeHandle}`,
  );
};

interface Democratic {
  readonly csi: CsiSource | undefined;
  readonly attributes: Readonly<Record<string, string>>;
}

const democraticOf = ({ spec: { csi } }: PersistentVolume, attach: "nfs" | "iscsi"): Democratic => {
  const attributes = csi?.volumeAttributes ?? {};
  const { provisioner_driver = "", node_attach_driver } = attributes;
  const isIts = provisioner.test(provisioner_driver) && node_attach_driver === attach;
  return isIts ? { csi, attributes } : { csi: undefined, attributes: {} };
};

const common = (csi: CsiSource, key: "share" | "iqn"): readonly Check[] => [
  leafIs(csi.volumeHandle),
  propertyIs("democratic-csi:managed_resource", "true"),
  remembers(csi.volumeAttributes ?? {}, key),
];

const record = "democratic-csi:csi_share_volume_context";

/** The dataset keeps, as JSON, the attributes that its PV was made with: all of them must still be the PV's. */
const remembers = (attributes: Readonly<Record<string, string>>, key: "share" | "iqn"): Check => ({
  identifies: true,
  look: ({ properties }) => {
    const kept = parseRecord(properties[record]);
    if (kept === undefined) return speaksAgainst(`${record} is not set, or is no JSON`);
    if (typeof kept[key] !== "string") return speaksAgainst(`${record} has no ${key}`);
    const other = Object.keys(kept).find((name) => kept[name] !== attributes[name]);
    if (other === undefined) return speaksFor(`${record} has the PV's ${key}`);
    return speaksAgainst(
      `${record} has ${other} "${String(kept[other])}", the PV has ${attributes[other] === undefined ? "none" : `"${attributes[other]}"`}`,
    );
  },
});

const parseRecord = (text: string | undefined): Readonly<Record<string, unknown>> | undefined => {
  try {
    const value: unknown = JSON.parse(text ?? "");
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    // SyntaxError is the only way in which JSON.parse says no.
    return undefined;
  }
};
