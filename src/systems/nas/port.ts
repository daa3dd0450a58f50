/**
 * The NAS as Holdfast uses it: ZFS datasets and snapshots, and what lets the network reach them. One port for TrueNAS
 * (JSON-RPC, REST) and for plain ZFS over SSH.
 *
 * Contract for all methods: failures are `Failure`s (the NAS_* codes); what is absent is `undefined` on reading and
 * success on removal; every call has a deadline. A call whose effect is unknown (the connection broke before its answer)
 * is looked up, never repeated blindly: when it took effect it succeeds, else it is made again or fails as
 * NAS_UNREACHABLE. Sizes are bytes, times ms since 1970. Names are ZFS names without a leading slash; what ZFS would not
 * take as one is absent on reading, and else NAS_REFUSED before it is sent. A pool that is full is NAS_FULL, one that cannot be written NAS_READ_ONLY.
 */

/** What kind of NAS answers, and what it can do. */
export interface NasDescription {
  readonly product: "truenas" | "zfs";
  /** Digits only: "25.10.1", or OpenZFS' version. */
  readonly version: string;
  /** How we speak with it. */
  readonly transport: "json-rpc" | "rest" | "ssh";
  readonly can: {
    /** Datasets can be renamed. */
    readonly rename: boolean;
    /** A recursive snapshot can leave out parts of the tree, all in one transaction. */
    readonly exclude: boolean;
    /** Shares and targets can be read and made through this adapter. */
    readonly nfs: boolean;
    readonly iscsi: boolean;
  };
}

export interface Pool {
  readonly name: string;
  /** As ZFS says it: ONLINE, DEGRADED, FAULTED, OFFLINE, UNAVAIL, SUSPENDED. */
  readonly health: string;
  readonly readOnly: boolean;
  readonly size: number;
  readonly free: number;
}

/** A ZFS object that is meant and no other: names are used again, GUIDs are not. */
export interface Identity {
  readonly name: string;
  /** Decimal text: 64 bits do not fit into a number. */
  readonly guid: string;
  /** Decimal text. The transaction group in which it was made; later is larger within a pool. */
  readonly createtxg: string;
}

export interface Dataset extends Identity {
  readonly kind: "filesystem" | "volume";
  readonly mountpoint: string | undefined;
  /** The snapshot that it is a clone of. */
  readonly origin: string | undefined;
  readonly used: number;
  readonly available: number;
  /** Of a filesystem; undefined when there is none. */
  readonly refquota: number | undefined;
  /** Of a volume. */
  readonly volsize: number | undefined;
  readonly readOnly: boolean;
  readonly created: number;
  /** User properties that are set on the dataset itself; inherited ones are left out. */
  readonly properties: Readonly<Record<string, string>>;
}

/** `name` is "dataset@snapshot". */
export interface Snapshot extends Identity {
  readonly dataset: string;
  /** The part after the "@". */
  readonly snapshot: string;
  readonly created: number;
  readonly used: number;
  readonly referenced: number;
  /** Somebody's hold keeps it. */
  readonly held: boolean;
}

export interface NewSnapshot {
  readonly dataset: string;
  /** The part after the "@". */
  readonly snapshot: string;
  /** Everything below the dataset too, in the same transaction. Default false. */
  readonly recursive?: boolean;
  /** Full names of datasets below it to leave out, with what is below them; needs `recursive` and `can.exclude`. */
  readonly exclude?: readonly string[];
}

/** What a dataset is given; absent fields stay as they are. */
export interface DatasetChange {
  /** 0 takes the quota away. */
  readonly refquota?: number;
  readonly volsize?: number;
  /** User properties ("name:space"; without a colon NAS_REFUSED); null removes one, or leaves it absent. */
  readonly properties?: Readonly<Record<string, string | null>>;
}

export interface NfsShare {
  readonly id: number;
  readonly path: string;
  readonly enabled: boolean;
  readonly comment: string;
  /** Everything else that the NAS says of it (hosts, networks, mapped users), to make another one like it. */
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface IscsiTarget {
  readonly id: number;
  /** The part of the IQN after the base name and the colon. */
  readonly name: string;
  readonly alias: string | undefined;
  /** Portal, initiator and authentication groups, as the NAS says them. */
  readonly groups: readonly Readonly<Record<string, unknown>>[];
}

export interface IscsiExtent {
  readonly id: number;
  readonly name: string;
  /** "zvol/<dataset>" of a volume on a zvol. */
  readonly disk: string;
  readonly enabled: boolean;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Which extent is which LUN of which target. */
export interface IscsiTargetExtent {
  readonly id: number;
  readonly target: number;
  readonly extent: number;
  readonly lun: number;
}

/** Everything that the NAS lets the network use. */
export interface Exports {
  readonly nfs: readonly NfsShare[];
  /** "iqn.2005-10.org.freenas.ctl": in front of every target's name. Undefined where there is no iSCSI. */
  readonly iqnBase: string | undefined;
  readonly targets: readonly IscsiTarget[];
  readonly extents: readonly IscsiExtent[];
  readonly targetExtents: readonly IscsiTargetExtent[];
}

/** The exports of one volume, made together. */
export interface NewNfsExport {
  readonly kind: "nfs";
  readonly dataset: string;
  /** The share whose hosts, networks and mapped users it gets. */
  readonly like: NfsShare;
}

export interface NewIscsiExport {
  readonly kind: "iscsi";
  readonly dataset: string;
  /** Name of target and extent. */
  readonly name: string;
  readonly likeTarget: IscsiTarget;
  readonly likeExtent: IscsiExtent;
}

export type NewExport = NewNfsExport | NewIscsiExport;

/** What was made for a volume, by id: what `removeExport` takes. */
export type VolumeExport =
  | { readonly kind: "nfs"; readonly share: number; readonly path: string }
  | {
      readonly kind: "iscsi";
      readonly target: number;
      readonly extent: number;
      readonly targetExtent: number;
      readonly name: string;
      readonly iqn: string;
      readonly disk: string;
    };

/** A task of the NAS that makes or removes snapshots by their names. */
export interface SnapshotTask {
  readonly id: number;
  readonly dataset: string;
  readonly recursive: boolean;
  readonly exclude: readonly string[];
  /** strftime: "auto-%Y-%m-%d_%H-%M". */
  readonly namingSchema: string;
  readonly enabled: boolean;
}

export interface ReplicationTask {
  readonly id: number;
  readonly name: string;
  readonly sources: readonly string[];
  readonly target: string;
  readonly recursive: boolean;
  readonly enabled: boolean;
}

/** What the credential may do, as the NAS says it. */
export interface Rights {
  readonly user: string;
  /** Roles of TrueNAS ("SNAPSHOT_WRITE"), or permissions of `zfs allow` ("snapshot"); "FULL_ADMIN" and "root" mean all. */
  readonly granted: readonly string[];
  /** What Holdfast needs for what it does with this credential, and lacks. */
  readonly missing: readonly string[];
  /** What it could do and never has to: each is a way to lose data with a stolen key. */
  readonly excessive: readonly string[];
}

/** Reads, makes, changes. Has no way to destroy data. */
export interface Nas {
  describe(): Promise<NasDescription>;
  pools(): Promise<readonly Pool[]>;
  dataset(name: string): Promise<Dataset | undefined>;
  /** `under` and everything below it, parents first. Empty when it does not exist. */
  datasets(under: string): Promise<readonly Dataset[]>;
  /** Snapshots of one dataset, oldest first; with `recursive` of everything below it too. Empty when it does not exist. */
  snapshots(dataset: string, options?: { readonly recursive?: boolean }): Promise<readonly Snapshot[]>;
  /** Gives the snapshot of `dataset` itself. NAS_EXISTS when the name is taken. */
  createSnapshot(wanted: NewSnapshot): Promise<Snapshot>;
  /**
   * A writable dataset with the snapshot's content, mounted where it is a filesystem. User properties are not those of the
   * origin: give them. NAS_EXISTS when `target` is taken, NAS_MISSING when the snapshot is not there or has another GUID.
   */
  clone(snapshot: Identity, target: string, change: DatasetChange): Promise<Dataset>;
  /** Throws NAS_MISSING. */
  change(dataset: string, change: DatasetChange): Promise<Dataset>;
  /**
   * Makes a clone independent: its origin snapshot and all earlier ones become its own, and its old origin a clone of it. A
   * dataset that is no clone stays as it is. NAS_MISSING when it is not there or has another GUID, NAS_EXISTS when both
   * have a snapshot of the same name.
   */
  promote(dataset: Identity): Promise<void>;
  /**
   * With everything below it. NAS_UNSUPPORTED where the NAS cannot; NAS_EXISTS when the new name is taken; NAS_MISSING when
   * it is not there or has another GUID, or the new name has no parent; NAS_BUSY.
   */
  rename(dataset: Identity, name: string): Promise<void>;
  exports(): Promise<Exports>;
  /**
   * Makes what is missing of it; what is there already and fits is taken. NAS_EXISTS when a name belongs to another dataset,
   * or somebody disabled it; NAS_MISSING without the dataset; NAS_REFUSED for the other kind of dataset; NAS_UNSUPPORTED.
   */
  createExport(wanted: NewExport): Promise<VolumeExport>;
  /**
   * Takes away exactly what is named, where it still belongs to it. Data stays. NAS_BUSY while a session uses it;
   * NAS_UNSUPPORTED where the NAS could not have made it.
   */
  removeExport(made: VolumeExport): Promise<void>;
  /** Initiators that are logged in to the target with this name. NAS_UNSUPPORTED without `can.iscsi`: nobody knows then. */
  sessions(target: string): Promise<readonly string[]>;
  snapshotTasks(): Promise<readonly SnapshotTask[]>;
  replicationTasks(): Promise<readonly ReplicationTask[]>;
  rights(): Promise<Rights>;
  /** Ends connections. May be called twice. */
  close(): Promise<void>;
}

/**
 * Destroys, with a credential of its own. Each call looks at the object first and refuses with NAS_NOT_OURS when name,
 * createtxg and GUID are not all those that are given; it never destroys anything beside the named object: no clones, no
 * children, no snapshots but those named. A dataset's name where a snapshot's belongs, or a whole pool, is NAS_REFUSED.
 */
export interface NasRemover {
  /** NAS_BUSY when it is held; NAS_HAS_CLONES. */
  destroySnapshot(snapshot: Identity): Promise<void>;
  /**
   * `snapshots` are the dataset's own, all of them, as they were seen: one more or another one is NAS_NOT_OURS; one that is
   * gone by now is no matter. NAS_BUSY while it is used or one of them is held, NAS_HAS_CLONES when one of its snapshots has a clone, NAS_HAS_CHILDREN for datasets below it.
   */
  destroyDataset(dataset: Identity, snapshots: readonly Identity[]): Promise<void>;
  rights(): Promise<Rights>;
  close(): Promise<void>;
}
