/**
 * The chain of rows that the apps' stand-ins append to their databases. Row n holds
 * hash(n) = sha3-256(hash(n-1) + ":" + n) in hex, with hash(0) = sha3-256(seed), so a lost, changed or repeated row shows.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";

export interface ChainRow {
  readonly seq: number;
  readonly prev: string;
  readonly hash: string;
}

export interface ChainLinks {
  readonly rows: number;
  /** Places where a row is missing, or where a hash does not follow from the row before it. */
  readonly gaps: number;
  /** 0 when there are no rows. */
  readonly lastSeq: number;
}

export interface ChainChecked extends ChainLinks {
  /** What `PRAGMA integrity_check` says, or why the database cannot be read; "ok" when it is sound. */
  readonly integrity: string;
  /** Sound, not empty, and without gaps. */
  readonly ok: boolean;
}

const sha3 = (text: string): string => createHash("sha3-256").update(text).digest("hex");

/** hash(n) from hash(n-1). */
export const nextHash = (previous: string, seq: number): string => sha3(`${previous}:${seq}`);

/** hash(0). */
export const firstHash = (seed: string): string => sha3(seed);

/** Rows in ascending order. Without a seed the first row's `prev` is believed. */
export const followChain = (rows: readonly ChainRow[], seed?: string): ChainLinks => {
  let gaps = 0;
  let last: ChainRow = { seq: 0, prev: "", hash: seed === undefined ? (rows[0]?.prev ?? "") : firstHash(seed) };
  for (const row of rows) {
    const follows = row.seq === last.seq + 1 && row.prev === last.hash && row.hash === nextHash(row.prev, row.seq);
    if (!follows) gaps += 1;
    last = row;
  }
  return { rows: rows.length, gaps, lastSeq: last.seq };
};

const execute = promisify(execFile);

/** A command line that runs the words behind it as somebody else; none to run them as this process. */
type As = readonly string[];

const query = async (database: string, sql: string, as: As): Promise<string> => {
  const [file, ...words] = [...as, "sqlite3", "-batch", "-noheader", "-list", database, ".timeout 5000", sql];
  const { stdout } = await execute(file, words, { maxBuffer: 1 << 30 });
  return stdout.trimEnd();
};

const toRow = (line: string): ChainRow => {
  const [seq = "", prev = "", hash = ""] = line.split("|");
  return { seq: Number(seq), prev, hash };
};

const readChain = async (database: string, seed: string | undefined, as: As): Promise<ChainChecked> => {
  const integrity = await query(database, "PRAGMA integrity_check", as);
  const output = await query(database, "SELECT seq, prev, hash FROM chain ORDER BY seq", as);
  const links = followChain(output === "" ? [] : output.split("\n").map(toRow), seed);
  return { ...links, integrity, ok: integrity === "ok" && links.gaps === 0 && links.rows > 0 };
};

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === "ENOENT";

/** Copies a database and its write-ahead log; opening the copy recovers it as the app would, and leaves the original alone. */
const copyDatabase = async (database: string, into: string): Promise<string> => {
  const copy = join(into, basename(database));
  await cp(database, copy);
  try {
    await cp(`${database}-wal`, `${copy}-wal`);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  return copy;
};

/**
 * As the owner of a database, though in folders that only root may enter. A reader may be the one who makes the files
 * beside a database in WAL mode: as root it makes them first and gives them to the owner then, and an app that starts in
 * between finds its database read-only.
 */
const asOwnerOf = async (database: string): Promise<As> => {
  if (process.getuid?.() !== 0) return [];
  const { uid, gid } = await stat(database);
  const reads = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"];
  return ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", ...reads, "--"];
};

const unreadable = (error: unknown): ChainChecked => ({
  rows: 0,
  gaps: 0,
  lastSeq: 0,
  integrity: (error as { stderr?: string }).stderr?.trim() ?? String(error),
  ok: false,
});

const readLive = async (database: string, seed: string | undefined): Promise<ChainChecked> => {
  try {
    return await readChain(`file:${encodeURI(database)}?mode=ro`, seed, await asOwnerOf(database));
  } catch (error) {
    return unreadable(error);
  }
};

export interface ChainOptions {
  /** The app's seed: then the first row is checked as well. */
  readonly seed?: string;
  /** The app is writing: reads the database in place, since files copied one after the other would not fit together. */
  readonly live?: boolean;
}

/** Checks an app's database: SQLite's own integrity, and the chain. Throws only when there is nothing to copy of one that is not live. */
export const checkChain = async (database: string, options: ChainOptions = {}): Promise<ChainChecked> => {
  if (options.live === true) return readLive(database, options.seed);
  const dir = await mkdtemp(join(tmpdir(), "chain-"));
  try {
    return await readChain(await copyDatabase(database, dir), options.seed, []).catch(unreadable);
  } finally {
    await rm(dir, { recursive: true });
  }
};
