/** The lab's container images as data, and a cache of the finished files. */
import { existsSync, readdirSync, rmSync, statSync, utimesSync } from "node:fs";
import { basename, join } from "node:path";
import { withLock } from "../../bootstrap/lock.mjs";
import type { Report } from "../shell/report.ts";
import { place } from "./cache.ts";
import type { ComponentName } from "./catalogue.ts";
import { buildImage, type ImageFile, imageKey, type ImageSpec } from "./image.ts";
import { busybox, dynamicProgram } from "./libraries.ts";

/** Short names of the images; the values are what manifests say. */
export const imageReferences = {
  pause: "docker.io/lab/pause:1",
  app: "docker.io/lab/app:1",
  qbittorrent: "docker.io/lab/qbittorrent:1",
  coredns: "docker.io/lab/coredns:1",
  velero: "docker.io/velero/velero:v1.18.3",
  veleroPluginForAws: "docker.io/velero/velero-plugin-for-aws:v1.14.3",
  holdfast: "docker.io/holdfast/holdfast:dev",
  argocd: "quay.io/argoproj/argocd:v3.2.6",
} as const;

export type ImageName = keyof typeof imageReferences;

/** The program that runs inside Holdfast's own pods. */
export interface Agent {
  /** The bundled program; it becomes /app/agent.mjs. */
  readonly file: string;
  /** Files that must lie beside it, with their own names. */
  readonly extra?: readonly string[];
}

export interface ImageInputs {
  /** The path of one of the components that recipes name. */
  readonly binary: (name: ComponentName) => string;
  /** Needed for the image "holdfast". */
  readonly agent?: Agent;
  /** The Node.js that goes into the image "holdfast"; the running one by default. */
  readonly node?: string;
}

export interface EnsureImagesOptions extends ImageInputs {
  readonly report: Report;
  readonly cacheDir: string;
  readonly signal?: AbortSignal;
}

interface Recipe {
  readonly components: readonly ComponentName[];
  readonly contents: (inputs: ImageInputs) => Promise<Omit<ImageSpec, "name">>;
}

const everywhere = {
  files: [
    {
      path: "/etc/passwd",
      content:
        "root:x:0:0:root:/root:/bin/sh\ncnb:x:1002:1000:cnb:/home/cnb:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n",
    },
    { path: "/etc/group", content: "root:x:0:\ncnb:x:1000:\nnogroup:x:65534:\n" },
    { path: "/etc/nsswitch.conf", content: "hosts: files dns\n" },
  ],
  directories: [
    { path: "/tmp", mode: 0o1777 },
    { path: "/root", mode: 0o700 },
    ...["/proc", "/sys", "/dev", "/run", "/var"].map((path) => ({ path })),
  ],
};

/** An image with a shell: busybox beside `files`. */
const withShell = async (
  entrypoint: readonly string[],
  files: readonly ImageFile[],
): Promise<Omit<ImageSpec, "name">> => {
  const inBin = files.filter(({ path }) => path.startsWith("/bin/")).map(({ path }) => basename(path));
  const box = await busybox(inBin);
  return {
    entrypoint,
    files: [...box.files, ...everywhere.files, ...files],
    directories: everywhere.directories,
    symlinks: box.symlinks,
  };
};

const program = (source: string, path: string): ImageFile => ({ source, path, mode: 0o755 });

const agentFiles = ({ agent, binary }: ImageInputs): ImageFile[] => {
  if (agent === undefined) throw new Error("the image holdfast needs the bundled agent");
  return [
    program(binary("kopia"), "/bin/kopia"),
    { source: agent.file, path: "/app/agent.mjs" },
    ...(agent.extra ?? []).map((source) => ({ source, path: `/app/${basename(source)}` })),
  ];
};

/** Argo CD's roles, told apart by the name under which the program is started. */
const argoCdRoles = ["repo-server", "application-controller", "applicationset-controller"] as const;

/** Its repositories belong to root, and git looks at nobody else's unless it is told to. Argo CD sets git's variables itself. */
const gitConfig: ImageFile = { path: "/etc/gitconfig", content: "[safe]\n\tdirectory = *\n" };

const argoCdUser = { uid: 999, gid: 999 };

/** As in the official image, with redis beside it so that one image does for everything. */
const argoCd = async ({ binary }: ImageInputs): Promise<Omit<ImageSpec, "name">> => {
  const programs = [
    program(binary("argocd"), "/usr/local/bin/argocd"),
    ...(await dynamicProgram("/usr/bin/git", "/bin/git")),
    ...(await dynamicProgram("/usr/bin/redis-server", "/bin/redis-server")),
  ];
  // The manifests name whole commands, as for the official image, whose entry point is a little init.
  const image = await withShell(["/bin/env"], [...programs, gitConfig]);
  const { uid, gid } = argoCdUser;
  return {
    ...image,
    // What serves a repository at a file:// address is looked for by this name.
    symlinks: [
      ...(image.symlinks ?? []),
      { path: "/bin/git-upload-pack", target: "git" },
      ...argoCdRoles.map((role) => ({ path: `/usr/local/bin/argocd-${role}`, target: "argocd" })),
    ],
    directories: [...(image.directories ?? []), { path: "/home/argocd", uid, gid }],
    env: { PATH: "/usr/local/bin:/bin", HOME: "/home/argocd" },
    user: `${uid}:${gid}`,
  };
};

const recipes: Readonly<Record<ImageName, Recipe>> = {
  pause: { components: [], contents: () => withShell(["/bin/sleep", "infinity"], []) },
  app: {
    components: [],
    contents: async () => withShell(["/bin/sh"], await dynamicProgram("/usr/bin/sqlite3", "/bin/sqlite3")),
  },
  qbittorrent: {
    components: [],
    contents: async () => ({
      ...(await withShell(
        ["/bin/qbittorrent-nox"],
        await dynamicProgram("/usr/bin/qbittorrent-nox", "/bin/qbittorrent-nox"),
      )),
      env: { LANG: "C.UTF-8" },
    }),
  },
  coredns: {
    components: ["coredns"],
    contents: ({ binary }) => withShell(["/coredns"], [program(binary("coredns"), "/coredns")]),
  },
  velero: {
    components: ["velero", "velero-restore-helper", "velero-helper"],
    contents: async ({ binary }) => {
      const names = ["velero", "velero-restore-helper", "velero-helper"] as const;
      const image = await withShell(
        ["/velero"],
        names.map((name) => program(binary(name), `/${name}`)),
      );
      const home = { path: "/home/cnb", mode: 0o777, uid: 1002, gid: 1000 };
      return { ...image, directories: [...(image.directories ?? []), home], user: "1002:1000" };
    },
  },
  veleroPluginForAws: {
    components: ["velero-plugin-for-aws", "cp-plugin"],
    contents: ({ binary }) =>
      withShell(
        ["/bin/cp-plugin", "/plugins/velero-plugin-for-aws", "/target/velero-plugin-for-aws"],
        [
          program(binary("cp-plugin"), "/bin/cp-plugin"),
          program(binary("velero-plugin-for-aws"), "/plugins/velero-plugin-for-aws"),
        ],
      ),
  },
  holdfast: {
    components: ["kopia"],
    contents: async (inputs) => {
      const node = await dynamicProgram(inputs.node ?? process.execPath, "/bin/node");
      return withShell(["/bin/node", "/app/agent.mjs"], [...node, ...agentFiles(inputs)]);
    },
  },
  argocd: { components: ["argocd"], contents: argoCd },
};

/** Older versions of an image that are kept, since another lab may use them. */
const keptVersions = 4;

const removeOld = (dir: string, name: ImageName): void => {
  const files = readdirSync(dir).filter((file) => file.startsWith(`${name}-`) && file.endsWith(".tar"));
  const byAge = files
    .map((file) => join(dir, file))
    .sort((one, other) => statSync(other).mtimeMs - statSync(one).mtimeMs);
  for (const file of byAge.slice(keptVersions)) rmSync(file);
};

const ensureImage = async (name: ImageName, options: EnsureImagesOptions): Promise<string> => {
  const spec = { name: imageReferences[name], ...(await recipes[name].contents(options)) };
  const dir = join(options.cacheDir, "images");
  const file = join(dir, `${name}-${imageKey(spec)}.tar`);
  if (!existsSync(file)) {
    await options.report.step(`image ${spec.name}`, () => place(file, (draft) => buildImage(spec, draft)));
    removeOld(dir, name);
  }
  const now = new Date();
  utimesSync(file, now, now);
  return file;
};

/**
 * Returns the docker-archive file of every named image, making those that are missing. The file's name changes when its
 * content does. Safe to interrupt and to run twice at once.
 */
export const ensureImages = (
  names: readonly ImageName[],
  options: EnsureImagesOptions,
): Promise<ReadonlyMap<ImageName, string>> =>
  withLock(
    join(options.cacheDir, "images.lock"),
    async () => {
      const files = new Map<ImageName, string>();
      for (const name of names) files.set(name, await ensureImage(name, options));
      return files;
    },
    { signal: options.signal },
  );
