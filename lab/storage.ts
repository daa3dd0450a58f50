/** Dynamic provisioning: the lab's CSI driver as a controller on the NAS and as a plugin on the node. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CsiConfigInput } from "./csi/config.ts";
import { provisionerCommand } from "./csi/provisioner.ts";
import { resizerCommand } from "./csi/resizer.ts";
import { driverNames } from "./csi/volume-shape.ts";
import { checkout, type Lab, network, nodeName, paths } from "./lab.ts";
import { datasets } from "./nas/nas.ts";
import { nasRest, nasUsers } from "./nas/truenas-daemon.ts";
import type { Binaries } from "./node/control-plane.ts";
import { endDaemon, startDaemon } from "./site/daemon.ts";
import type { Place } from "./site/inside.ts";

const socketDir = "/run/csi";

const writeConfig = (lab: Lab): string => {
  const { csi, exports, caFile } = paths(lab);
  mkdirSync(csi, { recursive: true });
  const config: CsiConfigInput = {
    nodeId: nodeName,
    controllerSocketDir: socketDir,
    registryDir: exports,
    nas: { address: network.nas, api: { url: nasRest, key: nasUsers.csi.key, caFile } },
    nfs: { parentDataset: datasets.nfs },
    iscsi: { parentDataset: datasets.iscsi },
  };
  const file = join(csi, "config.json");
  writeFileSync(file, JSON.stringify(config, undefined, 2));
  return file;
};

const startDriver = (lab: Lab, place: Place, role: "controller" | "node"): Promise<void> =>
  startDaemon(lab, place, {
    name: `csi-${role}`,
    command: [
      process.execPath,
      "--import",
      join(checkout, "node_modules/tsx/dist/esm/index.mjs"),
      join(checkout, "lab/csi/main.ts"),
      role,
      "--config",
      writeConfig(lab),
    ],
  });

/** Starts the driver's controller, and a provisioner and a resizer for each of its names. The API server and the NAS' API must answer. */
export const startProvisioning = async (lab: Lab, binary: Binaries): Promise<void> => {
  await startDriver(lab, "nas", "controller");
  const { kubeconfig } = paths(lab);
  const sidecars = Object.values(driverNames).flatMap((name) => {
    const options = { kubeconfig, controllerSocket: join(socketDir, `${name}.sock`) };
    return [
      {
        name: `csi-provisioner-${name}`,
        command: provisionerCommand({ binary: binary("csi-provisioner"), ...options }),
      },
      { name: `csi-resizer-${name}`, command: resizerCommand({ binary: binary("csi-resizer"), ...options }) },
    ];
  });
  await Promise.all(sidecars.map((sidecar) => startDaemon(lab, "nas", sidecar)));
};

/** Ends what `startProvisioning` started, because the cluster that it talks to is about to go. */
export const stopProvisioning = async (lab: Lab): Promise<void> => {
  await Promise.all(
    [
      "csi-controller",
      ...Object.values(driverNames).flatMap((name) => [`csi-provisioner-${name}`, `csi-resizer-${name}`]),
    ].map((name) => endDaemon(lab, "nas", name, "KILL")),
  );
};

/** Starts the driver's part that mounts volumes on the node. */
export const startNodePlugin = (lab: Lab): Promise<void> => startDriver(lab, "node", "node");
