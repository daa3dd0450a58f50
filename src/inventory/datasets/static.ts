/**
 * PVs that people wrote: `nfs:`, `iscsi:`, and democratic-csi's node-manual driver, which mounts what others have made.
 * Nothing on the NAS remembers them, so it must be certain that the server is this NAS at all.
 */
import type { PersistentVolume } from "../raw.ts";
import { type DatasetAnswer, judge, type NasView } from "./answer.ts";
import { datasetAround, hostOf, mountedAt, reachedBy, sharedAs } from "./checks.ts";

/** Undefined for a PV that is none of these. */
export const findStatic = (pv: PersistentVolume, view: NasView): DatasetAnswer | undefined => {
  const place = placeOf(pv);
  if (place === undefined) return undefined;
  if (!view.addresses.includes(hostOf(place.server)))
    return { unknown: `its server ${hostOf(place.server)} is not known to be this NAS` };
  return place.protocol === "nfs" ? findPath(place.path, view) : findIqn(place.iqn, place.lun, view);
};

type Place =
  | { readonly protocol: "nfs"; readonly server: string; readonly path: string }
  | { readonly protocol: "iscsi"; readonly server: string; readonly iqn: string; readonly lun: string };

const placeOf = ({ spec: { nfs, iscsi, csi } }: PersistentVolume): Place | undefined => {
  if (nfs !== undefined) return { protocol: "nfs", server: nfs.server, path: nfs.path };
  if (iscsi !== undefined)
    return { protocol: "iscsi", server: iscsi.targetPortal, iqn: iscsi.iqn, lun: String(iscsi.lun ?? 0) };
  const { provisioner_driver, node_attach_driver, server, share, portal, iqn, lun = "0" } = csi?.volumeAttributes ?? {};
  if (provisioner_driver !== "node-manual") return undefined;
  if (node_attach_driver === "nfs" && server !== undefined && share !== undefined)
    return { protocol: "nfs", server, path: share };
  if (node_attach_driver === "iscsi" && portal !== undefined && iqn !== undefined)
    return { protocol: "iscsi", server: portal, iqn, lun };
  return undefined;
};

const findPath = (path: string, view: NasView): DatasetAnswer => {
  const around = datasetAround(path, view);
  const absent =
    around === undefined
      ? `no dataset of the NAS is mounted at ${path}`
      : `${path} is a directory inside ${around.name}: it has no snapshots of its own`;
  return judge(view.datasets, [mountedAt(path), sharedAs(path, view.exports)], absent);
};

const findIqn = (iqn: string, lun: string, view: NasView): DatasetAnswer =>
  judge(view.datasets, reachedBy(iqn, lun, view.exports), `the IQN ${iqn} leads to no dataset of the NAS`);
