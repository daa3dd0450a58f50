/** TrueNAS' middleware over the twin's store, for tests: methods, shapes and refusals of four releases. */
import { isFailure } from "../../../../model/failure.ts";
import type { FailureCode } from "../../../../model/failure-catalogue.ts";
import { fullName, type MemoryDataset, type MemorySnapshot, MemoryZfs } from "../../memory-zfs.ts";
import { parentOf, partsOf } from "../../names.ts";
import { isAtLeast, parseVersion, type Version } from "../version.ts";

/** A refusal: of the method (-32001, 422), or of its arguments when `attribute` says which (-32602). */
export class Refused extends Error {
  readonly errno: number;
  readonly attribute: string | undefined;

  constructor(errno: number, message: string, attribute?: string) {
    super(message);
    this.errno = errno;
    this.attribute = attribute;
  }
}

type Row = Record<string, unknown>;
type Params = readonly unknown[];

interface UserProperty {
  readonly key: string;
  readonly value?: string;
  readonly remove?: true;
}

const EFAULT = 14;
const words: Partial<Record<FailureCode, readonly [number, string]>> = {
  NAS_EXISTS: [EFAULT, "dataset already exists"],
  NAS_MISSING: [EFAULT, "dataset does not exist"],
  NAS_BUSY: [EFAULT, "dataset is busy"],
  NAS_HAS_CLONES: [EFAULT, "snapshot has dependent clones"],
  NAS_HAS_CHILDREN: [39, "filesystem has children"],
  NAS_FULL: [EFAULT, "out of space"],
  NAS_READ_ONLY: [EFAULT, "pool is read-only"],
};

/** What TrueNAS lets an existing dataset have, in bytes; a new clone may have less. */
export const smallestQuota = 1024 ** 3;

const property = (raw: string, source = "LOCAL") => ({ value: raw, rawvalue: raw, parsed: raw, source });

export class Middleware {
  readonly zfs: MemoryZfs;
  readonly version: Version;
  readonly versionText: string;
  roles: readonly string[] | undefined = ["READONLY_ADMIN"];
  /** Of the key of 24.10, when it may look at itself. */
  allowList: readonly object[] | undefined;
  readonly #tables = new Map<string, Row[]>();
  #lastId = 0;
  #now = new Date().getTime() - 300_000;

  constructor(version: string) {
    this.versionText = version;
    this.version = parseVersion(version);
    // Every object has a second of its own: for 24.10 and 25.04 that is all that tells two datasets apart.
    this.zfs = new MemoryZfs({ now: () => (this.#now += 1000) });
  }

  /** The rows of sharing.nfs, iscsi.target and so on. */
  table(namespace: string): Row[] {
    const rows = this.#tables.get(namespace) ?? [];
    this.#tables.set(namespace, rows);
    return rows;
  }

  /** Throws Refused; undefined for a method that this release does not have. */
  call(method: string, params: Params): { readonly result: unknown } | undefined {
    const handler = this.#handlers[this.#known(method)];
    if (handler === undefined) return this.#generic(method, params);
    try {
      return { result: handler(params) };
    } catch (error) {
      if (!isFailure(error)) throw error;
      const [errno, text] = words[error.code] ?? [22, error.message];
      throw new Refused(errno, `[EFAULT] ${text}`);
    }
  }

  #known(method: string): string {
    const isNew = isAtLeast(this.version, 25, 10);
    if (method.startsWith("zfs.resource.")) return isAtLeast(this.version, 26, 0) ? method : "";
    if (method.startsWith("zfs.snapshot.")) return isNew ? "" : method.replace("zfs.", "pool.");
    return method.startsWith("pool.snapshot.") && !isNew ? "" : method;
  }

  readonly #handlers: Record<string, (params: Params) => unknown> = {
    "system.version": () => this.versionText,
    "auth.me": () => {
      if (this.roles === undefined) throw new Refused(EFAULT, "You are logged in using API_KEY");
      return { pw_name: "holdfast", privilege: { roles: { $set: this.roles } } };
    },
    "api_key.query": ([filters]) => {
      if (this.allowList === undefined) throw new Refused(13, "Not authorized");
      const [[, , id]] = filters as [Params];
      return id === "3" ? [{ id: 3, allowlist: this.allowList }] : [];
    },
    "pool.query": () =>
      this.zfs.pools().map(({ name, health, size, free }) => ({ id: 1, name, status: health, size, free })),
    "pool.dataset.query": ([filters, options]) => this.#datasets(filters as Params[], options as Row),
    "pool.dataset.update": ([name, data]) => this.#update(String(name), data as Row),
    "pool.dataset.promote": ([name]) => this.zfs.promote(this.zfs.dataset(String(name))),
    "pool.dataset.rename": ([name, options]) =>
      this.zfs.rename(this.zfs.dataset(String(name)), String((options as Row)["new_name"])),
    "pool.dataset.delete": ([name, options]) => this.#deleteDataset(String(name), options as Row),
    "pool.snapshot.query": ([filters]) => this.#snapshots(filters as Params[]),
    "pool.snapshot.create": ([data]) => this.#snapshot(data as Row),
    "pool.snapshot.clone": ([data]) => this.#clone(data as Row),
    "pool.snapshot.delete": ([name, options]) => this.#deleteSnapshot(String(name), options as Row),
    "zfs.resource.snapshot.query": ([data]) => this.#resources(data as Row),
    "iscsi.global.config": () => ({ basename: this.zfs.network.iqnBase }),
    "iscsi.global.sessions": () => this.#sessions(),
  };

  #generic(method: string, params: Params): { readonly result: unknown } | undefined {
    const verb = method.slice(method.lastIndexOf(".") + 1);
    const namespace = method.slice(0, -verb.length - 1);
    if (!/^(sharing\.nfs|iscsi\.\w+|pool\.snapshottask|replication)$/.test(namespace)) return undefined;
    const rows = this.table(namespace);
    if (verb === "query") return { result: rows };
    if (verb === "create") {
      const row = { ...(params[0] as Row), id: (this.#lastId += 1) };
      rows.push(row);
      return { result: row };
    }
    const at = rows.findIndex(({ id }) => id === params[0]);
    if (at === -1) throw new Refused(2, "Object does not exist", "id");
    rows.splice(at, 1);
    const side = { "iscsi.target": "target", "iscsi.extent": "extent" }[namespace];
    if (side !== undefined) {
      const links = this.table("iscsi.targetextent");
      links.splice(0, links.length, ...links.filter((link) => link[side] !== params[0]));
    }
    return { result: true };
  }

  #datasets(filters: readonly Params[], options: Row): unknown {
    const withChildren = (options["extra"] as Row)["retrieve_children"] !== false;
    const found = this.zfs.find(String(filters[0]?.[2]));
    return found === undefined ? [] : [this.#datasetRow(found, withChildren)];
  }

  #datasetRow(dataset: MemoryDataset, withChildren: boolean): Row {
    const { name, kind, created, origin, refquota, volsize, readOnly } = dataset;
    const children = this.zfs.below(name).filter((one) => parentOf(one.name) === name);
    return {
      id: name,
      type: kind === "volume" ? "VOLUME" : "FILESYSTEM",
      mountpoint: kind === "volume" ? null : `/mnt/${name}`,
      creation: property(String(Math.floor(created / 1000))),
      ...(isAtLeast(this.version, 25, 10)
        ? { guid: property(dataset.guid), createtxg: property(dataset.createtxg) }
        : {}),
      origin: property(origin === undefined ? "" : fullName(origin)),
      used: property("1024"),
      available: property(String(Math.min(refquota ?? Infinity, 1e12))),
      refquota: property(String(refquota ?? 0)),
      ...(volsize === undefined ? {} : { volsize: property(String(volsize)) }),
      readonly: property(readOnly ? "on" : "off"),
      user_properties: this.#userProperties(name),
      children: withChildren ? children.map((child) => this.#datasetRow(child, true)) : [],
    };
  }

  #userProperties(name: string): Row {
    const parent = parentOf(name);
    const inherited = parent === undefined ? {} : this.#userProperties(parent);
    const source = isAtLeast(this.version, 25, 10) ? "LOCAL" : "INHERITED";
    const above = Object.entries(inherited).map(([key, one]) => [key, { ...(one as Row), source }] as const);
    const own = [...this.zfs.dataset(name).properties].map(([key, value]) => [key, property(value)] as const);
    return Object.fromEntries([...above, ...own]);
  }

  #update(name: string, data: Row): unknown {
    const dataset = this.zfs.dataset(name);
    this.zfs.checkWritable(name, true);
    const refquota = Number(data["refquota"] ?? 0);
    if (refquota > 0 && refquota < smallestQuota)
      throw new Refused(22, `Input should be greater than or equal to ${smallestQuota}`, "data.refquota");
    if (data["refquota"] !== undefined) dataset.refquota = Number(data["refquota"]) || undefined;
    if (data["volsize"] !== undefined) dataset.volsize = Number(data["volsize"]);
    for (const { key, value, remove } of (data["user_properties_update"] ?? []) as UserProperty[]) {
      if (value === undefined || remove) dataset.properties.delete(key);
      else dataset.properties.set(key, value);
    }
    return {};
  }

  #deleteDataset(name: string, options: Row): unknown {
    if (options["recursive"] === true) throw new Error("nobody may send this");
    try {
      this.zfs.destroyDataset(this.zfs.dataset(name));
    } catch (error) {
      // 26 drops what became of it.
      if (!isFailure(error, "NAS_BUSY") || !isAtLeast(this.version, 26, 0)) throw error;
    }
    return true;
  }

  #deleteSnapshot(name: string, options: Row): unknown {
    if (options["recursive"] === true || options["defer"] === true) throw new Error("nobody may send this");
    this.zfs.destroySnapshot(this.zfs.snapshot(name));
    return true;
  }

  #snapshot(data: Row): unknown {
    const {
      dataset,
      name,
      recursive,
      exclude = [],
    } = data as {
      dataset: string;
      name: string;
      recursive: boolean;
      exclude?: string[];
    };
    this.zfs.checkWritable(dataset, true);
    const isLeftOut = (one: string): boolean => exclude.some((left) => one === left || one.startsWith(`${left}/`));
    const datasets = this.zfs
      .below(dataset)
      .filter((one) => one.name === dataset || (recursive && !isLeftOut(one.name)));
    this.zfs.takeSnapshots(datasets, name);
    return { name: `${dataset}@${name}` };
  }

  #clone(data: Row): unknown {
    this.zfs.checkFree(String(data["dataset_dst"]));
    const made = this.zfs.cloneOf(this.zfs.snapshot(String(data["snapshot"])), String(data["dataset_dst"]));
    for (const [key, value] of Object.entries((data["dataset_properties"] ?? {}) as Record<string, string>)) {
      if (key === "refquota") made.refquota = Number(value);
      else made.properties.set(key, value);
    }
    return true;
  }

  #snapshots(filters: readonly Params[]): unknown {
    const [first] = filters;
    const branches = (first?.[0] === "OR" ? first[1] : filters) as readonly (readonly string[])[];
    const all = this.zfs.pools().flatMap(({ name }) => this.#below(name, true));
    const fits = (row: Row): boolean =>
      branches.some(([field = "", operator, value = ""]) =>
        operator === "=" ? row[field] === value : String(row[field]).startsWith(value),
      );
    return all.map((one) => this.#snapshotRow(one)).filter(fits);
  }

  #snapshotRow(snapshot: MemorySnapshot): Row {
    const { dataset, snapshot: name, guid, createtxg, created, holds } = snapshot;
    const id = fullName(snapshot);
    return {
      id,
      name: id,
      dataset: dataset.name,
      snapshot_name: name,
      createtxg,
      properties: {
        guid: property(guid),
        creation: property(String(Math.floor(created / 1000))),
        used: property("0"),
        referenced: property("1024"),
        userrefs: property(String(holds.size)),
      },
    };
  }

  /** As 26 tells them: numbers, and all tags. */
  #resources(data: Row): unknown {
    const [path = ""] = data["paths"] as string[];
    const { dataset } = partsOf(path);
    if (this.zfs.find(dataset) === undefined)
      throw new Refused(2, `'${path}' not found`, "zfs.resource.snapshot.query");
    if (!path.includes("@")) return this.#below(dataset, data["recursive"] === true).map((one) => this.#resource(one));
    const snapshot = this.zfs.findSnapshot(path);
    if (snapshot === undefined) throw new Refused(2, `'${path}' not found`, "zfs.resource.snapshot.query");
    return [this.#resource(snapshot)];
  }

  #resource(snapshot: MemorySnapshot): Row {
    const row = this.#snapshotRow(snapshot);
    const properties = row["properties"] as Record<string, Row>;
    return {
      ...row,
      createtxg: BigInt(snapshot.createtxg),
      guid: BigInt(snapshot.guid),
      holds: snapshot.holds.size === 0 ? null : [...snapshot.holds],
      properties: Object.fromEntries(
        Object.entries(properties)
          .filter(([name]) => name !== "guid" && name !== "userrefs")
          .map(([name, { rawvalue }]) => [name, { raw: rawvalue, value: Number(rawvalue), source: null }]),
      ),
    };
  }

  #below(dataset: string, recursive: boolean): readonly MemorySnapshot[] {
    return this.zfs.below(dataset).flatMap((one) => (recursive || one.name === dataset ? one.snapshots : []));
  }

  #sessions(): unknown {
    return this.table("iscsi.target").flatMap(({ name }) =>
      this.zfs.network
        .sessions(String(name))
        .map((initiator) => ({ initiator, target: `${this.zfs.network.iqnBase}:${String(name)}` })),
    );
  }
}
