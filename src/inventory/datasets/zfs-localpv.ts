/** OpenEBS ZFS LocalPV: the dataset lies in a pool of the node itself, as POOL/HANDLE. */
import type { PersistentVolume } from "../raw.ts";
import { type DatasetAnswer, judge, type NasView, speaksAgainst, speaksFor } from "./answer.ts";
import { nameIs, provisionedAs } from "./checks.ts";

const poolAttribute = "openebs.io/poolname";

/** Undefined for a PV of another driver. */
export const findZfsLocalPv = (pv: PersistentVolume, view: NasView): DatasetAnswer | undefined => {
  const { csi } = pv.spec;
  const pool = csi?.volumeAttributes?.[poolAttribute];
  if (csi?.driver !== "zfs.csi.openebs.io" || pool === undefined) return undefined;
  const name = `${pool}/${csi.volumeHandle}`;
  const kind = csi.fsType === "zfs" ? "filesystem" : "volume";
  return judge(
    view.datasets,
    [
      nameIs(name, `${poolAttribute} and the volumeHandle together`),
      provisionedAs(pv),
      {
        identifies: false,
        look: (dataset) =>
          dataset.kind === kind
            ? speaksFor(`it is a ${kind}, as fsType ${csi.fsType ?? "(none)"} wants`)
            : speaksAgainst(`it is a ${dataset.kind}, but fsType ${csi.fsType ?? "(none)"} wants a ${kind}`),
      },
    ],
    `the NAS has no dataset ${name}`,
  );
};
