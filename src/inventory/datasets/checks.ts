/** Comparisons that several drivers share. */
import type { Dataset, Exports } from "../../systems/nas/port.ts";
import type { PersistentVolume } from "../raw.ts";
import { type Check, type NasView, speaksAgainst, speaksFor } from "./answer.ts";

/** The last part of a dataset's name. */
export const leafOf = (name: string): string => name.slice(name.lastIndexOf("/") + 1);

/** The host of "10.0.0.5:3260", "[fd00::5]:3260" or a bare name, as `NasView.addresses` has it. */
export const hostOf = (address: string): string => {
  const [, bracketed] = /^\[([^\]]*)\](?::\d+)?$/.exec(address) ?? [];
  if (bracketed !== undefined) return bracketed.toLowerCase();
  return (/^[^:]*:\d+$/.test(address) ? address.slice(0, address.indexOf(":")) : address).toLowerCase();
};

/** The PV's path on the server is the dataset's mountpoint. Where the NAS tells no mountpoint, its name decides. */
export const mountedAt = (path: string): Check => {
  const wanted = path.replace(/(?<=.)\/+$/, "");
  return {
    identifies: true,
    look: ({ name, mountpoint }) => {
      if (mountpoint === undefined) {
        return wanted === `/mnt/${name}` || wanted === `/${name}`
          ? speaksFor(`its name is the share's path ${path} without the mount root`)
          : speaksAgainst(`it is not mounted, and its name does not fit the share's path ${path}`);
      }
      return mountpoint === wanted
        ? speaksFor(`it is mounted at the share's path ${path}`)
        : speaksAgainst(`it is mounted at ${mountpoint}, the share's path is ${path}`);
    },
  };
};

/** The last part of its name is the PV's volumeHandle. */
export const leafIs = (handle: string): Check => ({
  identifies: true,
  look: ({ name }) =>
    leafOf(name) === handle
      ? speaksFor(`its name ends in the volumeHandle ${handle}`)
      : speaksAgainst(`its name ends in ${leafOf(name)}, the volumeHandle is ${handle}`),
});

/** Its whole name stands in the PV. `where` says in which field. */
export const nameIs = (wanted: string, where: string): Check => ({
  identifies: true,
  look: ({ name }) =>
    name === wanted
      ? speaksFor(`${where} is its name`)
      : speaksAgainst(`its name is ${name}, but ${where} is ${wanted}`),
});

/** A user property has this value. A dataset without the property is not one that the driver made. */
export const propertyIs = (property: string, wanted: string): Check => ({
  identifies: false,
  look: ({ properties }) => {
    const value = properties[property];
    return value === wanted
      ? speaksFor(`${property} is ${wanted}`)
      : speaksAgainst(`${property} is ${value === undefined ? "not set" : `"${value}"`}, not "${wanted}"`);
  },
});

/** A volume that a driver has provisioned bears the name of its PV (external-provisioner gives both the same one). */
export const provisionedAs = ({ metadata, spec }: PersistentVolume): Check => ({
  identifies: false,
  look: ({ name }) => {
    if (metadata.annotations?.["pv.kubernetes.io/provisioned-by"] !== spec.csi?.driver) return undefined;
    return leafOf(name) === metadata.name
      ? speaksFor("its name ends in the name of the PV, which was made with it")
      : speaksAgainst(`its name ends in ${leafOf(name)}, but it was made for the PV ${metadata.name}`);
  },
});

/**
 * A share exports the path. The copy of a dataset on another NAS has its name, its properties and its mountpoint, but
 * nobody exports it.
 */
export const sharedAs = (path: string, exports: Exports | undefined): Check => ({
  identifies: false,
  look: () => {
    if (exports === undefined) return undefined;
    return exports.nfs.some((share) => share.path === path)
      ? speaksFor(`an NFS share exports ${path}`)
      : speaksAgainst(`no NFS share exports ${path}`);
  },
});

/** IQN and LUN lead to it (target, extent of that LUN, zvol), and to nothing else. */
export const reachedBy = (iqn: string, lun: string, exports: Exports | undefined): readonly Check[] => {
  const { disks, broken } = followIqn(iqn, lun, exports);
  const leads = `the IQN ${iqn} leads to`;
  return [
    {
      identifies: true,
      look: ({ name }) =>
        disks.includes(name) ? speaksFor(`${leads} it`) : speaksAgainst(broken ?? `${leads} ${disks.join(" and ")}`),
    },
    {
      identifies: false,
      look: ({ name }) =>
        disks.includes(name) && disks.length > 1 ? speaksAgainst(`${leads} ${disks.join(" and ")}`) : undefined,
    },
  ];
};

interface Reached {
  /** Datasets at the end of the way; several when the NAS contradicts itself. */
  readonly disks: readonly string[];
  /** Where the way ends, when it leads nowhere. */
  readonly broken?: string;
}

const followIqn = (iqn: string, lun: string, exports: Exports | undefined): Reached => {
  const ends = (broken: string): Reached => ({ disks: [], broken });
  if (exports?.iqnBase === undefined) return ends("the NAS tells of no iSCSI targets");
  const base = `${exports.iqnBase}:`;
  if (!iqn.startsWith(base)) return ends(`the IQN ${iqn} is not one of this NAS, whose begin with ${base}`);
  const name = iqn.slice(base.length);
  const targets = exports.targets.filter((target) => target.name === name).map(({ id }) => id);
  if (targets.length === 0) return ends(`no target is named ${name}`);
  const extents = exports.targetExtents
    .filter((link) => targets.includes(link.target) && String(link.lun) === lun)
    .map(({ extent }) => extent);
  if (extents.length === 0) return ends(`the target ${name} has no LUN ${lun}`);
  const disks = exports.extents
    .filter(({ id, disk }) => extents.includes(id) && disk.startsWith("zvol/"))
    .map(({ disk }) => disk.slice("zvol/".length));
  return disks.length === 0 ? ends(`LUN ${lun} of the target ${name} is no zvol`) : { disks: [...new Set(disks)] };
};

/** The dataset that a path lies in without being its mountpoint: a directory, of which there are no snapshots. */
export const datasetAround = (path: string, { datasets }: NasView): Dataset | undefined =>
  datasets
    .filter(({ mountpoint }) => mountpoint !== undefined && path.startsWith(`${mountpoint}/`))
    .toSorted((a, b) => (b.mountpoint ?? "").length - (a.mountpoint ?? "").length)[0];
