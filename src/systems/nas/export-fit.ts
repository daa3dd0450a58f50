/** How much of an export is there already: decided alike for every adapter, from the tables of the NAS. */
import { Failure } from "../../model/failure.ts";
import type {
  Exports,
  IscsiExtent,
  IscsiTarget,
  IscsiTargetExtent,
  NewIscsiExport,
  NfsShare,
  VolumeExport,
} from "./port.ts";

/** What the NAS calls the disk of a volume. */
export const diskOf = (dataset: string): string => `zvol/${dataset}`;

const taken = (what: string, why: string): Failure => new Failure("NAS_EXISTS", { what, why });

/** The share of a path that can be taken; undefined when it is to be made. Throws NAS_EXISTS for one that is switched off. */
export const fittingShare = (exports: Pick<Exports, "nfs">, path: string): NfsShare | undefined => {
  const share = exports.nfs.find((one) => one.path === path);
  if (share !== undefined && !share.enabled)
    throw taken(`The share of "${path}" is switched off.`, `somebody disabled the NFS share ${share.id}`);
  return share;
};

export interface FittingIscsi {
  readonly target: IscsiTarget | undefined;
  readonly extent: IscsiExtent | undefined;
  readonly targetExtent: IscsiTargetExtent | undefined;
}

/** The parts of an iSCSI export that are there and fit. Throws NAS_EXISTS when one of the names stands for another volume. */
export const fittingIscsi = (exports: Exports, wanted: NewIscsiExport): FittingIscsi => {
  const disk = diskOf(wanted.dataset);
  const target = exports.targets.find(({ name }) => name === wanted.name);
  const extent = exports.extents.find((one) => one.name === wanted.name);
  if (extent !== undefined && (extent.disk !== disk || !extent.enabled))
    throw taken(
      `The extent "${wanted.name}" is not that of "${wanted.dataset}".`,
      extent.disk === disk ? "somebody disabled it" : `its disk is "${extent.disk}"`,
    );
  const other = exports.extents.find((one) => one.disk === disk && one.name !== wanted.name);
  if (other !== undefined)
    throw taken(`"${wanted.dataset}" is already exported.`, `the extent "${other.name}" has its disk`);
  const ofTarget = exports.targetExtents.filter((one) => one.target === target?.id);
  const targetExtent = ofTarget.find((one) => one.extent === extent?.id && one.lun === 0);
  if (targetExtent === undefined && ofTarget.length > 0)
    throw taken(`The target "${wanted.name}" is not that of "${wanted.dataset}".`, "it already has another extent");
  return { target, extent, targetExtent };
};

/** Ids of what `made` names and still is what it was; the rest stays. */
export interface Removable {
  readonly share?: number;
  readonly targetExtent?: number;
  readonly target?: number;
  readonly extent?: number;
}

/** What of a volume's export still belongs to it: a share by its path, a target and an extent by name and disk. */
export const removableOf = (exports: Exports, made: VolumeExport): Removable => {
  if (made.kind === "nfs") {
    const share = exports.nfs.find(({ id, path }) => id === made.share && path === made.path);
    return share === undefined ? {} : { share: share.id };
  }
  const target = exports.targets.find(({ id, name }) => id === made.target && name === made.name);
  const extent = exports.extents.find(
    ({ id, name, disk }) => id === made.extent && name === made.name && disk === made.disk,
  );
  const link = exports.targetExtents.find(
    (one) => one.id === made.targetExtent && one.target === target?.id && one.extent === extent?.id,
  );
  const others = exports.targetExtents.filter(({ id }) => id !== link?.id);
  return {
    ...(link === undefined ? {} : { targetExtent: link.id }),
    ...(target === undefined || others.some((one) => one.target === target.id) ? {} : { target: target.id }),
    ...(extent === undefined || others.some((one) => one.extent === extent.id) ? {} : { extent: extent.id }),
  };
};
