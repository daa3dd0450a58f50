/** What differs between the drivers on the NAS' side. */
import type { StringMap } from "./messages.ts";
import type { Protocol } from "./volume-shape.ts";

/** User properties of a dataset that are set on the dataset itself, by name. */
export type UserProperties = ReadonlyMap<string, string>;

/** While pods use the volume, or only before they do. */
export type Growth = "ONLINE" | "OFFLINE";

/** By protocol. */
export const growth: Readonly<Record<Protocol, Growth>> = { nfs: "ONLINE", iscsi: "OFFLINE" };

export interface Exported {
  /** Goes into the PV. */
  readonly context: StringMap;
  /** Go onto the dataset, so that the export can be found and removed again. */
  readonly properties: StringMap;
}

/** Every method may be called again after it failed half-way, and after it succeeded. */
export interface Backend {
  readonly protocol: Protocol;
  /** When a volume can be made larger. An image's file system grows while nobody mounts it: else it takes a privilege that a lab may lack. */
  readonly growth: Growth;
  /** Properties with which a dataset of this size is made. */
  sizeProperties(bytes: number): StringMap;
  /** The volume's size in bytes; undefined when the dataset exists but was never given one. */
  size(dataset: string): Promise<number | undefined>;
  setSize(dataset: string, bytes: number): Promise<void>;
  /** Last touches before the volume is exported, such as its permissions. */
  prepare(dataset: string): Promise<void>;
  exportVolume(dataset: string): Promise<Exported>;
  /** Removes what the properties name, but only where it still belongs to this dataset. */
  unexport(dataset: string, properties: UserProperties): Promise<readonly string[]>;
}
