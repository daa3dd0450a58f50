/** The NAS: a ZFS pool for the volumes with TrueNAS' API, and MinIO with TLS from a private CA on a disk of its own, as on a Synology. */
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createAuthority, issue } from "../components/pki.ts";
import { type Lab, network, paths, pool, poolMountpoint } from "../lab.ts";
import type { Binaries } from "../node/control-plane.ts";
import { output, startDaemon } from "../site/daemon.ts";
import { startMachine } from "../site/sandbox.ts";
import { withoutSync } from "./fuse.ts";
import { startTrueNas } from "./truenas-daemon.ts";

export const bucketName = "homelab";
/** Velero owns this prefix of the bucket; Holdfast writes beside it. */
export const veleroPrefix = "velero";
export const s3Endpoint = "https://nas.lab:9000";
/** The keys are the lab's own and open nothing else. */
export const s3Keys = { accessKeyId: "holdfast-lab", secretAccessKey: "holdfast-lab-secret" } as const;

export const datasets = {
  nfs: `${pool}/k8s/nfs/v`,
  iscsi: `${pool}/k8s/iscsi/v`,
  media: `${pool}/media`,
} as const;

const poolGibibytes = 24;

const createPool = (image: string): string =>
  [
    "set -e",
    "for i in $(seq 100); do zpool list >/dev/null 2>&1 && break; sleep 0.05; done",
    // Forced: whoever had it before has not given it back.
    `if [ -s ${image} ]; then zpool import -f -d $(dirname ${image}) ${pool}; exit 0; fi`,
    `truncate -s ${poolGibibytes}G ${image}`,
    `zpool create -m ${poolMountpoint} ${pool} ${image}`,
    // Access times would make every read a write, on FUSE one by one.
    `zfs set atime=off ${pool}`,
    ...Object.values(datasets).map((dataset) => `zfs create -p ${dataset}`),
    `echo "films are not backed up" > ${poolMountpoint}/media/README`,
    `mkdir -p ${poolMountpoint}/media/films && head -c 1048576 /dev/zero > ${poolMountpoint}/media/films/film.mkv && chown -R 1000:1000 ${poolMountpoint}/media`,
  ].join("\n");

const writeMinioFiles = async (lab: Lab): Promise<void> => {
  const { nasState, minioCerts, minioData, caFile, s3Credentials } = paths(lab);
  mkdirSync(join(minioData, bucketName), { recursive: true });
  if (existsSync(caFile)) return;
  const authority = await createAuthority(join(nasState, "ca"), "Home CA");
  const pair = await issue(authority, minioCerts, {
    name: "minio",
    subject: { CN: "nas.lab" },
    dns: ["nas.lab", "localhost"],
    ips: [network.nas, "127.0.0.1"],
    usages: "server",
  });
  copyFileSync(pair.crt, join(minioCerts, "public.crt"));
  copyFileSync(pair.key, join(minioCerts, "private.key"));
  copyFileSync(authority.crt, caFile);
  const ini = `[default]\naws_access_key_id=${s3Keys.accessKeyId}\naws_secret_access_key=${s3Keys.secretAccessKey}\n`;
  writeFileSync(s3Credentials, ini, { mode: 0o600 });
};

/** Starts the ZFS daemon and brings the pool up. */
const startPool = async (lab: Lab): Promise<void> => {
  mkdirSync(paths(lab).nasState, { recursive: true });
  // One shared cache size for every lab, well below the machine's memory.
  await startDaemon(lab, "nas", {
    name: "zfs",
    command: [...withoutSync(), "zfs-fuse", "--no-daemon", "--max-arc-size", "512"],
  });
  await output(lab, "nas", [...withoutSync(), "bash", "-c", createPool(paths(lab).poolImage)]);
};

/** Starts MinIO; `waitForMinio` tells when it answers. */
const startMinio = async (lab: Lab, binary: Binaries): Promise<void> => {
  await writeMinioFiles(lab);
  const { minioCerts, minioData } = paths(lab);
  await startDaemon(lab, "nas", {
    name: "minio",
    command: [binary("minio"), "server", "--quiet", "--address", ":9000", "--certs-dir", minioCerts, minioData],
    env: {
      MINIO_ROOT_USER: s3Keys.accessKeyId,
      MINIO_ROOT_PASSWORD: s3Keys.secretAccessKey,
      MINIO_BROWSER: "off",
      MINIO_UPDATE: "off",
    },
  });
};

/** Starts the whole NAS when it is down. */
export const startNas = async (lab: Lab, binary: Binaries): Promise<void> => {
  await startMachine(lab, "nas");
  await Promise.all([startPool(lab), startMinio(lab, binary)]);
  await startTrueNas(lab);
};
