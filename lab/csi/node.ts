/** The node's service: a volume is mounted once for the node (staged) and bound into each pod (published). */
import { mkdir, rmdir, statfs } from "node:fs/promises";
import { type Exec, output } from "../zfs/exec.ts";
import { type Attach, detach } from "./attach.ts";
import type {
  Empty,
  NodeExpandRequest,
  NodeExpandResponse,
  PublishRequest,
  StageRequest,
  StatsRequest,
  StatsResponse,
  UnpublishRequest,
  UnstageRequest,
} from "./messages.ts";
import { fileSystemBytes } from "./image-size.ts";
import { mountAt } from "./mount-table.ts";
import { oneAtATime } from "./one-at-a-time.ts";
import { type Handlers, RpcError, status } from "./rpc.ts";
import { type Abilities, readsOnly, refusal, sizeToMake, volumeIdOf, wantedSize } from "./volume-request.ts";

export interface NodeOptions {
  readonly exec: Exec;
  readonly nodeId: string;
  readonly attach: Attach;
  readonly abilities: Abilities;
}

const pathOf = (path: string, field: string): string => {
  if (!path.startsWith("/")) throw new RpcError(status.INVALID_ARGUMENT, `${field} is required`);
  return path;
};

const stage = async ({ attach, abilities }: NodeOptions, request: StageRequest): Promise<Empty> => {
  volumeIdOf(request.volume_id);
  const path = pathOf(request.staging_target_path, "staging_target_path");
  const { volume_capability: capability, volume_context: context } = request;
  const problem = refusal(capability === null ? [] : [capability], abilities);
  if (problem !== undefined) throw new RpcError(status.INVALID_ARGUMENT, problem);
  if ((await mountAt(path)) !== undefined) return {};
  await mkdir(path, { recursive: true });
  await attach({ context, path, readOnly: readsOnly(capability) });
  return {};
};

const unstage = async ({ exec }: NodeOptions, request: UnstageRequest): Promise<Empty> => {
  volumeIdOf(request.volume_id);
  await detach(exec, pathOf(request.staging_target_path, "staging_target_path"));
  return {};
};

const publish = async ({ exec }: NodeOptions, request: PublishRequest): Promise<Empty> => {
  volumeIdOf(request.volume_id);
  const staged = pathOf(request.staging_target_path, "staging_target_path");
  const target = pathOf(request.target_path, "target_path");
  if ((await mountAt(staged)) === undefined)
    throw new RpcError(status.FAILED_PRECONDITION, `volume ${request.volume_id} is not staged at ${staged}`);
  if ((await mountAt(target)) !== undefined) return {};
  await mkdir(target, { recursive: true });
  await output(exec, "mount", ["--bind", staged, target]);
  if (request.readonly || readsOnly(request.volume_capability))
    await output(exec, "mount", ["-o", "remount,bind,ro", target]);
  return {};
};

const unpublish = async ({ exec }: NodeOptions, request: UnpublishRequest): Promise<Empty> => {
  volumeIdOf(request.volume_id);
  const target = pathOf(request.target_path, "target_path");
  await detach(exec, target);
  await removeDirectory(target);
  return {};
};

/** Removes an empty directory. Never its content: whatever lies there may be somebody's data. */
const removeDirectory = async (path: string): Promise<void> => {
  try {
    await rmdir(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
};

const stats = async (request: StatsRequest): Promise<StatsResponse> => {
  volumeIdOf(request.volume_id);
  const path = pathOf(request.volume_path, "volume_path");
  if ((await mountAt(path)) === undefined)
    throw new RpcError(status.NOT_FOUND, `volume ${request.volume_id} is not mounted at ${path}`);
  const { bsize, blocks, bfree, bavail, files, ffree } = await statfs(path, { bigint: true });
  return {
    usage: [
      {
        unit: "BYTES",
        total: String(blocks * bsize),
        used: String((blocks - bfree) * bsize),
        available: String(bavail * bsize),
      },
      { unit: "INODES", total: String(files), used: String(files - ffree), available: String(ffree) },
    ],
  };
};

/** What was made larger has grown when it was staged: here it is only looked at. */
const expand = async ({ exec }: NodeOptions, request: NodeExpandRequest): Promise<NodeExpandResponse> => {
  volumeIdOf(request.volume_id);
  const path = pathOf(request.volume_path, "volume_path");
  const mount = await mountAt(path);
  if (mount === undefined)
    throw new RpcError(status.NOT_FOUND, `volume ${request.volume_id} is not mounted at ${path}`);
  const wanted = sizeToMake(wantedSize(request.capacity_range));
  const bytes = mount.fsType === "ext4" ? await fileSystemBytes(exec, mount.source) : wanted;
  if (bytes < wanted)
    throw new RpcError(status.FAILED_PRECONDITION, `volume ${request.volume_id} grows when no pod uses it any more`);
  return { capacity_bytes: String(bytes) };
};

/** The methods of csi.v1.Node. This process must see the kubelet's mounts. */
export const nodeHandlers = (options: NodeOptions): Handlers => {
  const alone = oneAtATime();
  return {
    NodeStageVolume: (request: StageRequest) => alone(request.volume_id, () => stage(options, request)),
    NodeUnstageVolume: (request: UnstageRequest) => alone(request.volume_id, () => unstage(options, request)),
    NodePublishVolume: (request: PublishRequest) => alone(request.volume_id, () => publish(options, request)),
    NodeUnpublishVolume: (request: UnpublishRequest) => alone(request.volume_id, () => unpublish(options, request)),
    NodeExpandVolume: (request: NodeExpandRequest) => alone(request.volume_id, () => expand(options, request)),
    NodeGetVolumeStats: (request: StatsRequest) => stats(request),
    NodeGetCapabilities: async () => ({
      capabilities: ["STAGE_UNSTAGE_VOLUME", "GET_VOLUME_STATS", "EXPAND_VOLUME"].map((type) => ({ rpc: { type } })),
    }),
    NodeGetInfo: async () => ({ node_id: options.nodeId }),
  };
};
