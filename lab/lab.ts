/**
 * One lab: its name, its folder, and the addresses inside it. Two labs with different names can run side by side,
 * with the same addresses, since each has a network namespace of its own.
 */
import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export interface Lab {
  readonly name: string;
  /** Everything the lab writes on the host lies in here. */
  readonly dir: string;
  /** Components, images and prepared state that labs share; survives `down`. */
  readonly cacheDir: string;
  /** Short and unique on this host: names the cgroups and marks the processes of this lab. */
  readonly id: string;
}

/** The checkout that this file belongs to. */
export const checkout = resolve(dirname(fileURLToPath(import.meta.url)), "..");

export const openLab = (name: string, env: NodeJS.ProcessEnv = process.env): Lab => {
  const dir = join(env.HOLDFAST_LAB_DIR ?? join(checkout, ".lab"), name);
  return {
    name,
    dir,
    cacheDir: join(env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "holdfast-lab"),
    id: `holdfast-lab-${createHash("sha256").update(dir).digest("hex").slice(0, 8)}`,
  };
};

/** The site's network: one LAN with the NAS, the node, and the "laptop" on which `lab exec` runs commands. */
export const network = {
  prefixLength: 24,
  laptop: "100.66.0.254",
  nas: "100.66.0.10",
  node: "100.66.0.1",
  pods: "100.64.0.0/16",
  nodePods: "100.64.0.0/24",
  services: "100.65.0.0/16",
  apiService: "100.65.0.1",
  dnsService: "100.65.0.10",
} as const;

/** Names that every machine of the site knows. */
export const hosts: Readonly<Record<string, string>> = {
  "nas.lab": network.nas,
  "node.lab": network.node,
  "laptop.lab": network.laptop,
};

export const nodeName = "node";
/** Where the pool's datasets appear, on the NAS and on every machine that "mounts" from it. */
export const poolMountpoint = "/mnt/tank";
export const pool = "tank";
/** The folder on the node for hostPath volumes. */
export const hostPathDir = "/var/lib/lab-hostpath";

/** Paths below the lab's folder. They look the same from inside: the sandbox shares the host's file system. */
export const paths = (lab: Lab) =>
  ({
    log: join(lab.dir, "log"),
    scripts: join(lab.dir, "scripts"),
    poolImage: join(lab.dir, "nas", "pool.img"),
    nasState: join(lab.dir, "nas"),
    minioData: join(lab.dir, "nas", "minio"),
    minioCerts: join(lab.dir, "nas", "minio-certs"),
    node: join(lab.dir, "node"),
    kubernetes: join(lab.dir, "node", "kubernetes"),
    pki: join(lab.dir, "node", "kubernetes", "pki"),
    etcd: join(lab.dir, "node", "etcd"),
    containerd: join(lab.dir, "node", "containerd"),
    kubelet: join(lab.dir, "node", "kubelet"),
    hostPath: join(lab.dir, "node", "host-path"),
    csi: join(lab.dir, "csi"),
    kubeconfig: join(lab.dir, "kubeconfig"),
    holdfastConfig: join(lab.dir, "holdfast.yaml"),
    caFile: join(lab.dir, "ca.crt"),
    s3Credentials: join(lab.dir, "s3-credentials"),
    repositoryPassword: join(lab.dir, "repository-password"),
    nasKey: join(lab.dir, "nas-key"),
    nasRemoverKey: join(lab.dir, "nas-remover-key"),
    /** The NAS' registry of shares, targets and extents, and what else its API remembers. */
    exports: join(lab.dir, "nas", "exports"),
    /** The homelab's git repositories, as a git server outside of the cluster would keep them. */
    gitops: join(lab.dir, "gitops"),
    state: join(lab.dir, "state.json"),
    /** What programs of the laptop's user remember. */
    laptopState: join(lab.dir, "laptop-state"),
  }) as const;
