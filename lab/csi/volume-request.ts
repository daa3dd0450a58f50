/** Judging what Kubernetes asks for, as democratic-csi judges it. Pure. */
import type { AccessMode, CapacityRange, VolumeCapability } from "./messages.ts";
import { RpcError, status } from "./rpc.ts";
import type { Protocol } from "./volume-shape.ts";

/** The volume id is the CreateVolume name. It becomes a dataset's name, so anything else could reach other datasets. */
export const volumeIdOf = (name: string): string => {
  if (name === "") throw new RpcError(status.INVALID_ARGUMENT, "volume id is required");
  if (!/^[a-z0-9_-]{1,128}$/.test(name))
    throw new RpcError(status.INVALID_ARGUMENT, `volume id has invalid characters or is longer than 128: ${name}`);
  return name;
};

const bytesOf = (text: string | undefined): number => {
  const bytes = Number(text ?? "0");
  if (!Number.isSafeInteger(bytes) || bytes < 0)
    throw new RpcError(status.OUT_OF_RANGE, `capacity is not a usable number of bytes: ${text}`);
  return bytes;
};

/** A range in bytes; a limit of 0 is none. */
export interface WantedSize {
  readonly required: number;
  readonly limit: number;
}

/** Throws INVALID_ARGUMENT when neither bound is given, OUT_OF_RANGE when the lower is above the upper. */
export const wantedSize = (range: CapacityRange | null): WantedSize => {
  const required = bytesOf(range?.required_bytes);
  const limit = bytesOf(range?.limit_bytes);
  if (required === 0 && limit === 0)
    throw new RpcError(status.INVALID_ARGUMENT, "volume capacity is required (either required_bytes or limit_bytes)");
  if (limit > 0 && required > limit)
    throw new RpcError(status.OUT_OF_RANGE, "required_bytes is greater than limit_bytes");
  return { required, limit };
};

/** The size a new volume gets. */
export const sizeToMake = ({ required, limit }: WantedSize): number => (required === 0 ? limit : required);

/** Accepts a volume that exists already when its size fits; throws ALREADY_EXISTS otherwise. */
export const acceptExisting = (existing: number, { required, limit }: WantedSize): void => {
  if (existing >= required && (limit === 0 || existing <= limit)) return;
  const sizes = `existing size: ${existing}, required_bytes: ${required}, limit_bytes: ${limit}`;
  throw new RpcError(status.ALREADY_EXISTS, `volume has already been created with a different size, ${sizes}`);
};

/** What a driver can serve. */
export interface Abilities {
  /** Naming none is fine too. */
  readonly fsTypes: readonly string[];
  readonly accessModes: readonly AccessMode[];
}

const oneNode: readonly AccessMode[] = [
  "SINGLE_NODE_WRITER",
  "SINGLE_NODE_SINGLE_WRITER",
  "SINGLE_NODE_MULTI_WRITER",
  "SINGLE_NODE_READER_ONLY",
];
const oneWriter: readonly AccessMode[] = [...oneNode, "MULTI_NODE_READER_ONLY", "MULTI_NODE_SINGLE_WRITER"];

export const abilities: Readonly<Record<Protocol, Abilities>> = {
  nfs: { fsTypes: ["nfs"], accessModes: [...oneWriter, "MULTI_NODE_MULTI_WRITER"] },
  // democratic-csi makes other file systems too; the lab's nodes only make ext4.
  iscsi: { fsTypes: ["ext4"], accessModes: oneWriter },
};

const problemOf = (
  { access_type, mount, access_mode }: VolumeCapability,
  { fsTypes, accessModes }: Abilities,
): string | undefined => {
  if (access_type !== "mount") return `invalid access_type: ${access_type ?? "none"}`;
  const fsType = mount?.fs_type ?? "";
  if (fsType !== "" && !fsTypes.includes(fsType)) return `invalid fs_type: ${fsType}`;
  const mode = access_mode?.mode ?? "UNKNOWN";
  return accessModes.includes(mode) ? undefined : `invalid access_mode: ${mode}`;
};

/** Why a driver cannot serve these capabilities; undefined when it can. */
export const refusal = (wanted: readonly VolumeCapability[], abilities: Abilities): string | undefined => {
  if (wanted.length === 0) return "missing capabilities";
  return wanted.map((capability) => problemOf(capability, abilities)).find((problem) => problem !== undefined);
};

/** Whether a capability allows reading only. */
export const readsOnly = (capability: VolumeCapability | null): boolean =>
  capability?.access_mode?.mode.endsWith("READER_ONLY") === true;
