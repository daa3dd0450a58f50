/** From a PV to the dataset behind it. Pure; each driver is known by the shape of its PVs. */
import { Failure } from "../../model/failure.ts";
import type { Dataset } from "../../systems/nas/port.ts";
import { sourceOf, type PersistentVolume } from "../raw.ts";
import type { Candidate, DatasetAnswer, NasView } from "./answer.ts";
import { findDemocraticIscsi, findDemocraticNfs } from "./democratic.ts";
import { findStatic } from "./static.ts";
import { findTnsCsi } from "./tns-csi.ts";
import { findTruenasCsi } from "./truenas-csi.ts";
import { findZfsLocalPv } from "./zfs-localpv.ts";

const drivers = [findDemocraticNfs, findDemocraticIscsi, findTruenasCsi, findTnsCsi, findZfsLocalPv, findStatic];

/** What is behind a PV, with what speaks for it. Cost: the number of datasets. */
export const findDataset = (pv: PersistentVolume, view: NasView): DatasetAnswer => {
  for (const find of drivers) {
    const answer = find(pv, view);
    if (answer !== undefined) return answer;
  }
  return { unknown: unknownDriver(pv) };
};

const unknownDriver = ({ spec }: PersistentVolume): string => {
  if (spec.csi !== undefined) return `Holdfast does not know where the driver ${spec.csi.driver} keeps its volumes`;
  const source = sourceOf(spec);
  return source === "hostPath" || source === "local"
    ? `a ${source} volume lies on a node, not on the NAS`
    : `Holdfast does not know where ${source} volumes lie`;
};

/** The dataset, for what cannot go on without it. Throws DATASET_UNKNOWN and DATASET_AMBIGUOUS. */
export const requireDataset = (volume: string, pv: PersistentVolume, view: NasView): Dataset => {
  const answer = findDataset(pv, view);
  if ("found" in answer) return answer.found;
  if ("unknown" in answer)
    throw new Failure("DATASET_UNKNOWN", {
      what: `The dataset behind ${volume} (PV ${pv.metadata.name}) is not known.`,
      why: answer.unknown,
    });
  throw new Failure("DATASET_AMBIGUOUS", {
    what: `PV and NAS do not agree about the dataset behind ${volume} (PV ${pv.metadata.name}).`,
    why: answer.ambiguous.map(candidateText).join("\n"),
  });
};

const candidateText = ({ dataset, speaksFor, speaksAgainst }: Candidate): string => {
  const against = speaksAgainst.length === 0 ? "" : `; against it: ${speaksAgainst.join(", ")}`;
  return `${dataset.name}: for it: ${speaksFor.join(", ")}${against}`;
};
