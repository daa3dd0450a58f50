/**
 * What the NAS lets the network use: NFS shares, and iSCSI targets, extents and the associations between them, with the
 * field names of TrueNAS' API. What a node needs is always there; what only the API shows may be absent.
 */

/** A group of a target: who may log in through which portal. */
export interface IscsiGroup {
  readonly portal: number;
  readonly initiator: number | null;
  readonly authmethod: string;
  readonly auth: number | null;
}

export interface NfsShare {
  readonly id: number;
  /** The shared directory; one share for each. */
  readonly path: string;
  readonly comment: string;
  readonly enabled: boolean;
  readonly networks?: readonly string[];
  readonly hosts?: readonly string[];
  readonly ro?: boolean;
  readonly maproot_user?: string | null;
  readonly maproot_group?: string | null;
  readonly mapall_user?: string | null;
  readonly mapall_group?: string | null;
  readonly security?: readonly string[];
}

export interface IscsiTarget {
  readonly id: number;
  /** The part of the IQN after the colon; unique. */
  readonly name: string;
  readonly alias: string | null;
  readonly mode?: string;
  readonly groups?: readonly IscsiGroup[];
  readonly auth_networks?: readonly string[];
}

export interface IscsiExtent {
  readonly id: number;
  /** Unique. */
  readonly name: string;
  /** `zvol/` and the dataset's name. */
  readonly disk: string;
  readonly comment: string;
  readonly enabled: boolean;
  readonly serial?: string;
  readonly naa?: string;
  readonly blocksize?: number;
  readonly pblocksize?: boolean;
  readonly avail_threshold?: number | null;
  readonly insecure_tpc?: boolean;
  readonly xen?: boolean;
  readonly rpm?: string;
  readonly ro?: boolean;
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
  /** Changes fields of an export, and gives it. Throws `ExportExists`, and `ExportMissing` for an id that is not there. */
  update<K extends ExportKind>(
    kind: K,
    id: number,
    fields: Partial<Omit<ExportKinds[K], "id">>,
  ): Promise<ExportKinds[K]>;
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

/** There is no export with this id. */
export class ExportMissing extends Error {
  constructor(kind: ExportKind, id: number) {
    super(`${kind} ${id} does not exist`);
    this.name = "ExportMissing";
  }
}
