/** How a volume is exported, and whether that is still so. Pure. */
import type { PersistentVolume } from "../../inventory/raw.ts";
import type { Dataset, Exports, NewExport } from "../../systems/nas/port.ts";

/** The export that a PV leads to, as one makes it; undefined when it is not whole, or the PV names none. */
export const exportOf = (pv: PersistentVolume, dataset: Dataset, exports: Exports): NewExport | undefined => {
  const path = pathOf(pv);
  if (path !== undefined) {
    const like = exports.nfs.find((share) => share.path === path && share.enabled);
    return like === undefined ? undefined : { kind: "nfs", dataset: dataset.name, like };
  }
  const iqn = iqnOf(pv);
  const likeTarget = exports.targets.find(({ name }) => iqn === `${exports.iqnBase ?? ""}:${name}`);
  const mapping = exports.targetExtents.find(({ target, lun }) => target === likeTarget?.id && lun === 0);
  const likeExtent = exports.extents.find(({ id, enabled }) => id === mapping?.extent && enabled);
  if (likeTarget === undefined || likeExtent === undefined) return undefined;
  return { kind: "iscsi", dataset: dataset.name, name: likeTarget.name, likeTarget, likeExtent };
};

/** Whether the network reaches the volume at all: a PV of another kind (local ZFS) needs no export. */
export const needsExport = (pv: PersistentVolume): boolean => pathOf(pv) !== undefined || iqnOf(pv) !== undefined;

const pathOf = ({ spec: { csi, nfs } }: PersistentVolume): string | undefined =>
  nfs?.path ?? csi?.volumeAttributes?.["share"];

const iqnOf = ({ spec: { csi, iscsi } }: PersistentVolume): string | undefined =>
  iscsi?.iqn ?? csi?.volumeAttributes?.["iqn"];
