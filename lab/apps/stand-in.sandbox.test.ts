import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkChain } from "../seed/chain.ts";

const script = (name: string): string => new URL(name, import.meta.url).pathname;

/** What the image lab/app has: busybox and sqlite3, and nothing else on PATH. */
const installPrograms = (bin: string): void => {
  mkdirSync(bin);
  execFileSync("busybox", ["--install", "-s", bin]);
  copyFileSync(execFileSync("which", ["sqlite3"], { encoding: "utf8" }).trim(), join(bin, "sqlite3"));
};

let dir: string;
let children: ChildProcess[];
const at = (path: string): string => join(dir, path);

const seed = "media/sonarr";
const owner = { uid: 1000, gid: 1000 };

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "stand-in-"));
  chmodSync(dir, 0o755);
  children = [];
  installPrograms(at("bin"));
  for (const folder of ["config", "tmp"]) {
    mkdirSync(at(folder));
    chownSync(at(folder), owner.uid, owner.gid);
  }
  for (const name of ["stand-in.sh", "is-ready.sh", "segments.sh"]) copyFileSync(script(name), at(name));
});

afterEach(async () => {
  for (const child of children) await kill(child);
  rmSync(dir, { recursive: true });
});

const environment = (): Record<string, string> => ({
  PATH: at("bin"),
  HOME: at("tmp"),
  TMPDIR: at("tmp"),
  DATABASE: at("config/data folder/sonarr.db"),
  LOG_DATABASE: at("config/logs.db"),
  LOG: at("config/logs/sonarr.txt"),
  DATA: at("config/pgdata"),
  SEED: seed,
});
const database = (): string => at("config/data folder/sonarr.db");

/** In a process group of its own, so that a kill also ends sqlite3, as the end of a container does. */
const start = (name: string, user: object = owner): ChildProcess => {
  const child = spawn(at("bin/sh"), [at(name)], {
    env: environment(),
    stdio: ["ignore", "ignore", "pipe"],
    detached: true,
    ...user,
  });
  children.push(child);
  return child;
};

const kill = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const ended = once(child, "exit");
  process.kill(-child.pid, "SIGKILL");
  await ended;
};

const terminate = async (child: ChildProcess): Promise<void> => {
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  expect(await ended).toEqual([0, null]);
};

const isReady = (): boolean => {
  try {
    execFileSync(at("bin/sh"), [at("is-ready.sh")], { env: environment(), stdio: "ignore", ...owner });
    return true;
  } catch {
    return false;
  }
};

const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  const deadline = performance.now() + 15_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error("did not happen in 15 s");
    await sleep(50);
  }
};

const untilRow = (seq: number): Promise<void> =>
  until(async () => existsSync(database()) && (await checkChain(database(), { seed, live: true })).lastSeq >= seq);

describe("the stand-in for an SQLite app", () => {
  it("appends rows in WAL mode, says that it is ready, and writes its log", async () => {
    expect(isReady()).toBe(false);
    start("stand-in.sh");
    await untilRow(5);
    expect(isReady()).toBe(true);
    expect(existsSync(`${database()}-wal`)).toBe(true);
    expect(existsSync(at("config/logs.db"))).toBe(true);
    expect(readFileSync(at("config/logs/sonarr.txt"), "utf8")).toContain("started");
    expect(await checkChain(database(), { seed, live: true })).toMatchObject({ gaps: 0, integrity: "ok", ok: true });
  });

  it("ends on SIGTERM and leaves a closed database behind", async () => {
    const app = start("stand-in.sh");
    await untilRow(3);
    await terminate(app);
    expect(readdirSync(at("config/data folder"))).toEqual(["sonarr.db"]);
    expect(await checkChain(database(), { seed })).toMatchObject({ gaps: 0, ok: true });
  });

  it("continues the chain without a gap after kill -9", async () => {
    const app = start("stand-in.sh");
    await untilRow(4);
    await kill(app);
    const before = await checkChain(database(), { seed });
    expect(before).toMatchObject({ gaps: 0, ok: true });
    start("stand-in.sh");
    await untilRow(before.lastSeq + 3);
    expect(await checkChain(database(), { seed, live: true })).toMatchObject({ gaps: 0, ok: true });
  });

  it("continues from the last row of a database that was put back", async () => {
    const app = start("stand-in.sh");
    await untilRow(3);
    await terminate(app);
    copyFileSync(database(), at("copy.db"));
    const copied = await checkChain(at("copy.db"), { seed });
    const second = start("stand-in.sh");
    await untilRow(copied.lastSeq + 3);
    await terminate(second);
    execFileSync("cp", ["--no-target-directory", at("copy.db"), database()]);
    start("stand-in.sh");
    await untilRow(copied.lastSeq + 2);
    expect(await checkChain(database(), { seed, live: true })).toMatchObject({ gaps: 0, ok: true });
  });

  it("is not ready once its volume was wiped, and begins anew when started again", async () => {
    const app = start("stand-in.sh");
    await untilRow(3);
    for (const name of readdirSync(at("config"))) rmSync(at(`config/${name}`), { recursive: true });
    expect(isReady()).toBe(false);
    await terminate(app);
    start("stand-in.sh");
    await untilRow(2);
    expect(await checkChain(database(), { seed, live: true })).toMatchObject({ gaps: 0, ok: true });
  });

  it("ends with an error, and says why, when its database is damaged", async () => {
    const app = start("stand-in.sh");
    await untilRow(3);
    await terminate(app);
    writeFileSync(database(), Buffer.alloc(8192, 7));
    const second = start("stand-in.sh");
    let said = "";
    second.stderr?.on("data", (text: Buffer) => (said += text.toString()));
    const [code] = await once(second, "exit");
    expect(code).not.toBe(0);
    expect(said).toContain("not a database");
    expect(isReady()).toBe(false);
  });

  it("is not ready when rows are missing at the end of a truncated database", async () => {
    const app = start("stand-in.sh");
    await untilRow(3);
    await terminate(app);
    truncateSync(database(), 4096);
    expect(isReady()).toBe(false);
  });
});

describe("the stand-in for another database", () => {
  it("adds files, continues after the last one, and stops when asked", async () => {
    const numbers = (): number[] =>
      existsSync(at("config/pgdata/base")) ? readdirSync(at("config/pgdata/base")).map(Number) : [];
    const app = start("segments.sh", {});
    await until(() => numbers().includes(2));
    await terminate(app);
    const last = Math.max(...numbers());
    start("segments.sh", {});
    await until(() => numbers().includes(last + 1));
    const found = numbers().toSorted((one, other) => one - other);
    expect(found).toEqual(found.map((_, index) => index + 1));
  });
});
