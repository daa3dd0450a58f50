/** All PVs and all datasets at once, in both directions. */
import type { Volume } from "../../model/volume.ts";
import type { PersistentVolume } from "../raw.ts";
import type { DatasetAnswer, NasView } from "./answer.ts";
import { hostOf } from "./checks.ts";
import { findDataset } from "./find.ts";

export interface VolumeMap {
  /** By the PV's name. */
  readonly answers: ReadonlyMap<string, DatasetAnswer>;
  /** Names of the PVs that point at a dataset, by its name. Candidates count: a dataset that may be a volume is none's to remove. */
  readonly pointedAt: ReadonlyMap<string, readonly string[]>;
  /** Datasets that were found behind more than one PV: what happens to one volume happens to the others. */
  readonly shared: ReadonlyMap<string, readonly string[]>;
}

/** Cost: PVs × datasets. */
export const mapVolumes = (pvs: readonly PersistentVolume[], view: NasView): VolumeMap => {
  const known = withProvenAddresses(pvs, view);
  const answers = new Map(pvs.map((pv) => [pv.metadata.name, findDataset(pv, known)]));
  const all = [...answers].flatMap(([pv, answer]) => namesIn(answer).map((name) => [name, pv] as const));
  const certain = [...answers].flatMap(([pv, answer]) => ("found" in answer ? [[answer.found.name, pv] as const] : []));
  return {
    answers,
    pointedAt: grouped(all),
    shared: new Map([...grouped(certain)].filter(([, names]) => names.length > 1)),
  };
};

/**
 * A server whose share or target was found with all its cross-checks is this NAS: static PVs may name it by an address
 * that holdfast.yaml does not have.
 */
export const withProvenAddresses = (pvs: readonly PersistentVolume[], view: NasView): NasView => {
  const proven = pvs.flatMap((pv) => {
    const { server, portal } = pv.spec.csi?.volumeAttributes ?? {};
    const address = server ?? portal;
    return address !== undefined && "found" in findDataset(pv, view) ? [hostOf(address)] : [];
  });
  return { ...view, addresses: [...new Set([...view.addresses, ...proven])] };
};

/** Volumes with the GUID of their dataset, where it was found: what makes their lineage certain. */
export const withGuids = (volumes: readonly Volume[], { answers }: VolumeMap): readonly Volume[] =>
  volumes.map((volume) => {
    const answer = volume.backing === undefined ? undefined : answers.get(volume.backing.name);
    if (volume.backing === undefined || answer === undefined || !("found" in answer)) return volume;
    return { ...volume, backing: { ...volume.backing, guid: answer.found.guid } };
  });

const namesIn = (answer: DatasetAnswer): readonly string[] => {
  if ("found" in answer) return [answer.found.name];
  return "ambiguous" in answer ? answer.ambiguous.map(({ dataset }) => dataset.name) : [];
};

const grouped = (pairs: readonly (readonly [string, string])[]): Map<string, readonly string[]> => {
  const groups = new Map<string, string[]>();
  for (const [key, value] of pairs) groups.set(key, [...(groups.get(key) ?? []), value]);
  return groups;
};
