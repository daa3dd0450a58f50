/**
 * The `zfs` command with types. It adds no policy: what `zfs` refuses is thrown as a `ZfsError`.
 *
 * Written for zfs-fuse 0.7.0 (pool version 23), which lacks `list -p`, `guid`, `createtxg`, `written`, bookmarks, several
 * properties in one `set`, and several snapshots in one command.
 */
import type { Exec } from "./exec.ts";
import { spelled, unspelled } from "./odd-values.ts";
import { isZfsError, ZfsError } from "./zfs-error.ts";

export type Properties = Readonly<Record<string, string>>;

export interface PropertyValue {
  /** As `zfs get -p` prints it: bytes and seconds since 1970 as plain numbers, `-` for none. */
  readonly value: string;
  /** `local`, `default`, `-`, or `inherited from NAME`. */
  readonly source: string;
}

export type DatasetType = "filesystem" | "snapshot";

export interface ListOptions {
  readonly type: DatasetType;
  /** The dataset to look at; without it, everything. */
  readonly under?: string;
  /** How many levels below `under`; all of them by default. */
  readonly depth?: number;
}

export interface Zfs {
  /** Makes a filesystem and mounts it. Its parent must exist. Throws kinds `exists`, `no-parent`. */
  create(dataset: string, properties?: Properties): Promise<void>;
  exists(name: string): Promise<boolean>;
  /** Names, in zfs's own order. Throws kind `missing` when `under` does not exist. */
  list(options: ListOptions): Promise<readonly string[]>;
  /** Every property of a dataset or snapshot, user properties included. Throws kind `missing`. */
  properties(name: string): Promise<ReadonlyMap<string, PropertyValue>>;
  /** All datasets and snapshots at and below `under` with all their properties, by one command. Throws kind `missing`. */
  tree(options?: TreeOptions): Promise<readonly ZfsObject[]>;
  /** Sets properties one after the other; a failure leaves the ones before it set. */
  set(name: string, properties: Properties): Promise<void>;
  /** Gives a property its inherited value, and takes a user property that nothing gives away. */
  inherit(name: string, property: string): Promise<void>;
  /** Throws kinds `missing`, `busy`, `has-clones`, `has-children`. After `busy` the filesystem may be unmounted. */
  destroy(name: string, options?: DestroyOptions): Promise<void>;
  /** `name` is `dataset@snapshot`. Throws kinds `exists`, `missing`. */
  snapshot(name: string, options?: SnapshotOptions): Promise<void>;
  /** Makes a filesystem out of a snapshot and mounts it. */
  clone(snapshot: string, dataset: string, properties?: Properties): Promise<void>;
  /** Datasets keep their pool. A mounted one is mounted anew at its new place. Throws kinds `exists`, `missing`, `busy`. */
  rename(name: string, newName: string, options?: { readonly recursive?: boolean }): Promise<void>;
  /** Turns a clone and its origin around. Throws when it is no clone. */
  promote(dataset: string): Promise<void>;
  /** Throws kind `newer-snapshots`, and with `-r` kind `has-clones`. */
  rollback(snapshot: string, options?: RollbackOptions): Promise<void>;
  /** Keeps a snapshot from being destroyed. Throws kind `tag-taken`. */
  hold(tag: string, snapshot: string, options?: { readonly recursive?: boolean }): Promise<void>;
  /** Throws kind `no-tag`. */
  release(tag: string, snapshot: string, options?: { readonly recursive?: boolean }): Promise<void>;
  /** Whether zfs itself has the filesystem mounted where its `mountpoint` says. */
  mounted(dataset: string): Promise<boolean>;
  /** Mounts a filesystem; does nothing when it is mounted. Throws kind `busy` while an old mount of it lives somewhere. */
  mount(dataset: string): Promise<void>;
  /** Throws kinds `busy`, `not-mounted`. */
  unmount(dataset: string): Promise<void>;
}

export interface DestroyOptions {
  /** Snapshots and children too. */
  readonly recursive?: boolean;
  /**
   * Unmounts what is in use. Never give this to zfs-fuse for a filesystem that may be in use: it detaches the mount lazily,
   * and a later `destroy` of a clone of it then blocks the daemon for good.
   */
  readonly force?: boolean;
  /** A snapshot that cannot go yet goes when its last hold or clone does. */
  readonly defer?: boolean;
}

export interface TreeOptions {
  /** Without it, every pool. */
  readonly under?: string;
  /** How many levels below `under`; all of them by default. With 0, an object alone; snapshots are one level below. */
  readonly depth?: number;
}

/** A dataset or snapshot and what `zfs get all` says of it. */
export interface ZfsObject {
  readonly name: string;
  readonly properties: ReadonlyMap<string, PropertyValue>;
}

/** The flags of `zfs rollback` that destroy what is in the way. */
export interface RollbackOptions {
  readonly newerSnapshots?: boolean;
  readonly clones?: boolean;
  readonly force?: boolean;
}

export interface SnapshotOptions {
  readonly recursive?: boolean;
  readonly properties?: Properties;
}

const propertyFlags = (properties: Properties = {}): readonly string[] =>
  Object.entries(properties).flatMap(([name, value]) => ["-o", `${name}=${spelled(name, value)}`]);

const flag = (wanted: boolean | undefined, name: string): readonly string[] => (wanted === true ? [name] : []);

const lines = (text: string): readonly string[] => text.split("\n").filter((line) => line !== "");

/** Reads what `zfs get -H -o property,value,source` prints. A value may hold tabs; a property's name and source never do. */
export const parseProperties = (text: string): ReadonlyMap<string, PropertyValue> =>
  new Map(
    lines(text).flatMap((line) => {
      const fields = line.split("\t");
      const [name] = fields;
      const source = fields.at(-1);
      if (name === undefined || source === undefined || fields.length < 3) return [];
      return [[name, { value: unspelled(name, fields.slice(1, -1).join("\t")), source }] as const];
    }),
  );

/** Reads what `zfs get -H -o name,property,value,source` prints: one object's lines follow each other. */
export const parseTree = (text: string): readonly ZfsObject[] => {
  const objects = new Map<string, string[]>();
  for (const line of lines(text)) {
    const end = line.indexOf("\t");
    const name = line.slice(0, end);
    const known = objects.get(name);
    if (known === undefined) objects.set(name, [line.slice(end + 1)]);
    else known.push(line.slice(end + 1));
  }
  return [...objects].map(([name, rest]) => ({ name, properties: parseProperties(rest.join("\n")) }));
};

type Command = (...args: readonly string[]) => Promise<string>;

const snapshotCommands = (
  zfs: Command,
): Pick<Zfs, "snapshot" | "clone" | "promote" | "rollback" | "hold" | "release"> => ({
  snapshot: async (name, options = {}) =>
    void (await zfs("snapshot", ...flag(options.recursive, "-r"), ...propertyFlags(options.properties), name)),
  clone: async (snapshot, dataset, properties) =>
    void (await zfs("clone", ...propertyFlags(properties), snapshot, dataset)),
  promote: async (dataset) => void (await zfs("promote", dataset)),
  rollback: async (snapshot, { newerSnapshots, clones, force } = {}) =>
    void (await zfs("rollback", ...flag(newerSnapshots, "-r"), ...flag(clones, "-R"), ...flag(force, "-f"), snapshot)),
  hold: async (tag, snapshot, { recursive } = {}) => void (await zfs("hold", ...flag(recursive, "-r"), tag, snapshot)),
  release: async (tag, snapshot, { recursive } = {}) =>
    void (await zfs("release", ...flag(recursive, "-r"), tag, snapshot)),
});

/** A `Zfs` whose commands `exec` runs. */
export const openZfs = (exec: Exec): Zfs => {
  const zfs: Command = async (...args) => {
    const { code, stdout, stderr } = await exec("zfs", args);
    if (code !== 0) throw new ZfsError(args, stderr === "" ? `exit code ${code}` : stderr);
    return stdout;
  };
  const mounted = async (dataset: string): Promise<boolean> =>
    (await zfs("get", "-H", "-o", "value", "mounted", dataset)).trim() === "yes";
  return {
    create: async (dataset, properties) => void (await zfs("create", ...propertyFlags(properties), dataset)),
    exists: async (name) => {
      try {
        await zfs("list", "-H", "-o", "name", name);
        return true;
      } catch (error) {
        if (isZfsError(error, "missing")) return false;
        throw error;
      }
    },
    list: async ({ type, under, depth }) => {
      const reach = depth === undefined ? ["-r"] : ["-d", String(depth)];
      return lines(
        await zfs("list", "-H", "-o", "name", "-t", type, ...(under === undefined ? [] : [...reach, under])),
      );
    },
    properties: async (name) => parseProperties(await zfs("get", "-Hp", "-o", "property,value,source", "all", name)),
    tree: async ({ under, depth } = {}) => {
      const reach = depth === undefined ? ["-r"] : ["-d", String(depth)];
      const [flags, where] = under === undefined ? [[], []] : [reach, [under]];
      return parseTree(await zfs("get", "-Hp", ...flags, "-o", "name,property,value,source", "all", ...where));
    },
    set: async (name, properties) => {
      for (const [property, value] of Object.entries(properties))
        await zfs("set", `${property}=${spelled(property, value)}`, name);
    },
    inherit: async (name, property) => void (await zfs("inherit", property, name)),
    destroy: async (name, { recursive, force, defer } = {}) =>
      void (await zfs("destroy", ...flag(recursive, "-r"), ...flag(force, "-f"), ...flag(defer, "-d"), name)),
    rename: async (name, newName, { recursive } = {}) =>
      void (await zfs("rename", ...flag(recursive, "-r"), name, newName)),
    ...snapshotCommands(zfs),
    mounted,
    mount: async (dataset) => {
      if (!(await mounted(dataset))) await zfs("mount", dataset);
    },
    unmount: async (dataset) => void (await zfs("unmount", dataset)),
  };
};
