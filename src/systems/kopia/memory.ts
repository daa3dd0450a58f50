/** The repository's twin in memory, true to the port's contract, with the faults that tests need. */
import { chmod, lchown, lutimes, mkdir, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../../model/failure.ts";
import type { CopyEntry, KopiaSnapshot, Repository, RestoreOptions } from "./port.ts";

/** An entry of a copy; what is not named is ordinary. Parents come before children. */
export type CopiedEntry = Partial<Omit<CopyEntry, "path" | "size" | "objectId">> & {
  readonly path: string;
  readonly content?: string | Uint8Array;
};

/** Where a restore stands: just before `path` is written, or, without a path, when all is written. */
export interface RestoreStep {
  readonly id: string;
  readonly directory: string;
  readonly path: string | undefined;
}

/** Looks on while a copy is restored; what it throws ends the restore half-way. */
export type RestoreHook = (step: RestoreStep) => void | Promise<void>;

interface Stored {
  readonly snapshot: KopiaSnapshot;
  readonly entries: readonly CopyEntry[];
}

const aTime = 1_700_000_000_000_000_000n;

export class MemoryRepository implements Repository {
  readonly #stored = new Map<string, Stored>();
  readonly #contents = new Map<string, Uint8Array>();
  readonly #corrupt = new Set<string>();
  readonly #unreadable = new Set<string>();
  #hook: RestoreHook = () => undefined;
  /** What `verify` was asked for, call by call. */
  readonly verified: { readonly ids: readonly string[]; readonly filesPercent: number }[] = [];

  /** The paths that `prefetch` was asked for, call by call. */
  readonly prefetched: (readonly string[])[] = [];

  // Hooks for tests.

  /** Puts a copy in place; `part` overrides what its record says. */
  add(id: string, tree: readonly CopiedEntry[], part: Partial<KopiaSnapshot> = {}): KopiaSnapshot {
    const entries = tree.map((entry) => this.#entry(id, entry));
    const count = (type: CopyEntry["type"]): number => entries.filter((entry) => entry.type === type).length;
    const snapshot: KopiaSnapshot = {
      id,
      root: this.#entry(id, { path: "", type: "directory", mode: 0o755 }),
      files: count("file"),
      directories: count("directory"),
      symlinks: count("symlink"),
      bytes: entries.reduce((sum, entry) => sum + entry.size, 0),
      excluded: 0,
      failed: 0,
      failures: [],
      incomplete: undefined,
      ...part,
    };
    this.#stored.set(id, { snapshot, entries });
    return snapshot;
  }

  /** Damages a copy: verification finds it. With `unreadable` its tree cannot be walked either. */
  corrupt(id: string, options: { readonly unreadable?: boolean } = {}): void {
    this.#corrupt.add(id);
    if (options.unreadable === true) this.#unreadable.add(id);
  }

  /** Lets a test see, change or end each restore at every step. */
  onRestore(hook: RestoreHook): void {
    this.#hook = hook;
  }

  // The port.

  async snapshot(id: string): Promise<KopiaSnapshot> {
    return this.#find(id).snapshot;
  }

  async *entries(snapshot: KopiaSnapshot): AsyncIterable<CopyEntry> {
    const depth = (entry: CopyEntry): number => entry.path.split("/").length;
    if (this.#unreadable.has(snapshot.id)) throw corruptCopy(snapshot.id);
    yield* this.#find(snapshot.id).entries.toSorted((a, b) => depth(a) - depth(b));
  }

  async *read(entry: CopyEntry, from = 0): AsyncIterable<Uint8Array> {
    yield this.#content(entry).subarray(from);
  }

  async verify(ids: readonly string[], filesPercent: number): Promise<void> {
    this.verified.push({ ids, filesPercent });
    const bad = ids.filter((id) => this.#corrupt.has(this.#find(id).snapshot.id));
    if (bad.length > 0) throw corruptCopy(bad.join(", "));
  }

  async prefetch(files: readonly CopyEntry[], signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    for (const file of files) this.#content(file);
    this.prefetched.push(files.map(({ path }) => path));
  }

  /** Writes as kopia does: through whatever lies at a parent's path, and with directories' times that are not their own. */
  async restore(snapshot: KopiaSnapshot, directory: string, options: RestoreOptions): Promise<void> {
    const { entries } = this.#find(snapshot.id);
    let [files, bytes] = [0, 0];
    for (const entry of entries) {
      await this.#hook({ id: snapshot.id, directory, path: entry.path });
      options.signal.throwIfAborted();
      await this.#write(entry, join(directory, entry.path));
      files += Number(entry.type === "file");
      bytes += entry.size;
      options.onProgress({ files, bytes });
    }
    for (const entry of entries.toReversed().filter(({ type }) => type === "directory"))
      await dress(entry, join(directory, entry.path));
    await dress(snapshot.root, directory);
    await this.#hook({ id: snapshot.id, directory, path: undefined });
    options.signal.throwIfAborted();
  }

  async close(): Promise<void> {
    // Holds nothing open.
  }

  #entry(id: string, { content, ...entry }: CopiedEntry): CopyEntry {
    const type = entry.type ?? (entry.target === undefined ? "file" : "symlink");
    const objectId = `${id}/${entry.path}`;
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : (content ?? new Uint8Array());
    this.#contents.set(objectId, bytes);
    return {
      mode: type === "directory" ? 0o755 : 0o644,
      uid: 0,
      gid: 0,
      mtime: aTime,
      ...entry,
      type,
      size: type === "file" ? bytes.length : 0,
      objectId,
    };
  }

  #find(id: string): Stored {
    const stored = this.#stored.get(id);
    if (stored !== undefined) return stored;
    throw new Failure("COPY_MISSING", { what: `The kopia snapshot ${id} is not in its repository.` });
  }

  #content(entry: CopyEntry): Uint8Array {
    const content = this.#contents.get(entry.objectId);
    if (content !== undefined) return content;
    throw corruptCopy(entry.objectId);
  }

  async #write(entry: CopyEntry, path: string): Promise<void> {
    if (entry.type === "directory") return void (await mkdir(path, { recursive: true }));
    if (entry.type === "symlink") await symlink(entry.target ?? "", path);
    else await writeFile(path, this.#content(entry));
    await dress(entry, path);
  }
}

const corruptCopy = (what: string): Failure =>
  new Failure("COPY_CORRUPT", { what: `kopia could not verify ${what}.`, why: "blob not found" });

const dress = async (entry: CopyEntry, path: string): Promise<void> => {
  const seconds = Number(entry.mtime / 1000n) / 1e6;
  await lchown(path, entry.uid, entry.gid);
  if (entry.type === "symlink") return lutimes(path, seconds, seconds);
  await chmod(path, entry.mode);
  if (entry.type === "file") await utimes(path, seconds, seconds);
};
