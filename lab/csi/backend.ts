/** What differs between the drivers on the NAS' side. */
import type { StringMap } from "./messages.ts";
import type { Protocol } from "./volume-shape.ts";

/** User properties of a dataset that are set on the dataset itself, by name. */
export type UserProperties = ReadonlyMap<string, string>;

export interface Exported {
  /** Goes into the PV. */
  readonly context: StringMap;
  /** Go onto the dataset, so that the export can be found and removed again. */
  readonly properties: StringMap;
}

/** Every method may be called again after it failed half-way, and after it succeeded. */
export interface Backend {
  readonly protocol: Protocol;
  /** Whether a volume can be made larger. An image cannot: its file system grows only with a privilege that a lab may lack. */
  readonly grows: boolean;
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
