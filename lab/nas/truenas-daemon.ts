/** The NAS' API: a TrueNAS stand-in (lab/nas/truenas/) as a daemon of the machine, on the pool that is up already. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkout, type Lab, network, paths } from "../lab.ts";
import { startDaemon } from "../site/daemon.ts";
import { withoutSync } from "./fuse.ts";
import type { StandInConfigInput } from "./truenas/config.ts";

export const nasApi = "wss://nas.lab/api/current";
/** REST, for the storage driver. */
export const nasRest = "https://nas.lab";

const key = (number: number): string => `${number}-${"LabKeyOpensNothingElse0123456789".repeat(2)}`;

/** The lab's own, as the keys of its bucket; `holdfast` and `holdfast-remover` are what docs/nas tells users to make. */
export const nasUsers = {
  csi: { username: "csi", key: key(1), roles: ["FULL_ADMIN"] },
  holdfast: {
    username: "holdfast",
    key: key(2),
    roles: [
      "READONLY_ADMIN",
      "SNAPSHOT_WRITE",
      "DATASET_WRITE",
      "SHARING_NFS_WRITE",
      "SHARING_ISCSI_EXTENT_WRITE",
      "SHARING_ISCSI_TARGET_WRITE",
      "SHARING_ISCSI_TARGETEXTENT_WRITE",
    ],
  },
  remover: {
    username: "holdfast-remover",
    key: key(3),
    roles: ["READONLY_ADMIN", "SNAPSHOT_DELETE", "DATASET_DELETE"],
  },
} as const;

const sideDoorPort = 8080;
/** For tests on the NAS itself: where lab/nas/truenas/control.ts answers, on loopback only. */
export const sideDoor = `http://127.0.0.1:${sideDoorPort}`;

const configOf = (lab: Lab): StandInConfigInput => {
  const { minioCerts, exports } = paths(lab);
  return {
    version: "25.10.1",
    // The NAS has one name, and so one certificate.
    https: {
      host: network.nas,
      port: 443,
      certFile: join(minioCerts, "public.crt"),
      keyFile: join(minioCerts, "private.key"),
    },
    http: { host: "127.0.0.1", port: sideDoorPort },
    // Together, so that a reset brings both back as they were.
    stateDir: exports,
    exportsDir: exports,
    address: network.nas,
    users: Object.values(nasUsers).map(({ username, key: value, roles }) => ({
      username,
      roles: [...roles],
      keys: [{ key: value }],
    })),
  };
};

/** Starts the API. The pool must be up and the NAS' certificate made. */
export const startTrueNas = async (lab: Lab): Promise<void> => {
  const { nasState, nasKey, nasRemoverKey, exports } = paths(lab);
  mkdirSync(exports, { recursive: true });
  writeFileSync(nasKey, `${nasUsers.holdfast.key}\n`, { mode: 0o600 });
  writeFileSync(nasRemoverKey, `${nasUsers.remover.key}\n`, { mode: 0o600 });
  const file = join(nasState, "truenas.json");
  writeFileSync(file, JSON.stringify(configOf(lab), undefined, 2), { mode: 0o600 });
  await startDaemon(lab, "nas", {
    name: "truenas",
    command: [
      // The API's zfs commands inherit this.
      ...withoutSync(),
      process.execPath,
      "--import",
      join(checkout, "node_modules/tsx/dist/esm/index.mjs"),
      join(checkout, "lab/nas/truenas/main.ts"),
      "--config",
      file,
    ],
  });
};
