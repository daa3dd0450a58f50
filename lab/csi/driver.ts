/** Puts the drivers together: which services answer on which sockets, for the NAS' side and for the node's. */
import { join } from "node:path";
import { execBehind } from "../zfs/exec.ts";
import { attachers } from "./attach.ts";
import { type Backend, growth } from "./backend.ts";
import type { CsiConfig } from "./config.ts";
import { controllerHandlers } from "./controller.ts";
import type { Datasets } from "./datasets.ts";
import { readFileExports } from "./file-exports.ts";
import { identityHandlers } from "./identity.ts";
import { iscsiBackend } from "./iscsi-backend.ts";
import { nfsBackend } from "./nfs-backend.ts";
import { nodeHandlers } from "./node.ts";
import { registrationHandlers } from "./registration.ts";
import { type Log, serve, type Served, services } from "./rpc.ts";
import { openTrueNasApi } from "./truenas-api.ts";
import { truenasDatasets } from "./truenas-datasets.ts";
import { truenasExports } from "./truenas-exports.ts";
import { setMode } from "./truenas-permissions.ts";
import { abilities } from "./volume-request.ts";
import { driverNames, type Protocol } from "./volume-shape.ts";

export const protocols: readonly Protocol[] = ["nfs", "iscsi"];

/** The socket on which a driver's controller answers external-provisioner. */
export const controllerSocket = (config: Pick<CsiConfig, "controllerSocketDir">, protocol: Protocol): string =>
  join(config.controllerSocketDir, `${driverNames[protocol]}.sock`);

/** The socket on which a driver's node service answers the kubelet. */
export const nodeSocket = (config: Pick<CsiConfig, "kubeletDir">, protocol: Protocol): string =>
  join(config.kubeletDir, "plugins", driverNames[protocol], "csi.sock");

/** The socket that the kubelet discovers. */
export const registrationSocket = (config: Pick<CsiConfig, "kubeletDir">, protocol: Protocol): string =>
  join(config.kubeletDir, "plugins_registry", `${driverNames[protocol]}-reg.sock`);

interface Nas {
  readonly datasets: Datasets;
  readonly backends: Readonly<Record<Protocol, Backend>>;
}

const nasOf = ({ nas: { address, api: options }, iscsi: naming }: CsiConfig): Nas => {
  const api = openTrueNasApi(options);
  const [datasets, exports] = [truenasDatasets(api), truenasExports(api)];
  return {
    datasets,
    backends: {
      nfs: nfsBackend({ datasets, exports, setMode: (path, mode) => setMode(api, path, mode), address }),
      iscsi: iscsiBackend({ datasets, exports, address, naming }),
    },
  };
};

const named =
  (log: Log, protocol: Protocol, role: string): Log =>
  (line) =>
    log(`${protocol} ${role} ${line}`);

const identity = (protocol: Protocol) => ({
  definition: services.identity,
  handlers: identityHandlers(driverNames[protocol], growth[protocol]),
});

/** Serves both controllers. */
export const serveControllers = (config: CsiConfig, log: Log): Promise<readonly Served[]> => {
  const { datasets, backends } = nasOf(config);
  return Promise.all(
    protocols.map((protocol) => {
      const { parentDataset, instanceId } = config[protocol];
      const handlers = controllerHandlers({
        datasets,
        backend: backends[protocol],
        parentDataset,
        instanceId,
        busyRetry: config.busyRetry,
      });
      const controller = { definition: services.controller, handlers };
      return serve({
        socket: controllerSocket(config, protocol),
        services: [identity(protocol), controller],
        log: named(log, protocol, "controller"),
      });
    }),
  );
};

/** Serves both node services, and then makes them known to the kubelet. */
export const serveNodes = async (config: CsiConfig, log: Log): Promise<readonly Served[]> => {
  const exec = execBehind();
  const exports = readFileExports(config.registryDir);
  const attach = attachers({ exec, exports, mountRoot: config.nas.mountRoot });
  return (
    await Promise.all(
      protocols.map(async (protocol) => {
        const mine = named(log, protocol, "node");
        const handlers = nodeHandlers({
          exec,
          nodeId: config.nodeId,
          attach: attach[protocol],
          abilities: abilities[protocol],
        });
        const socket = nodeSocket(config, protocol);
        const node = await serve({
          socket,
          services: [identity(protocol), { definition: services.node, handlers }],
          log: mine,
        });
        const registration = {
          definition: services.registration,
          handlers: registrationHandlers(driverNames[protocol], socket, mine),
        };
        return [
          await serve({ socket: registrationSocket(config, protocol), services: [registration], log: mine }),
          node,
        ];
      }),
    )
  ).flat();
};
