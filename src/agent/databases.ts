/** Checks SQLite files: of a copy before it is trusted, of a restored volume before its app starts. */
import { createWriteStream } from "node:fs";
import { mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { messageOf } from "../model/failure.ts";
import type { TreeEntry } from "../model/tree.ts";

/** Gives a file's content; undefined when the tree has no such path. */
export type ReadFile = (path: string) => AsyncIterable<Uint8Array> | undefined;

export interface DatabaseResult {
  readonly checked: number;
  /** What is wrong, by file. */
  readonly problems: readonly string[];
}

const names = /\.(?:db|db3|sqlite|sqlite3|s3db)$/i;
const magic = "SQLite format 3\u0000";
/** Files that belong to a database: what was committed lately may be only in there. */
const companions = ["-wal", "-journal"] as const;

/** Files that are SQLite databases by their name, or because a write-ahead log lies beside them. */
export const databaseCandidates = (entries: readonly TreeEntry[]): readonly TreeEntry[] => {
  const paths = new Set(entries.map((entry) => entry.path));
  return entries.filter(
    (entry) => entry.type === "file" && entry.size > 0 && (names.test(entry.path) || paths.has(`${entry.path}-wal`)),
  );
};

/** Copies each database with its log to `scratch` and checks it there: checking in place would write to it. */
export const checkDatabases = async (
  candidates: readonly TreeEntry[],
  read: ReadFile,
  scratch: string,
): Promise<DatabaseResult> => {
  const problems: string[] = [];
  let checked = 0;
  for (const { path } of candidates) {
    const file = join(scratch, "database");
    await rm(scratch, { recursive: true, force: true });
    await mkdir(scratch, { recursive: true, mode: 0o700 });
    await copyOut(read(path), file);
    if (!(await isDatabase(file))) continue;
    for (const companion of companions) await copyOut(read(`${path}${companion}`), `${file}${companion}`);
    checked += 1;
    const problem = await integrityProblem(file);
    if (problem !== undefined) problems.push(`the SQLite file ${path} is damaged: ${problem}`);
  }
  await rm(scratch, { recursive: true, force: true });
  return { checked, problems };
};

const copyOut = async (content: AsyncIterable<Uint8Array> | undefined, file: string): Promise<void> => {
  if (content !== undefined) await pipeline(Readable.from(content), createWriteStream(file, { mode: 0o600 }));
};

const isDatabase = async (file: string): Promise<boolean> => {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(magic.length), 0, magic.length, 0);
    return bytesRead === magic.length && buffer.toString("latin1") === magic;
  } finally {
    await handle.close();
  }
};

/** What SQLite says is wrong with a file of our own; undefined when it is whole. May throw nothing. */
const integrityProblem = async (file: string): Promise<string | undefined> => {
  const { Database } = (await import("node-sqlite3-wasm")).default;
  try {
    const database = new Database(file);
    try {
      // Without shared memory a database in WAL mode opens only for one exclusive user.
      database.exec("PRAGMA locking_mode=EXCLUSIVE");
      const rows = database.all("PRAGMA integrity_check(3)") as readonly { readonly integrity_check?: string }[];
      const text = rows.map((row) => row.integrity_check ?? "").join("; ");
      return text === "ok" ? undefined : text;
    } finally {
      database.close();
    }
  } catch (error) {
    // A damaged file can make the check itself fail: that is an answer too.
    return messageOf(error);
  }
};
