/** The programs a lab is made of, as data. Versions come from the pins, so there is one place to change them. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** In the order in which they are built: kube-apiserver first, since the others share most of its packages. */
export const componentNames = [
  "kube-apiserver",
  "kubectl",
  "kube-controller-manager",
  "kube-scheduler",
  "kubelet",
  "kube-proxy",
  "etcd",
  "etcdctl",
  "etcdutl",
  "minio",
  "csi-provisioner",
  "csi-resizer",
  "kopia",
  "velero",
  "velero-restore-helper",
  "velero-helper",
  "velero-plugin-for-aws",
  "cp-plugin",
  "coredns",
  "argocd",
] as const;

export type ComponentName = (typeof componentNames)[number];

/** Where official releases lie. Tests and mirrors put their own addresses here. */
export type Site = "kubernetes" | "github";
export type Sites = Readonly<Record<Site, string>>;
export const officialSites: Sites = { kubernetes: "https://dl.k8s.io", github: "https://github.com" };

/** An official release. Paths are below the site's address. */
export interface Download {
  readonly site: Site;
  readonly path: string;
  /** Holds the SHA-256 of `path`, alone or in a list with file names. */
  readonly checksums: string;
  /** The program's path inside a .tar.gz; undefined when the file is the program itself. */
  readonly member?: string;
}

/** How a program on PATH tells its version. */
export interface Probe {
  readonly args: readonly string[];
  /** The first group is the version, with or without "v". */
  readonly version: RegExp;
}

export interface Component {
  readonly name: ComponentName;
  readonly version: string;
  /** Folder with the go.mod and go.sum that it is built from. */
  readonly pins: string;
  readonly package: string;
  readonly ldflags: string;
  /** Changes whenever a build could come out differently. */
  readonly key: string;
  readonly probe?: Probe;
  readonly download?: Download;
}

export type Catalogue = ReadonlyMap<ComponentName, Component>;

interface Recipe {
  readonly pins: string;
  /** The Go module whose pinned version is the component's. */
  readonly module: string;
  readonly package: string;
  readonly ldflags?: (version: string) => string;
  readonly probe?: Probe;
  readonly download?: (version: string, arch: string) => Download;
}

const kubernetesFlags = (version: string): string => {
  const [major = "", minor = ""] = version.slice(1).split(".");
  const settings = { gitVersion: version, gitMajor: major, gitMinor: minor };
  return Object.entries(settings)
    .map(([name, value]) => ` -X k8s.io/component-base/version.${name}=${value}`)
    .join("");
};

const kubernetes = (
  name: ComponentName,
  probe: Probe = { args: ["--version"], version: /^Kubernetes (\S+)/m },
): Recipe => ({
  pins: "kubernetes",
  module: "k8s.io/kubernetes",
  package: `k8s.io/kubernetes/cmd/${name}`,
  ldflags: kubernetesFlags,
  probe,
  download: (version, arch) => {
    const path = `/${version}/bin/linux/${arch}/${name}`;
    return { site: "kubernetes", path, checksums: `${path}.sha256` };
  },
});

const etcd = (name: ComponentName, folder: string, probe: Probe): Recipe => ({
  pins: "etcd",
  module: `go.etcd.io/etcd/${folder}/v3`,
  package: `go.etcd.io/etcd/${folder}/v3`,
  probe,
  download: (version, arch) => {
    const release = `/etcd-io/etcd/releases/download/${version}`;
    const top = `etcd-${version}-linux-${arch}`;
    return {
      site: "github",
      path: `${release}/${top}.tar.gz`,
      checksums: `${release}/SHA256SUMS`,
      member: `${top}/${name}`,
    };
  },
});

const veleroModule = "github.com/vmware-tanzu/velero";
const veleroFlags = (version: string): string => ` -X ${veleroModule}/pkg/buildinfo.Version=${version}`;
const velero = (name: ComponentName): Recipe => ({
  pins: "velero",
  module: veleroModule,
  package: `${veleroModule}/cmd/${name}`,
  ldflags: veleroFlags,
});

const pluginModule = "github.com/vmware-tanzu/velero-plugin-for-aws";
const plugin = (folder: string): Recipe => ({
  pins: "velero",
  module: pluginModule,
  package: `${pluginModule}/${folder}`,
  ldflags: veleroFlags,
});

/** Argo CD's Go module. Its folder also holds the manifests of that version. */
export const argoCdModule = "github.com/argoproj/argo-cd/v3";

/**
 * Programs that go into container images are never taken from PATH: those may need shared libraries. Where neither a
 * probe nor a download is given, no official program of the pinned version exists.
 */
const recipes: Readonly<Record<ComponentName, Recipe>> = {
  "kube-apiserver": kubernetes("kube-apiserver"),
  kubectl: kubernetes("kubectl", { args: ["version", "--client"], version: /^Client Version: (\S+)/m }),
  "kube-controller-manager": kubernetes("kube-controller-manager"),
  "kube-scheduler": kubernetes("kube-scheduler"),
  kubelet: kubernetes("kubelet"),
  "kube-proxy": kubernetes("kube-proxy"),
  etcd: etcd("etcd", "server", { args: ["--version"], version: /^etcd Version: (\S+)/m }),
  etcdctl: etcd("etcdctl", "etcdctl", { args: ["version"], version: /^etcdctl version: (\S+)/m }),
  etcdutl: etcd("etcdutl", "etcdutl", { args: ["version"], version: /^etcdutl version: (\S+)/m }),
  minio: { pins: "minio", module: "github.com/minio/minio", package: "github.com/minio/minio" },
  "csi-provisioner": {
    pins: "csi",
    module: "github.com/kubernetes-csi/external-provisioner/v6",
    package: "github.com/kubernetes-csi/external-provisioner/v6/cmd/csi-provisioner",
    probe: { args: ["--version"], version: /^\S*csi-provisioner (\S+)/m },
  },
  "csi-resizer": {
    pins: "csi",
    module: "github.com/kubernetes-csi/external-resizer/v2",
    package: "github.com/kubernetes-csi/external-resizer/v2/cmd/csi-resizer",
    probe: { args: ["--version"], version: /^\S*csi-resizer (\S+)/m },
  },
  // The fork that Velero uses; its releases do not exist outside Velero.
  kopia: { pins: "kopia", module: "github.com/kopia/kopia", package: "github.com/kopia/kopia" },
  velero: {
    ...velero("velero"),
    download: (version, arch) => {
      const release = `/vmware-tanzu/velero/releases/download/${version}`;
      const top = `velero-${version}-linux-${arch}`;
      return {
        site: "github",
        path: `${release}/${top}.tar.gz`,
        checksums: `${release}/CHECKSUM`,
        member: `${top}/velero`,
      };
    },
  },
  "velero-restore-helper": velero("velero-restore-helper"),
  "velero-helper": velero("velero-helper"),
  "velero-plugin-for-aws": plugin("velero-plugin-for-aws"),
  "cp-plugin": plugin("hack/cp-plugin"),
  coredns: {
    pins: "coredns",
    module: "github.com/coredns/coredns",
    package: "github.com/coredns/coredns",
    download: (version, arch) => {
      const path = `/coredns/coredns/releases/download/${version}/coredns_${version.slice(1)}_linux_${arch}.tgz`;
      return { site: "github", path, checksums: `${path}.sha256`, member: "coredns" };
    },
  },
  argocd: {
    pins: "argocd",
    module: argoCdModule,
    package: `${argoCdModule}/cmd`,
    ldflags: (version) => ` -X ${argoCdModule}/common.version=${version.slice(1)}`,
    download: (version, arch) => {
      const release = `/argoproj/argo-cd/releases/download/${version}`;
      return { site: "github", path: `${release}/argocd-linux-${arch}`, checksums: `${release}/cli_checksums.txt` };
    },
  },
};

/** The version that a go.mod selects for a module, its replacement's where there is one. Throws when it is not there. */
export const pinnedVersion = (goMod: string, module: string): string => {
  const lines = goMod.split("\n").map((line) => line.trim().split(/\s+/));
  const replaced = lines.find((words) => words[0] === "replace" && words[1] === module)?.at(-1);
  const [, required] =
    lines
      .map((words) => (words[0] === "require" ? words.slice(1) : words))
      .find(([path, version]) => path === module && version !== undefined) ?? [];
  const version = replaced ?? required;
  if (version === undefined) throw new Error(`${module} is not pinned`);
  return version;
};

const stripped = "-s -w";

/** Go's name of this machine's processor. */
export const goArch = (arch: NodeJS.Architecture = process.arch): string => (arch === "x64" ? "amd64" : arch);

/** The pins that belong to this checkout. */
const pinsDir = resolve(dirname(fileURLToPath(import.meta.url)), "..", "pins");

const toComponent = (name: ComponentName, arch: string): Component => {
  const recipe = recipes[name];
  const pins = join(pinsDir, recipe.pins);
  const goMod = readFileSync(join(pins, "go.mod"), "utf8");
  const goSum = readFileSync(join(pins, "go.sum"), "utf8");
  const version = pinnedVersion(goMod, recipe.module);
  // The plugin is built with Velero's flags, as all programs from Velero's pins are.
  const flagsVersion = recipe.ldflags === veleroFlags ? pinnedVersion(goMod, veleroModule) : version;
  const ldflags = `${stripped}${recipe.ldflags?.(flagsVersion) ?? ""}`;
  const key = createHash("sha256")
    .update([goMod, goSum, recipe.package, ldflags, arch].join("\0"))
    .digest("hex")
    .slice(0, 12);
  return {
    name,
    version,
    pins,
    package: recipe.package,
    ldflags,
    key,
    ...(recipe.probe === undefined ? {} : { probe: recipe.probe }),
    ...(recipe.download === undefined ? {} : { download: recipe.download(version, arch) }),
  };
};

/** Reads the pins. Throws when a component is not pinned. */
export const readCatalogue = (arch: string = goArch()): Catalogue =>
  new Map(componentNames.map((name) => [name, toComponent(name, arch)]));
