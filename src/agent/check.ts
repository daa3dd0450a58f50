/**
 * The job "check": is each copy whole? Its snapshot is in the repository, every content has its blob, the tree can be
 * walked to its last entry and has the files and bytes of its own record, and every SQLite file in it passes SQLite's own
 * check. What Velero reports as bytes is not asked: from the second backup on it counts what ignore rules left out.
 * Cost: entries of the copies; bytes of `filesPercent` of the files and of all SQLite files.
 */
import { join } from "node:path";
import type { CopyEvidence } from "../model/copy.ts";
import { mapTogether } from "../model/concurrency.ts";
import { isFailure, messageOf } from "../model/failure.ts";
import type { CopyEntry, KopiaSnapshot, Repository } from "../systems/kopia/port.ts";
import type { AgentContext } from "./agent-context.ts";
import { checkDatabases, databaseCandidates, type ReadFile } from "./databases.ts";
import { isUnfinished } from "./directories.ts";
import type { CopyReference, CheckJob } from "./job.ts";
import { leftOutOf } from "./left-out.ts";
import type { OpenRepository } from "./repositories.ts";

/** Each is a few processes of kopia, which mostly wait for the store. */
const repositoriesAtATime = 3;

/** A failure of one copy is evidence about it; anything else ends the job. */
const aboutTheCopy = (error: unknown): boolean => isFailure(error, "COPY_CORRUPT", "COPY_MISSING");

export const check = async (job: CheckJob, open: OpenRepository, context: AgentContext): Promise<void> => {
  const namespaces = [...new Set(job.copies.map((copy) => copy.repository))];
  await mapTogether(
    namespaces,
    repositoriesAtATime,
    async (namespace, signal) => {
      const copies = job.copies.filter((copy) => copy.repository === namespace);
      const repository = await open(namespace);
      signal.throwIfAborted();
      context.say({ type: "step", title: `checking ${copies.length} copies of ${namespace}` });
      await checkRepository(
        repository,
        { copies, filesPercent: job.filesPercent, scratch: join(context.places.scratch, "databases", namespace) },
        context,
        signal,
      );
    },
    context.signal,
  );
};

interface RepositoryCheck {
  readonly copies: readonly CopyReference[];
  readonly filesPercent: number;
  /** Where databases are unpacked; this repository's alone. */
  readonly scratch: string;
}

/** Contents are verified by one kopia while another gives the trees. */
const checkRepository = async (
  repository: Repository,
  { copies, filesPercent, scratch }: RepositoryCheck,
  context: AgentContext,
  signal: AbortSignal,
): Promise<void> => {
  const verifying = brokenContents(repository, copies, filesPercent);
  const looking = (async (): Promise<readonly Evidence[]> => {
    const seen: Evidence[] = [];
    for (const copy of copies) {
      signal.throwIfAborted();
      seen.push(await evidenceOf(repository, copy, scratch));
    }
    return seen;
  })();
  const [broken, seen] = await Promise.all([verifying, looking]);
  for (const [index, copy] of copies.entries()) {
    const evidence = seen[index];
    if (evidence === undefined) continue;
    const problems = [...(broken.get(copy.snapshotId) ?? []), ...evidence.problems];
    context.say({
      type: "checked",
      volume: copy.volume,
      evidence: { ...evidence, problems, verdict: problems.length === 0 ? "verified" : "failed" },
    });
  }
};

/** All copies of a repository in one go; one by one only when something is wrong, to know with which. */
const brokenContents = async (
  repository: Repository,
  copies: readonly CopyReference[],
  filesPercent: number,
): Promise<ReadonlyMap<string, readonly string[]>> => {
  const broken = new Map<string, readonly string[]>();
  const problem = await verifyProblem(
    repository,
    copies.map((copy) => copy.snapshotId),
    filesPercent,
  );
  if (problem === undefined) return broken;
  if (copies.length === 1 && copies[0] !== undefined) return broken.set(copies[0].snapshotId, [problem]);
  for (const { snapshotId } of copies) {
    const own = await verifyProblem(repository, [snapshotId], filesPercent);
    if (own !== undefined) broken.set(snapshotId, [own]);
  }
  return broken;
};

const verifyProblem = async (
  repository: Repository,
  ids: readonly string[],
  filesPercent: number,
): Promise<string | undefined> => {
  try {
    await repository.verify(ids, filesPercent);
    return undefined;
  } catch (error) {
    if (!isFailure(error) || !aboutTheCopy(error)) throw error;
    return `${error.what} ${error.why ?? ""}`.trim();
  }
};

type Evidence = Omit<CopyEvidence, "time">;

const evidenceOf = async (repository: Repository, copy: CopyReference, scratch: string): Promise<Evidence> => {
  try {
    const snapshot = await repository.snapshot(copy.snapshotId);
    const entries: CopyEntry[] = [];
    for await (const entry of repository.entries(snapshot)) entries.push(entry);
    const databases = await checkDatabases(databaseCandidates(entries), readerOf(repository, entries), scratch);
    return {
      ...counts(copy, entries),
      databases: databases.checked,
      problems: [...sizeProblems(snapshot, entries), ...databases.problems],
      leftOut: leftOutOf(snapshot, entries),
    };
  } catch (error) {
    if (!aboutTheCopy(error)) throw error;
    return { ...counts(copy, []), databases: 0, problems: [messageOf(error)], leftOut: [] };
  }
};

const counts = (
  copy: CopyReference,
  entries: readonly CopyEntry[],
): Pick<Evidence, "snapshotId" | "verdict" | "files" | "directories" | "symlinks" | "bytes"> => {
  const of = (type: CopyEntry["type"]): number => entries.filter((entry) => entry.type === type).length;
  return {
    snapshotId: copy.snapshotId,
    verdict: "verified",
    files: of("file"),
    directories: of("directory"),
    symlinks: of("symlink"),
    bytes: entries.reduce((sum, entry) => sum + entry.size, 0),
  };
};

const sizeProblems = (snapshot: KopiaSnapshot, entries: readonly CopyEntry[]): readonly string[] => {
  const files = entries.filter((entry) => entry.type === "file");
  const bytes = files.reduce((sum, entry) => sum + entry.size, 0);
  return [
    ...(snapshot.incomplete === undefined ? [] : [`the copying was cut off: ${snapshot.incomplete}`]),
    ...entries
      .filter(({ path }) => isUnfinished(path))
      .map(({ path }) => `it was made in the middle of a restore: it holds ${path}`),
    ...(snapshot.failed === 0 ? [] : [`${snapshot.failed} entries could not be read when it was copied`]),
    ...(files.length === snapshot.files
      ? []
      : [`the tree has ${files.length} files, its record says ${snapshot.files}`]),
    ...(bytes === snapshot.bytes ? [] : [`the tree has ${bytes} bytes, its record says ${snapshot.bytes}`]),
  ];
};

const readerOf = (repository: Repository, entries: readonly CopyEntry[]): ReadFile => {
  const files = new Map(entries.filter((entry) => entry.type === "file").map((entry) => [entry.path, entry]));
  return (path) => {
    const entry = files.get(path);
    return entry === undefined ? undefined : repository.read(entry);
  };
};
