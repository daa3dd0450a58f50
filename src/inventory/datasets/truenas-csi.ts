/** TrueNAS' own driver: the volumeHandle is the dataset's whole name, and no property says so on the other side. */
import type { PersistentVolume } from "../raw.ts";
import { type Check, type DatasetAnswer, judge, type NasView } from "./answer.ts";
import { mountedAt, nameIs, provisionedAs, reachedBy, sharedAs } from "./checks.ts";

/** Undefined for a PV of another driver. */
export const findTruenasCsi = (pv: PersistentVolume, view: NasView): DatasetAnswer | undefined => {
  const { csi } = pv.spec;
  if (csi?.driver !== "csi.truenas.io" || !csi.volumeHandle.includes("/")) return undefined;
  const { nfsPath, targetIQN, lun = "0" } = csi.volumeAttributes ?? {};
  const checks: readonly Check[] = [
    nameIs(csi.volumeHandle, "the volumeHandle"),
    provisionedAs(pv),
    // The driver leaves these out of volumes that it found already there.
    ...(nfsPath === undefined ? [] : [mountedAt(nfsPath), sharedAs(nfsPath, view.exports)]),
    ...(targetIQN === undefined ? [] : reachedBy(targetIQN, lun, view.exports)),
  ];
  return judge(view.datasets, checks, `the NAS has no dataset ${csi.volumeHandle}`);
};
