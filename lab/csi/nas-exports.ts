/**
 * What the NAS lets the network use: NFS shares, and iSCSI targets, extents and the associations between them, with the
 * field names of TrueNAS' API. The driver owns none of this; it asks the NAS through this port.
 */

export interface NfsShare {
  readonly id: number;
  /** The shared directory; one share for each. */
  readonly path: string;
  readonly comment: string;
  readonly enabled: boolean;
}

export interface IscsiTarget {
  readonly id: number;
  /** The part of the IQN after the colon; unique. */
  readonly name: string;
  readonly alias: string | null;
}

export interface IscsiExtent {
  readonly id: number;
  /** Unique. */
  readonly name: string;
  /** `zvol/` and the dataset's name. */
  readonly disk: string;
  readonly comment: string;
  readonly enabled: boolean;
}

export interface IscsiTargetExtent {
  readonly id: number;
  readonly target: number;
  readonly extent: number;
  /** Unique within the target. */
  readonly lunid: number;
}

export interface ExportKinds {
  readonly nfs: NfsShare;
  readonly target: IscsiTarget;
  readonly extent: IscsiExtent;
  readonly targetextent: IscsiTargetExtent;
}

export type ExportKind = keyof ExportKinds;

export interface NasExportsReader {
  /** Everything of one kind, by ascending id. */
  query<K extends ExportKind>(kind: K): Promise<readonly ExportKinds[K][]>;
}

export interface NasExports extends NasExportsReader {
  /** Makes an export and gives it an id that was never used before. Throws `ExportExists` when something unique is taken. */
  create<K extends ExportKind>(kind: K, fields: Omit<ExportKinds[K], "id">): Promise<ExportKinds[K]>;
  /** Removes an export; one that is absent is no error. A target or extent takes its associations with it. */
  remove(kind: ExportKind, id: number): Promise<void>;
}

/** Something that must be unique is taken. */
export class ExportExists extends Error {
  constructor(kind: ExportKind, what: string) {
    super(`${kind} ${what} already exists`);
    this.name = "ExportExists";
  }
}
