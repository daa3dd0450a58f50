import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assert, integer, nat, pre, property } from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ChainRow, checkChain, firstHash, followChain, nextHash } from "./chain.ts";

const seed = "seed";

const chain = (length: number): ChainRow[] => {
  const rows: ChainRow[] = [];
  let prev = firstHash(seed);
  for (let seq = 1; seq <= length; seq++) {
    const hash = nextHash(prev, seq);
    rows.push({ seq, prev, hash });
    prev = hash;
  }
  return rows;
};

describe("followChain", () => {
  it("finds no gap in a whole chain", () => {
    expect(followChain(chain(50), seed)).toEqual({ rows: 50, gaps: 0, lastSeq: 50 });
  });

  it("finds a gap wherever one row is missing, except the last", () => {
    assert(
      property(integer({ min: 2, max: 30 }), nat(28), (length, at) => {
        pre(at < length - 1);
        const rows = chain(length);
        rows.splice(at, 1);
        expect(followChain(rows, seed).gaps).toBe(1);
      }),
    );
  });

  it("finds a changed hash, in the row itself and in the next", () => {
    const rows = chain(5);
    rows[2] = { ...rows[2]!, hash: "0".repeat(64) };
    expect(followChain(rows, seed).gaps).toBe(2);
  });

  it("finds a chain that began with another seed", () => {
    expect(followChain(chain(3), "other").gaps).toBe(1);
  });

  it("counts no rows", () => {
    expect(followChain([], seed)).toEqual({ rows: 0, gaps: 0, lastSeq: 0 });
  });
});

const hasSqlite = (): boolean => {
  try {
    execFileSync("sqlite3", ["--version"]);
    return true;
  } catch {
    return false;
  }
};

describe.skipIf(!hasSqlite())("checkChain", () => {
  let dir: string;
  let database: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "chain-test-"));
    database = join(dir, "app.db");
  });
  afterEach(() => {
    rmSync(dir, { recursive: true });
  });

  const write = (rows: readonly ChainRow[]): void => {
    const values = rows.map(({ seq, prev, hash }) => `INSERT INTO chain VALUES (${seq}, '${prev}', '${hash}', '');`);
    const sql = [
      "PRAGMA journal_mode = WAL;",
      "CREATE TABLE chain(seq INTEGER PRIMARY KEY, prev TEXT, hash TEXT, at TEXT);",
      ...values,
    ];
    execFileSync("sqlite3", [database], { input: sql.join("\n") });
  };

  it("finds the same hashes as SQLite's sha3", async () => {
    const sql = `SELECT lower(hex(sha3('${firstHash(seed)}:1', 256)))`;
    expect(execFileSync("sqlite3", [":memory:", sql], { encoding: "utf8" }).trim()).toBe(nextHash(firstHash(seed), 1));
  });

  it("accepts a whole database", async () => {
    write(chain(20));
    expect(await checkChain(database, { seed })).toEqual({ rows: 20, gaps: 0, lastSeq: 20, integrity: "ok", ok: true });
    expect(await checkChain(database, { seed, live: true })).toMatchObject({ rows: 20, ok: true });
  });

  it("refuses one with a gap, and an empty one", async () => {
    write(chain(20).filter(({ seq }) => seq !== 7));
    expect(await checkChain(database, { seed })).toMatchObject({ rows: 19, gaps: 1, integrity: "ok", ok: false });
    rmSync(database);
    write([]);
    expect(await checkChain(database, { seed })).toMatchObject({ rows: 0, ok: false });
  });

  it("says what is wrong with a damaged file", async () => {
    write(chain(200));
    truncateSync(database, 8192 + 1000);
    const checked = await checkChain(database, { seed });
    expect(checked.ok).toBe(false);
    expect(checked.integrity).not.toBe("ok");
  });

  it("throws when there is no such file", async () => {
    await expect(checkChain(join(dir, "nothing.db"))).rejects.toThrow("ENOENT");
    // An app may run on after its volume was wiped.
    const live = await checkChain(join(dir, "nothing.db"), { live: true });
    expect(live).toMatchObject({ ok: false, integrity: expect.stringContaining("ENOENT") as string });
  });
});
