/** Container images without a registry or a container engine: docker-archive files with one layer, the same for the same inputs. */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, readFileSync, rmSync, statSync } from "node:fs";
import { posix } from "node:path";
import { PassThrough, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Header as CompleteHeader, type Pack, pack } from "tar-stream";
import { goArch } from "./catalogue.ts";

/** A regular file. `mode` is 0644 by default; the owner is root. */
export type ImageFile = { readonly path: string; readonly mode?: number } & (
  | { readonly source: string }
  | { readonly content: string }
);

/** A folder that needs another mode than 0755 or another owner than root, or that is empty. */
interface ImageDirectory {
  readonly path: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

export interface ImageSymlink {
  readonly path: string;
  readonly target: string;
}

export interface ImageSpec {
  /** With registry and tag: "docker.io/lab/app:1". */
  readonly name: string;
  readonly entrypoint: readonly string[];
  readonly files: readonly ImageFile[];
  readonly directories?: readonly ImageDirectory[];
  readonly symlinks?: readonly ImageSymlink[];
  readonly env?: Readonly<Record<string, string>>;
  /** "uid:gid"; root by default. */
  readonly user?: string;
}

type Header = Partial<CompleteHeader> & Pick<CompleteHeader, "name">;

/** One thing in the layer; without any of the three it is a plain folder. */
interface Entry {
  readonly path: string;
  readonly file?: ImageFile;
  readonly directory?: ImageDirectory;
  readonly symlink?: ImageSymlink;
}

const parents = (path: string): string[] => {
  const parent = posix.dirname(path);
  return parent === "/" ? [] : [...parents(parent), parent];
};

const isSame = (one: Entry, other: Entry): boolean => JSON.stringify(one) === JSON.stringify(other);

/** Everything in the layer, sorted by path, each folder before its content. Throws when two things claim one path. */
export const layerEntries = (spec: ImageSpec): Entry[] => {
  const entries = new Map<string, Entry>();
  const wanted: Entry[] = [
    ...spec.files.map((file) => ({ path: file.path, file })),
    ...(spec.directories ?? []).map((directory) => ({ path: directory.path, directory })),
    ...(spec.symlinks ?? []).map((symlink) => ({ path: symlink.path, symlink })),
  ];
  for (const entry of wanted) {
    const rival = entries.get(entry.path);
    if (rival !== undefined && !isSame(rival, entry)) throw new Error(`${spec.name}: ${entry.path} is there twice`);
    entries.set(entry.path, entry);
  }
  for (const path of wanted.flatMap((entry) => parents(entry.path))) {
    if (!entries.has(path)) entries.set(path, { path });
  }
  return [...entries.values()].sort((one, other) => (one.path < other.path ? -1 : 1));
};

const header = ({ path, file, directory, symlink }: Entry): Header => {
  const common = { name: path.slice(1), mtime: new Date(0), uid: 0, gid: 0 };
  if (file !== undefined) return { ...common, type: "file", mode: file.mode ?? 0o644 };
  if (symlink !== undefined) return { ...common, type: "symlink", mode: 0o777, linkname: symlink.target };
  return {
    ...common,
    type: "directory",
    mode: directory?.mode ?? 0o755,
    uid: directory?.uid ?? 0,
    gid: directory?.gid ?? 0,
  };
};

const addBuffer = (tar: Pack, headers: Header, content: string): Promise<void> =>
  new Promise((resolve, reject) => {
    tar.entry(headers, content, (error) => (error ? reject(error) : resolve()));
  });

const addFile = (tar: Pack, headers: Header, source: string): Promise<void> => {
  const { size } = statSync(source);
  return pipeline(createReadStream(source, { highWaterMark: 1 << 20 }), tar.entry({ ...headers, size }));
};

const addEntry = async (tar: Pack, entry: Entry): Promise<void> => {
  const { file } = entry;
  if (file !== undefined && "source" in file) await addFile(tar, header(entry), file.source);
  else await addBuffer(tar, header(entry), file?.content ?? "");
};

/** Writes a tar file while `add` puts entries into it, through `watch`. */
const writeTar = async (file: string, watch: Transform, add: (tar: Pack) => Promise<void>): Promise<void> => {
  const tar = pack();
  const written = pipeline(tar, watch, createWriteStream(file));
  const added = add(tar).then(
    () => tar.finalize(),
    (error: unknown) => tar.destroy(error instanceof Error ? error : new Error(String(error))),
  );
  await Promise.all([written, added]);
};

/** Writes the layer and returns its SHA-256. */
const writeLayer = async (spec: ImageSpec, file: string): Promise<string> => {
  const hash = createHash("sha256");
  const watch = new Transform({
    transform(piece: Buffer, _encoding, done) {
      hash.update(piece);
      done(null, piece);
    },
  });
  await writeTar(file, watch, async (tar) => {
    for (const entry of layerEntries(spec)) await addEntry(tar, entry);
  });
  return hash.digest("hex");
};

const imageConfiguration = (spec: ImageSpec, layerSha256: string): string =>
  JSON.stringify({
    created: "1970-01-01T00:00:00Z",
    architecture: goArch(),
    os: "linux",
    config: {
      Entrypoint: spec.entrypoint,
      Env: Object.entries({ PATH: "/bin:/", ...spec.env }).map(([name, value]) => `${name}=${value}`),
      WorkingDir: "/",
      ...(spec.user === undefined ? {} : { User: spec.user }),
    },
    rootfs: { type: "layers", diff_ids: [`sha256:${layerSha256}`] },
  });

/** Writes the image as a docker-archive, which `ctr images import` takes. Paths in `spec` are absolute. */
export const buildImage = async (spec: ImageSpec, outFile: string): Promise<void> => {
  const layerFile = `${outFile}.layer`;
  try {
    const layer = await writeLayer(spec, layerFile);
    const config = imageConfiguration(spec, layer);
    const configName = `${createHash("sha256").update(config).digest("hex")}.json`;
    const layerName = `${layer}/layer.tar`;
    const manifest = JSON.stringify([{ Config: configName, RepoTags: [spec.name], Layers: [layerName] }]);
    const common = { mtime: new Date(0), mode: 0o644 };
    await writeTar(outFile, new PassThrough(), async (tar) => {
      await addBuffer(tar, { ...common, name: configName }, config);
      await addFile(tar, { ...common, name: layerName }, layerFile);
      await addBuffer(tar, { ...common, name: "manifest.json" }, manifest);
    });
  } finally {
    rmSync(layerFile, { force: true });
  }
};

/** Files up to this size are told apart by content, so writing the same again changes nothing; larger ones by path, size and time. */
const hashedUpTo = 8 << 20;

const identity = (source: string): string => {
  const { size, mtimeMs } = statSync(source);
  return size <= hashedUpTo
    ? createHash("sha256").update(readFileSync(source)).digest("hex")
    : `${source} ${size} ${mtimeMs}`;
};

/** A short name for everything that goes into an image: the same inputs give the same key. */
export const imageKey = (spec: ImageSpec): string => {
  const inputs = layerEntries(spec).map((entry) => {
    const content = entry.file !== undefined && "source" in entry.file ? identity(entry.file.source) : undefined;
    return [header(entry), content ?? entry.file];
  });
  return createHash("sha256")
    .update(JSON.stringify([imageConfiguration(spec, ""), spec.name, inputs]))
    .digest("hex")
    .slice(0, 16);
};
