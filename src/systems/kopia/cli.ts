/** The port over the kopia program that Velero's version of kopia comes with. */
import { z } from "zod";
import { mapLimited } from "../../model/concurrency.ts";
import { Failure, isFailure } from "../../model/failure.ts";
import { copyEntryOf, directorySchema, entrySchema, summarySchema } from "./directory.ts";
import { kopiaFailure } from "./failures.ts";
import { ObjectServer } from "./object-server.ts";
import type { CopyEntry, KopiaSnapshot, Repository, RestoreOptions } from "./port.ts";
import { type KopiaOptions, KopiaProgram, type RepositoryAccess } from "./program.ts";
import { parseProgress } from "./progress.ts";

const manifestSchema = z.looseObject({
  id: z.string(),
  incomplete: z.string().optional(),
  stats: z
    .looseObject({ excludedFileCount: z.number().default(0), excludedDirCount: z.number().default(0) })
    .prefault({}),
  rootEntry: entrySchema,
});

const readsAtATime = 8;
/** An id has 33 characters, and a command line two million at most. */
const idsAtATime = 20_000;

export class KopiaRepository implements Repository {
  readonly #program: KopiaProgram;
  readonly #objects: ObjectServer;
  #manifests: Promise<ReadonlyMap<string, KopiaSnapshot>> | undefined;

  private constructor(program: KopiaProgram) {
    this.#program = program;
    this.#objects = new ObjectServer(program);
  }

  /** Opens a repository. Throws REPOSITORY_PASSWORD, BUCKET_*, COPY_MISSING when there is none, REPOSITORY_FAILED. */
  static async open(access: RepositoryAccess, options: KopiaOptions): Promise<KopiaRepository> {
    const program = new KopiaProgram(access, options);
    await program.connect();
    return new KopiaRepository(program);
  }

  async snapshot(id: string): Promise<KopiaSnapshot> {
    this.#manifests ??= this.#list();
    const found = (await this.#manifests).get(id);
    if (found !== undefined) return found;
    throw new Failure("COPY_MISSING", {
      what: `The kopia snapshot ${id} is not in its repository.`,
      todo: "Take another point; `holdfast points` lists them.",
    });
  }

  async *entries(snapshot: KopiaSnapshot): AsyncIterable<CopyEntry> {
    let level: readonly CopyEntry[] = [snapshot.root];
    while (level.length > 0) {
      const below = await mapLimited(level, readsAtATime, (directory) => this.#children(directory));
      const children = below.flat();
      yield* children;
      level = children.filter((entry) => entry.type === "directory");
    }
  }

  read(entry: CopyEntry, from?: number): AsyncIterable<Uint8Array> {
    return this.#objects.read(entry.objectId, from);
  }

  async verify(ids: readonly string[], filesPercent: number): Promise<void> {
    try {
      await this.#program.run(
        ["snapshot", "verify", "--parallel=8", `--verify-files-percent=${filesPercent}`, ...ids],
        { doing: `verify ${ids.join(", ")}` },
      );
    } catch (error) {
      // Whatever else kopia says while it verifies, the copy has not been read whole.
      if (!isFailure(error, "REPOSITORY_FAILED")) throw error;
      throw new Failure("COPY_CORRUPT", {
        what: error.what,
        ...(error.why === undefined ? {} : { why: error.why }),
        cause: error,
      });
    }
  }

  async prefetch(files: readonly CopyEntry[], signal: AbortSignal): Promise<void> {
    for (let from = 0; from < files.length; from += idsAtATime) {
      const ids = files.slice(from, from + idsAtATime).map(({ objectId }) => objectId);
      await this.#program.run(["cache", "prefetch", ...ids], { doing: `fetch ${ids.length} files ahead`, signal });
    }
  }

  async restore(snapshot: KopiaSnapshot, directory: string, options: RestoreOptions): Promise<void> {
    await this.#program.run(
      [
        "snapshot",
        "restore",
        snapshot.id,
        directory,
        `--parallel=${options.parallel}`,
        options.sparse ? "--write-sparse-files" : "--no-write-sparse-files",
        "--no-ignore-permission-errors",
      ],
      {
        doing: `restore ${snapshot.id}`,
        signal: options.signal,
        onText: (text) => {
          const progress = parseProgress(text);
          if (progress !== undefined) options.onProgress(progress);
        },
      },
    );
  }

  close(): Promise<void> {
    return this.#objects.close();
  }

  async #list(): Promise<ReadonlyMap<string, KopiaSnapshot>> {
    const text = await this.#program.run(["snapshot", "list", "--all", "--show-identical", "--incomplete", "--json"], {
      doing: "list its snapshots",
    });
    const manifests = z.array(manifestSchema).nullable().safeParse(JSON.parse(text));
    if (!manifests.success) throw kopiaFailure("list its snapshots in a form that is known", manifests.error.message);
    return new Map((manifests.data ?? []).map((manifest) => [manifest.id, snapshotOf(manifest)]));
  }

  async #children(directory: CopyEntry): Promise<readonly CopyEntry[]> {
    const { entries } = directorySchema.parse(JSON.parse(await this.#objects.text(directory.objectId)));
    return mapLimited(entries ?? [], readsAtATime, async (stored) => {
      const entry = copyEntryOf(stored, directory.path === "" ? stored.name : `${directory.path}/${stored.name}`);
      return entry.type === "symlink" ? { ...entry, target: await this.#objects.text(entry.objectId) } : entry;
    });
  }
}

const noSummary = summarySchema.parse({});

const snapshotOf = (manifest: z.output<typeof manifestSchema>): KopiaSnapshot => {
  const summary = manifest.rootEntry.summ ?? noSummary;
  return {
    id: manifest.id,
    root: copyEntryOf(manifest.rootEntry, ""),
    files: summary.files,
    // kopia counts the root as well.
    directories: Math.max(0, summary.dirs - 1),
    symlinks: summary.symlinks,
    bytes: summary.size,
    excluded: manifest.stats.excludedFileCount + manifest.stats.excludedDirCount,
    failed: summary.numFailed + summary.numIgnoredErrors,
    failures: summary.errors.map(({ path, error }) => `${path}: ${error}`),
    incomplete: manifest.incomplete ?? summary.incomplete,
  };
};
