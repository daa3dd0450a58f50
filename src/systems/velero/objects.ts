/** The fields of Velero's objects that Holdfast reads or writes (API velero.io/v1, Velero 1.18). */
import type { KubeObject } from "../kubernetes/port.ts";

export interface VeleroBackup extends KubeObject {
  readonly spec: {
    readonly includedNamespaces?: readonly string[];
    readonly excludedNamespaces?: readonly string[];
    readonly defaultVolumesToFsBackup?: boolean;
    readonly storageLocation?: string;
    readonly ttl?: string;
  };
  readonly status?: {
    readonly phase?: string;
    readonly version?: number;
    readonly formatVersion?: string;
    readonly startTimestamp?: string;
    readonly completionTimestamp?: string;
    readonly expiration?: string;
    readonly errors?: number;
    readonly warnings?: number;
    readonly failureReason?: string;
    readonly validationErrors?: readonly string[];
    readonly progress?: { readonly totalItems?: number; readonly itemsBackedUp?: number };
  };
}

export interface PodVolumeBackup extends KubeObject {
  readonly spec: {
    readonly pod: { readonly namespace?: string; readonly name?: string };
    readonly volume: string;
    readonly node?: string;
    readonly uploaderType?: string;
    readonly backupStorageLocation?: string;
  };
  readonly status?: {
    readonly phase?: string;
    readonly snapshotID?: string;
    readonly message?: string;
    readonly startTimestamp?: string;
    readonly completionTimestamp?: string;
    readonly progress?: { readonly totalBytes?: number; readonly bytesDone?: number };
  };
}

export interface PodVolumeRestore extends KubeObject {
  readonly spec: object;
  readonly status?: {
    readonly phase?: string;
    readonly message?: string;
    readonly progress?: { readonly totalBytes?: number; readonly bytesDone?: number };
  };
}

export interface BackupStorageLocation extends KubeObject {
  readonly spec: {
    readonly provider?: string;
    readonly accessMode?: string;
    readonly objectStorage?: { readonly bucket?: string; readonly prefix?: string; readonly caCert?: string };
    readonly config?: Readonly<Record<string, string>>;
  };
  readonly status?: { readonly phase?: string; readonly message?: string; readonly lastValidationTime?: string };
}
