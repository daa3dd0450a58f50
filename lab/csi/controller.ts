/**
 * The controller's service: volumes come and go as with democratic-csi. A dataset that exists with a fitting size is
 * taken as the volume; deletion removes the exports first and then destroys the dataset with its snapshots, so a
 * destroy that fails leaves a volume that no node can mount any more.
 */
import { type BusyRetry, destroyWhenFree } from "../zfs/destroy-when-free.ts";
import { isZfsError } from "../zfs/zfs-error.ts";
import type { Backend } from "./backend.ts";
import type { Datasets } from "./datasets.ts";
import type {
  CreateVolumeRequest,
  CreateVolumeResponse,
  DeleteVolumeRequest,
  Empty,
  ExpandRequest,
  ExpandResponse,
  ValidateRequest,
  ValidateResponse,
} from "./messages.ts";
import { oneAtATime } from "./one-at-a-time.ts";
import { type Handlers, RpcError, status } from "./rpc.ts";
import { abilities, acceptExisting, refusal, sizeToMake, volumeIdOf, wantedSize } from "./volume-request.ts";
import { birthProperties, noExport, successProperties, volumeContext } from "./volume-shape.ts";

export interface ControllerOptions {
  readonly datasets: Datasets;
  readonly backend: Backend;
  readonly parentDataset: string;
  readonly instanceId?: string | undefined;
  readonly busyRetry: BusyRetry;
}

/** The dataset of a volume. Throws when the id could name anything but a direct child of the parent. */
const datasetOf = ({ parentDataset }: ControllerOptions, volumeId: string): string =>
  `${parentDataset}/${volumeIdOf(volumeId)}`;

const createVolume = async (
  options: ControllerOptions,
  request: CreateVolumeRequest,
): Promise<CreateVolumeResponse> => {
  const { datasets, backend, instanceId } = options;
  const dataset = datasetOf(options, request.name);
  const wanted = wantedSize(request.capacity_range);
  const problem = refusal(request.volume_capabilities, abilities[backend.protocol]);
  if (problem !== undefined) throw new RpcError(status.INVALID_ARGUMENT, problem);
  if (request.volume_content_source !== null)
    throw new RpcError(status.INVALID_ARGUMENT, "volumes from snapshots or volumes are not supported");
  const provisioner = { protocol: backend.protocol, instanceId };
  await ensureDataset(options, dataset, {
    ...backend.sizeProperties(sizeToMake(wanted)),
    ...birthProperties(provisioner, request.name),
  });
  const bytes = await ensureSize(backend, dataset, wanted);
  await backend.prepare(dataset);
  const { context, properties } = await backend.exportVolume(dataset);
  await datasets.set(dataset, { ...properties, ...successProperties(context) });
  return {
    volume: {
      volume_id: request.name,
      capacity_bytes: String(bytes),
      volume_context: volumeContext(provisioner, context),
    },
  };
};

/** Makes the dataset, or takes the one that exists. */
const ensureDataset = async (
  { datasets }: ControllerOptions,
  dataset: string,
  properties: Readonly<Record<string, string>>,
): Promise<void> => {
  try {
    await datasets.create(dataset, properties);
  } catch (error) {
    if (!isZfsError(error, "exists")) throw error;
  }
};

const ensureSize = async (
  backend: Backend,
  dataset: string,
  wanted: ReturnType<typeof wantedSize>,
): Promise<number> => {
  const existing = await backend.size(dataset);
  if (existing !== undefined) {
    acceptExisting(existing, wanted);
    return existing;
  }
  const bytes = sizeToMake(wanted);
  await backend.setSize(dataset, bytes);
  return bytes;
};

const deleteVolume = async (options: ControllerOptions, request: DeleteVolumeRequest): Promise<Empty> => {
  const { datasets, backend } = options;
  const dataset = datasetOf(options, request.volume_id);
  try {
    const properties = await datasets.properties(dataset);
    const own = new Map(
      [...properties].flatMap(([name, { value, source }]) => (source === "local" ? [[name, value] as const] : [])),
    );
    const removed = await backend.unexport(dataset, own);
    await datasets.set(dataset, Object.fromEntries(removed.map((name) => [name, noExport])));
    await destroyWhenFree(datasets, dataset, options.busyRetry);
  } catch (error) {
    if (isZfsError(error, "missing")) return {};
    if (isZfsError(error, "has-clones")) throw new RpcError(status.FAILED_PRECONDITION, error.message);
    throw error;
  }
  return {};
};

const validate = async (options: ControllerOptions, request: ValidateRequest): Promise<ValidateResponse> => {
  const { datasets, backend } = options;
  if (!(await datasets.exists(datasetOf(options, request.volume_id))))
    throw new RpcError(status.NOT_FOUND, `no volume ${request.volume_id}`);
  const problem = refusal(request.volume_capabilities, abilities[backend.protocol]);
  if (problem !== undefined) return { message: problem };
  const { volume_context, volume_capabilities, parameters } = request;
  return { confirmed: { volume_context, volume_capabilities, parameters } };
};

const expand = async (options: ControllerOptions, request: ExpandRequest): Promise<ExpandResponse> => {
  const { datasets, backend } = options;
  const dataset = datasetOf(options, request.volume_id);
  if (!(await datasets.exists(dataset))) throw new RpcError(status.NOT_FOUND, `no volume ${request.volume_id}`);
  const bytes = sizeToMake(wantedSize(request.capacity_range));
  const existing = (await backend.size(dataset)) ?? 0;
  if (existing < bytes) await backend.setSize(dataset, bytes);
  return { capacity_bytes: String(Math.max(existing, bytes)), node_expansion_required: backend.growth === "OFFLINE" };
};

/** The methods of csi.v1.Controller. */
export const controllerHandlers = (options: ControllerOptions): Handlers => {
  const alone = oneAtATime();
  return {
    CreateVolume: (request: CreateVolumeRequest) => alone(request.name, () => createVolume(options, request)),
    DeleteVolume: (request: DeleteVolumeRequest) => alone(request.volume_id, () => deleteVolume(options, request)),
    ValidateVolumeCapabilities: (request: ValidateRequest) => validate(options, request),
    ControllerExpandVolume: (request: ExpandRequest) => alone(request.volume_id, () => expand(options, request)),
    ControllerGetCapabilities: async () => ({
      capabilities: ["CREATE_DELETE_VOLUME", "EXPAND_VOLUME"].map((type) => ({ rpc: { type } })),
    }),
  };
};
