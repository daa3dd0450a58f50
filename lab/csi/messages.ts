/** The messages of csi.proto as they look in memory. 64-bit numbers travel as decimal strings, names stay as in the .proto. */

export interface VolumeCapability {
  /** Which one of the two is set. */
  readonly access_type?: "block" | "mount";
  readonly mount?: { readonly fs_type: string; readonly mount_flags: readonly string[] };
  readonly access_mode: { readonly mode: AccessMode } | null;
}

export type AccessMode =
  | "UNKNOWN"
  | "SINGLE_NODE_WRITER"
  | "SINGLE_NODE_READER_ONLY"
  | "MULTI_NODE_READER_ONLY"
  | "MULTI_NODE_SINGLE_WRITER"
  | "MULTI_NODE_MULTI_WRITER"
  | "SINGLE_NODE_SINGLE_WRITER"
  | "SINGLE_NODE_MULTI_WRITER";

/** "0" means not given. */
export interface CapacityRange {
  readonly required_bytes: string;
  readonly limit_bytes: string;
}

export type StringMap = Readonly<Record<string, string>>;

export interface CreateVolumeRequest {
  readonly name: string;
  readonly capacity_range: CapacityRange | null;
  readonly volume_capabilities: readonly VolumeCapability[];
  readonly parameters: StringMap;
  readonly volume_content_source: object | null;
}

export interface CreateVolumeResponse {
  readonly volume: { readonly capacity_bytes: string; readonly volume_id: string; readonly volume_context: StringMap };
}

export interface DeleteVolumeRequest {
  readonly volume_id: string;
}

export interface ValidateRequest {
  readonly volume_id: string;
  readonly volume_context: StringMap;
  readonly volume_capabilities: readonly VolumeCapability[];
  readonly parameters: StringMap;
}

export interface ValidateResponse {
  readonly confirmed?: Omit<ValidateRequest, "volume_id">;
  readonly message?: string;
}

export interface ExpandRequest {
  readonly volume_id: string;
  readonly capacity_range: CapacityRange | null;
}

export interface ExpandResponse {
  readonly capacity_bytes: string;
  readonly node_expansion_required: boolean;
}

export interface StageRequest {
  readonly volume_id: string;
  readonly staging_target_path: string;
  readonly volume_capability: VolumeCapability | null;
  readonly volume_context: StringMap;
}

export interface UnstageRequest {
  readonly volume_id: string;
  readonly staging_target_path: string;
}

export interface PublishRequest {
  readonly volume_id: string;
  readonly staging_target_path: string;
  readonly target_path: string;
  readonly volume_capability: VolumeCapability | null;
  readonly readonly: boolean;
  readonly volume_context: StringMap;
}

export interface UnpublishRequest {
  readonly volume_id: string;
  readonly target_path: string;
}

export interface NodeExpandRequest {
  readonly volume_id: string;
  readonly volume_path: string;
  readonly capacity_range: CapacityRange | null;
}

export interface NodeExpandResponse {
  readonly capacity_bytes: string;
}

export interface StatsRequest {
  readonly volume_id: string;
  readonly volume_path: string;
}

export interface StatsResponse {
  readonly usage: readonly {
    readonly unit: "BYTES" | "INODES";
    readonly total: string;
    readonly used: string;
    readonly available: string;
  }[];
}

export interface PluginInfo {
  readonly type: "CSIPlugin";
  readonly name: string;
  readonly endpoint: string;
  readonly supported_versions: readonly string[];
}

export interface RegistrationStatus {
  readonly plugin_registered: boolean;
  readonly error: string;
}

export type Empty = Readonly<Record<string, never>>;
