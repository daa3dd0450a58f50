/** What a dataset without a PV probably was, from its properties, its name, and older inventories. */
import type { Dataset } from "../../systems/nas/port.ts";
import { continuesProperty } from "../continuations.ts";
import { leafOf } from "../datasets/checks.ts";

/** The volume that an inventory knew a dataset as. */
export interface PastVolume {
  /** "namespace/pvc"; undefined for a PV without a claim. */
  readonly claim: string | undefined;
  readonly pv: string;
  /** When an inventory last had it, ms since 1970. */
  readonly seen: number;
}

/** By the dataset's GUID. */
export type PastVolumes = ReadonlyMap<string, PastVolume>;

/** In words. */
export const datasetOrigin = (dataset: Dataset, past: PastVolumes): string => {
  const known = past.get(dataset.guid);
  const parts = [known === undefined ? byProperties(dataset) : byInventory(known)];
  if (dataset.origin !== undefined) parts.push(`a clone of ${dataset.origin}`);
  return parts.join(", ");
};

const byInventory = ({ claim, pv, seen }: PastVolume): string =>
  `${claim ?? "a volume without a claim"} (PV ${pv}), last there on ${new Date(seen).toISOString().slice(0, 10)}`;

const byProperties = ({ name, properties }: Dataset): string => {
  if (properties[continuesProperty] !== undefined) return "a clone that a restore of Holdfast made";
  const { "tns-csi:pvc_name": pvc, "tns-csi:pvc_namespace": namespace } = properties;
  if (pvc !== undefined && namespace !== undefined) return `${namespace}/${pvc}, as tns-csi noted`;
  const leaf = leafOf(name);
  if (/^snapshot-[0-9a-f-]{36}$/.test(leaf)) return "a detached CSI snapshot";
  if (properties["democratic-csi:managed_resource"] === "true") return `a volume of democratic-csi, ${leaf}`;
  if (properties["tns-csi:managed_by"] !== undefined) return `a volume of tns-csi, ${leaf}`;
  if (/^pvc-[0-9a-f-]{36}$/.test(leaf)) return `a volume of a CSI driver, ${leaf}`;
  return "unknown: no driver has left a mark on it";
};
