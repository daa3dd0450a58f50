/** The stand-in as a program with TLS, used by a client that others wrote: pytruenas, unchanged, from its registry. */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createAuthority, issue } from "../../components/pki.ts";
import { checkout, openLab } from "../../lab.ts";
import { run } from "../../shell/run.ts";
import { openTestSite, type TestSite, testKey } from "./testing/site.ts";

const fileBeside = (name: string): string => fileURLToPath(new URL(`testing/${name}`, import.meta.url));

/** A Python with exactly the packages of pytruenas.txt, made once for each such list. */
const pythonWithClient = async (): Promise<string> => {
  const pins = fileBeside("pytruenas.txt");
  const { cacheDir } = openLab("none");
  const name = createHash("sha256").update(readFileSync(pins)).digest("hex").slice(0, 12);
  const venv = join(cacheDir, "python", `pytruenas-${name}`);
  if (!existsSync(join(venv, "ready"))) {
    mkdirSync(join(cacheDir, "python"), { recursive: true });
    // One process makes it under a name of its own; whoever comes second takes what is there.
    const draft = `${venv}.${process.pid}`;
    await run("python3", ["-m", "venv", draft]);
    await run(join(draft, "bin", "python"), ["-m", "pip", "install", "--quiet", "--no-deps", "-r", pins]);
    writeFileSync(join(draft, "ready"), "");
    if (existsSync(join(venv, "ready"))) rmSync(draft, { recursive: true });
    else renameSync(draft, venv);
  }
  return join(venv, "bin", "python");
};

let site: TestSite;
let python: string;
let program: ChildProcess | undefined;
beforeAll(async () => {
  [site, python] = await Promise.all([openTestSite(), pythonWithClient()]);
});
afterAll(async () => {
  program?.kill("SIGKILL");
  await site?.close();
});

/** Starts the program and gives its https port as soon as it says that it is ready. */
const startProgram = async (certFile: string, keyFile: string) => {
  const https = { host: "127.0.0.1", port: 0, certFile, keyFile };
  const { http: _http, ...config } = site.config("25.10.1", { https });
  const file = join(site.dir, "stand-in.json");
  writeFileSync(file, JSON.stringify(config));
  const child = spawn(process.execPath, ["--import", "tsx", join("lab/nas/truenas/main.ts"), "--config", file], {
    cwd: checkout,
    stdio: ["ignore", "pipe", "inherit"],
  });
  program = child;
  for await (const line of createInterface(child.stdout)) {
    const port = /ready: https 127\.0\.0\.1:(\d+)/.exec(line)?.[1];
    if (port !== undefined) return { child, port };
    throw new Error(line);
  }
  throw new Error("the program ended before it was ready");
};

it("serves pytruenas, which knows nothing of it", async () => {
  const authority = await createAuthority(site.dir, "Test CA");
  const pair = await issue(authority, site.dir, {
    name: "nas",
    subject: { CN: "localhost" },
    ips: ["127.0.0.1"],
    usages: "server",
  });
  const { child, port } = await startProgram(pair.crt, pair.key);
  const words = [fileBeside("use-pytruenas.py"), `wss://127.0.0.1:${port}`, authority.crt, testKey(1)];
  const { stdout } = await run(python, words);
  expect(JSON.parse(stdout)).toEqual({
    version: "TrueNAS-25.10.1",
    me: "admin",
    ping: "pong",
    created: "tank/k8s/nfs/v/py",
    datasets: ["tank/k8s/nfs/v", "tank/k8s/nfs/v/py"],
    snapshot: "tank/k8s/nfs/v/py@one",
    year: new Date().getFullYear(),
    cloned: true,
    refused: expect.stringContaining("has dependent clones: tank/k8s/nfs/v/clone") as string,
    errno: 14,
    deleted: [true, true, true],
    stranger: expect.any(String) as string,
  });
  child.kill("SIGTERM");
  expect(await once(child, "exit")).toEqual([0, null]);
});
