/**
 * tns-csi. Its volumeHandle has been three things: JSON in base64 (before 0.8), the volume's bare name, and the dataset's
 * whole name. The dataset bears the volume's name as a property in all three.
 */
import type { CsiSource, PersistentVolume } from "../raw.ts";
import { type Check, type DatasetAnswer, judge, type NasView, speaksAgainst, speaksFor } from "./answer.ts";
import { leafOf, mountedAt, nameIs, propertyIs, reachedBy } from "./checks.ts";

/** Undefined for a PV of another driver. */
export const findTnsCsi = (pv: PersistentVolume, view: NasView): DatasetAnswer | undefined => {
  const { csi } = pv.spec;
  if (csi?.driver !== "tns.csi.io") return undefined;
  const handle = readHandle(csi.volumeHandle);
  return judge(
    view.datasets,
    [...checksOfHandle(handle), propertyIs("tns-csi:managed_by", "tns-csi"), ...checksOfAttributes(csi, view)],
    `the NAS has no dataset ${handle.dataset ?? `of the volume ${handle.name}`}`,
  );
};

interface Handle {
  /** The volume's name, which tns-csi keeps as `csi_volume_name`. */
  readonly name: string;
  /** The dataset's whole name, where the handle has it. */
  readonly dataset: string | undefined;
}

const readHandle = (handle: string): Handle => {
  if (handle.includes("/")) return { name: leafOf(handle), dataset: handle };
  return readOldHandle(handle) ?? { name: handle, dataset: undefined };
};

const readOldHandle = (handle: string): Handle | undefined => {
  try {
    const value = JSON.parse(Buffer.from(handle, "base64url").toString("utf8")) as Record<string, unknown> | null;
    const { name, datasetID, datasetName } = value ?? {};
    const dataset = [datasetID, datasetName].find((part) => typeof part === "string" && part !== "");
    return typeof name === "string" ? { name, dataset: dataset as string | undefined } : undefined;
  } catch {
    // Not JSON, so not an old handle: SyntaxError is the only way in which JSON.parse says no.
    return undefined;
  }
};

const checksOfHandle = ({ name, dataset }: Handle): readonly Check[] => [
  ...(dataset === undefined ? [] : [nameIs(dataset, "the volumeHandle")]),
  {
    identifies: true,
    look: ({ properties }) => {
      const kept = properties["tns-csi:csi_volume_name"];
      return kept === name
        ? speaksFor(`tns-csi:csi_volume_name is ${name}`)
        : speaksAgainst(`tns-csi:csi_volume_name is ${kept ?? "not set"}, the volume is ${name}`);
    },
  },
];

/** The driver writes `iscsiIQN`; its plug-in for adopting volumes writes `iqn` and `share` instead. */
const checksOfAttributes = ({ volumeAttributes = {} }: CsiSource, view: NasView): readonly Check[] => {
  const { datasetID, share, iscsiIQN, iqn = iscsiIQN, lun = "0", protocol } = volumeAttributes;
  return [
    ...(datasetID === undefined ? [] : [nameIs(datasetID, "the attribute datasetID")]),
    ...(share === undefined || protocol === "smb" ? [] : [mountedAt(share)]),
    ...(iqn === undefined ? [] : reachedBy(iqn, lun, view.exports)),
  ];
};
