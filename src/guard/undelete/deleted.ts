/** A volume that was deleted, and what of it there still is. */
import type { Claim, PersistentVolume } from "../../inventory/raw.ts";
import type { Dataset, NewExport } from "../../systems/nas/port.ts";

/**
 * By what it can come back:
 * - "claim": the claim is on its way out, and its PV is bound to it still;
 * - "pv": the claim is gone, its PV is there;
 * - "dataset": both are gone, the bytes are on the NAS;
 * - "copy": the bytes are gone too, or nobody knows where they would be: only a copy of Velero's is left.
 */
export type Remains = "claim" | "pv" | "dataset" | "copy";

export interface DeletedVolume {
  readonly namespace: string;
  readonly claim: string;
  readonly remains: Remains;
  /** The claim as it is made again: the live one, the one of an inventory, or what its PV says of it. */
  readonly object: Claim;
  /** Where `object` comes from. */
  readonly knownFrom: "cluster" | "inventory" | "pv";
  /** The PV that it had. Undefined when nobody knows it. */
  readonly pv: PersistentVolume | undefined;
  /** Whether that PV is in the cluster, and is not being deleted. */
  readonly isPvThere: boolean;
  /** Where the NAS was asked. */
  readonly dataset: Dataset | undefined;
  /** Its share or target, when that is gone. */
  readonly missingExport: NewExport | undefined;
  readonly namespaceIs: "there" | "terminating" | "gone";
  /** Labels and annotations of its namespace, where that still says them. */
  readonly namespaceMeta: NamespaceMeta;
  /** The claim that has its name now: GitOps or a StatefulSet made it again, on another PV or on none yet. */
  readonly successor: Claim | undefined;
  /** A PV that it had after `pv`, whose bytes are gone. */
  readonly lostSince: string | undefined;
  /** Why it cannot come back as it is: "the NAS does not answer". */
  readonly obstacle: string | undefined;
}

export interface NamespaceMeta {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** What an inventory knew of a volume. */
export interface VolumeRecord {
  readonly claim: Claim;
  readonly pv: PersistentVolume;
  readonly dataset: Dataset | undefined;
  /** As its export was then, under the name that it had. */
  readonly exported: NewExport | undefined;
}
