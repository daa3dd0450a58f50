/** The pencil that shapes are drawn with: collects a volume's entries, with owners, modes and times that follow from the seed. */
import { type Extent, type LeftOutBy, rootPath, type SeedEntry } from "./entry.ts";
import { Random } from "./random.ts";

/** Attributes that differ from the volume's usual ones. */
export interface Attributes {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Nanoseconds since 1970. */
  readonly mtime?: bigint;
  readonly leftOutBy?: LeftOutBy;
}

/** A file's content: text or bytes in full, or random bytes after an optional head, or a sparse file's data. */
export type Content =
  | { readonly text: string }
  | { readonly bytes: Uint8Array }
  | { readonly size: number; readonly head?: Uint8Array }
  | { readonly size: number; readonly extents: readonly Extent[] };

/** Owner and modes of everything in a volume that says nothing else. */
export interface Usual {
  readonly uid: number;
  readonly gid: number;
  readonly fileMode?: number;
  readonly directoryMode?: number;
}

const second = 1_000_000_000n;
/** Times lie between these, in seconds since 1970: 2021-01-01 and 2025-12-31. */
const earliest = 1_609_459_200;
const latest = 1_767_139_200;
/** A 64th of a second is a whole number of microseconds and exact in a double, so every way of setting times keeps it. */
const tick = second / 64n;

const parentOf = (path: string): string => {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? rootPath : path.slice(0, slash);
};

export class Plot {
  readonly random: Random;
  readonly #seed: string;
  readonly #usual: Usual;
  readonly #times: Random;
  readonly #entries = new Map<string, SeedEntry>();

  constructor(seed: string, usual: Usual) {
    this.#seed = seed;
    this.#usual = usual;
    // Two streams, so that a change of names does not change all times.
    this.random = new Random(`${seed}\0shape`);
    this.#times = new Random(`${seed}\0times`);
    this.directory(rootPath);
  }

  /** In the order in which they were drawn: every parent before its children, every file before its hard links. */
  entries(): SeedEntry[] {
    return [...this.#entries.values()];
  }

  file(path: string, content: Content, attributes: Attributes = {}): void {
    const head = "text" in content ? Buffer.from(content.text) : "bytes" in content ? content.bytes : undefined;
    const given = "size" in content ? content : { size: head?.length ?? 0, head: head ?? new Uint8Array(0) };
    this.#add({
      ...this.#attributes(attributes, this.#usual.fileMode ?? 0o644),
      ...given,
      path,
      type: "file",
      contentKey: `${this.#seed}\0${path}`,
    });
  }

  /** Says what an implied folder is like, or adds an empty one. */
  directory(path: string, attributes: Attributes = {}): void {
    const own = { ...this.#attributes(attributes, this.#usual.directoryMode ?? 0o755), size: 0, path };
    const existing = this.#entries.get(path);
    if (existing !== undefined) this.#entries.set(path, { ...existing, ...own });
    else this.#add({ ...own, type: "directory" });
  }

  symlink(path: string, target: string, attributes: Attributes = {}): void {
    this.#add({ ...this.#attributes({ ...attributes, mode: 0o777 }, 0o777), path, type: "symlink", size: 0, target });
  }

  /** A further name of the file at `target`, which is a path in the volume. */
  hardlink(path: string, target: string): void {
    const file = this.#entries.get(target);
    if (file?.type !== "file") throw new Error(`no file ${target} to link to`);
    this.#add({ ...file, path, type: "hardlink", target });
  }

  #attributes(attributes: Attributes, usualMode: number): Omit<SeedEntry, "path" | "type" | "size"> {
    return {
      mode: usualMode,
      uid: this.#usual.uid,
      gid: this.#usual.gid,
      mtime: BigInt(this.#times.between(earliest, latest)) * second + BigInt(this.#times.between(0, 63)) * tick,
      ...attributes,
    };
  }

  #add(entry: SeedEntry): void {
    if (this.#entries.has(entry.path)) throw new Error(`${entry.path} is there twice`);
    const parent = parentOf(entry.path);
    if (entry.path !== rootPath && !this.#entries.has(parent)) this.directory(parent);
    this.#entries.set(entry.path, entry);
  }
}
