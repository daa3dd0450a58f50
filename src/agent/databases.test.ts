import {
  closeSync,
  copyFileSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import sqlite from "node-sqlite3-wasm";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TreeEntry } from "../model/tree.ts";
import { checkDatabases, databaseCandidates, type ReadFile } from "./databases.ts";
import { agentBench, type Bench } from "./testing/bench.ts";

let bench: Bench;
let root = "";
let scratch = "";
beforeEach(() => {
  bench = agentBench();
  root = bench.volume("a");
  scratch = join(bench.context.places.scratch, "databases");
});
afterEach(() => rmSync(bench.base, { recursive: true, force: true }));

const pageSize = 4096;

/** A database of some twenty pages. */
const aDatabase = (name: string): string => {
  const file = join(root, name);
  const database = new sqlite.Database(file);
  database.exec("CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT)");
  database.exec("CREATE INDEX i ON t (text)");
  database.exec(
    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 500) INSERT INTO t SELECT x, hex(randomblob(50)) FROM n",
  );
  database.close();
  return file;
};

const overwrite = (file: string, position: number, bytes: Uint8Array): void => {
  const handle = openSync(file, "r+");
  writeSync(handle, bytes, 0, bytes.length, position);
  closeSync(handle);
};

const entries = (): readonly TreeEntry[] =>
  readdirSync(root)
    .toSorted()
    .map((path) => ({
      path,
      type: "file",
      mode: 0o644,
      uid: 0,
      gid: 0,
      size: statSync(join(root, path)).size,
      mtime: 0n,
    }));

/** In two pieces, as a copy's content may come. */
const read: ReadFile = (path) => {
  if (!existsSync(join(root, path))) return undefined;
  const content = readFileSync(join(root, path));
  return (async function* () {
    yield content.subarray(0, 5);
    yield content.subarray(5);
  })();
};

const check = () => checkDatabases(databaseCandidates(entries()), read, scratch);

describe("databaseCandidates", () => {
  const entry = (path: string, size = 1, type: TreeEntry["type"] = "file"): TreeEntry => ({
    path,
    type,
    size,
    mode: 0,
    uid: 0,
    gid: 0,
    mtime: 0n,
  });
  const paths = (...all: TreeEntry[]) => databaseCandidates(all).map(({ path }) => path);

  it("are files with a database's name, whatever its case", () => {
    expect(
      paths(
        entry("a.db"),
        entry("d/b.SQLite3"),
        entry("c.sqlite"),
        entry("x.txt"),
        entry("db"),
        entry("a.db-wal"),
        entry("z.db.bak"),
      ),
    ).toEqual(["a.db", "d/b.SQLite3", "c.sqlite"]);
  });

  it("are files of any name that a write-ahead log lies beside", () => {
    expect(paths(entry("state"), entry("state-wal", 0), entry("d/state"))).toEqual(["state"]);
  });

  it("are neither empty files nor directories nor links", () => {
    expect(
      paths(
        entry("a.db", 0),
        entry("b.db", 0, "directory"),
        entry("c.db", 0, "symlink"),
        entry("d.db", 1, "directory"),
      ),
    ).toEqual([]);
  });
});

describe("checkDatabases", () => {
  it("finds whole databases whole and leaves nothing in the scratch directory", async () => {
    aDatabase("a.db");
    aDatabase("b.sqlite3");
    expect(await check()).toEqual({ checked: 2, problems: [] });
    expect(existsSync(scratch)).toBe(false);
  });

  it("tells that a page is damaged, and still checks the others", async () => {
    overwrite(aDatabase("bad.db"), 3 * pageSize, new Uint8Array(pageSize).fill(0xa5));
    aDatabase("good.db");
    const result = await check();
    expect(result.checked).toBe(2);
    expect(result.problems).toEqual([expect.stringMatching(/^the SQLite file bad\.db is damaged: ./)]);
  });

  it("tells that a database is cut short", async () => {
    const file = aDatabase("short.db");
    writeFileSync(file, readFileSync(file).subarray(0, 5 * pageSize));
    expect((await check()).problems).toHaveLength(1);
  });

  it("tells that the schema cannot be read, which makes the check itself fail", async () => {
    overwrite(aDatabase("bad.db"), 100, new Uint8Array(pageSize - 100).fill(0xff));
    expect((await check()).problems).toHaveLength(1);
  });

  it("skips a file that only has a database's name, and one that is too short for one", async () => {
    writeFileSync(join(root, "Thumbs.db"), "\xd0\xcf\x11\xe0 something of Windows");
    writeFileSync(join(root, "tiny.db"), "SQLite");
    expect(await check()).toEqual({ checked: 0, problems: [] });
  });

  it("reads what was committed only to the write-ahead log, and finds damage that is only in there", async () => {
    const { main, log } = logOnly();
    writeFileSync(join(root, "w.db"), main);
    writeFileSync(join(root, "w.db-wal"), log);
    expect(await check()).toEqual({ checked: 1, problems: [] });
    expect(existsSync(join(root, "w.db-shm"))).toBe(false);
    // Without its log the same database is another one: the log's pages are what makes the difference.
    writeFileSync(join(root, "w.db-wal"), damagedLog(log));
    expect((await check()).problems).toHaveLength(1);
  });

  it("never writes to the files it checks", async () => {
    const { main, log } = logOnly();
    writeFileSync(join(root, "w.db"), main);
    writeFileSync(join(root, "w.db-wal"), log);
    await check();
    expect(readFileSync(join(root, "w.db")).equals(main)).toBe(true);
    expect(readFileSync(join(root, "w.db-wal")).equals(log)).toBe(true);
  });
});

/** A database in WAL mode, copied while it is open: its rows are only in the log. */
const logOnly = (): { readonly main: Buffer; readonly log: Buffer } => {
  const file = join(bench.base, "wal-source");
  const database = new sqlite.Database(file);
  database.exec("PRAGMA locking_mode=EXCLUSIVE");
  database.exec("PRAGMA journal_mode=WAL");
  database.exec("PRAGMA wal_autocheckpoint=0");
  database.exec("CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT)");
  database.exec(
    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 500) INSERT INTO t SELECT x, hex(randomblob(50)) FROM n",
  );
  for (const end of ["", "-wal"]) copyFileSync(`${file}${end}`, `${file}-copy${end}`);
  database.close();
  return { main: readFileSync(`${file}-copy`), log: readFileSync(`${file}-copy-wal`) };
};

/** The log with garbage in the pages of its last frames and checksums that fit again, as a broken program would write it. */
const damagedLog = (log: Buffer): Buffer => {
  const result = Buffer.from(log);
  const frame = 24 + pageSize;
  const big = (result.readUInt32BE(0) & 1) === 1;
  const word = (at: number): number => (big ? result.readUInt32BE(at) : result.readUInt32LE(at));
  let [one, two] = [result.readUInt32BE(24), result.readUInt32BE(28)];
  const sum = (from: number, length: number): void => {
    for (let at = from; at < from + length; at += 8) {
      one = (one + word(at) + two) >>> 0;
      two = (two + word(at + 4) + one) >>> 0;
    }
  };
  for (let at = 32; at + frame <= result.length; at += frame) {
    if (result.readUInt32BE(at) > 2) result.fill(0xa5, at + 24 + 8, at + frame);
    sum(at, 8);
    sum(at + 24, pageSize);
    result.writeUInt32BE(one, at + 16);
    result.writeUInt32BE(two, at + 20);
  }
  return result;
};
