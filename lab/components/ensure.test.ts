import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { buffer } from "node:stream/consumers";
import { pack } from "tar-stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { silentReport } from "../shell/report.ts";
import type { Build } from "./build.ts";
import { cachedPath } from "./cache.ts";
import { type ComponentName, readCatalogue } from "./catalogue.ts";
import { type ComponentRecord, ensureComponents, type EnsureOptions } from "./ensure.ts";

const catalogue = readCatalogue("amd64");
const component = (name: ComponentName) => catalogue.get(name)!;
const sha256 = (data: string | Buffer): string => createHash("sha256").update(data).digest("hex");

let dir = "";
let server: Server | undefined;
let records: ComponentRecord[] = [];
let asked: string[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "ensure-"));
  records = [];
  asked = [];
});
afterEach(() => {
  server?.close();
  server?.closeAllConnections();
  server = undefined;
  rmSync(dir, { recursive: true });
});

/** Serves the given paths; everything else is not found. */
const serve = async (files: Readonly<Record<string, string | Buffer>>, status = 404): Promise<string> => {
  server = createServer((request, response) => {
    asked.push(request.url ?? "");
    const content = files[request.url ?? ""];
    if (content === undefined) response.writeHead(status).end();
    else response.end(content);
  });
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

const refused = "http://127.0.0.1:1";
const fakeBuild: Build = async ({ name }, { target }) => writeFileSync(target, `built ${name}`);

const options = (more: Partial<EnsureOptions> & { site?: string } = {}): EnsureOptions => {
  const { site = refused, ...rest } = more;
  return {
    report: silentReport,
    cacheDir: dir,
    onRecord: (record) => records.push(record),
    env: { PATH: "" },
    sites: { kubernetes: site, github: site },
    catalogue,
    build: fakeBuild,
    ...rest,
  };
};

const how = (): Record<string, string> => Object.fromEntries(records.map((record) => [record.name, record.how]));

const tarball = async (files: Readonly<Record<string, string>>): Promise<Buffer> => {
  const tar = pack();
  for (const [name, content] of Object.entries(files)) tar.entry({ name }, content);
  tar.finalize();
  return gzipSync(await buffer(tar));
};

const kubectl = "/v1.34.4/bin/linux/amd64/kubectl";

describe("a component", () => {
  it("is taken from PATH only in exactly the pinned version", async () => {
    const install = (name: string, says: string): void => {
      writeFileSync(join(dir, name), `#!/bin/sh\necho '${says}'\n`);
      chmodSync(join(dir, name), 0o755);
    };
    install("kubectl", "Client Version: v1.34.4");
    install("etcd", "etcd Version: 3.4.27");
    const paths = await ensureComponents(["etcd", "kubectl"], options({ env: { PATH: `/nowhere:${dir}:/bin` } }));
    expect(how()).toEqual({ kubectl: "path", etcd: "build" });
    expect(paths.get("kubectl")).toBe(join(dir, "kubectl"));
  });

  it("is built once and then comes from the cache", async () => {
    const first = await ensureComponents(["kopia", "kube-apiserver"], options());
    expect(records.map(({ name }) => name)).toEqual(["kube-apiserver", "kopia"]);
    expect(how()).toEqual({ "kube-apiserver": "build", kopia: "build" });
    const program = first.get("kopia")!;
    expect(program).toBe(cachedPath(dir, component("kopia")));
    expect(readFileSync(program, "utf8")).toBe("built kopia");
    expect(statSync(program).mode & 0o777).toBe(0o755);
    expect(await ensureComponents(["kopia", "kube-apiserver"], options())).toEqual(first);
    expect(how()).toEqual({ "kube-apiserver": "cache", kopia: "cache" });
  });

  it("is built once when two runs want it at the same time", async () => {
    let builds = 0;
    const build: Build = async (wanted, target) => {
      builds += 1;
      await sleep(30);
      await fakeBuild(wanted, target);
    };
    await Promise.all([
      ensureComponents(["kopia", "minio"], options({ build })),
      ensureComponents(["kopia", "minio"], options({ build })),
    ]);
    expect(builds).toBe(2);
    expect(records.map((record) => record.how).toSorted()).toEqual(["build", "build", "cache", "cache"]);
  });

  it("leaves nothing half-made behind when its build fails, and what an earlier run left is cleared", async () => {
    const folder = dirname(cachedPath(dir, component("kopia")));
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "kopia.draft-1"), "half");
    const build: Build = async (_wanted, { target }) => {
      writeFileSync(target, "half");
      throw new Error("no memory");
    };
    await expect(ensureComponents(["kopia"], options({ build }))).rejects.toThrow("no memory");
    expect(readdirSync(folder)).toEqual([]);
  });

  it("is downloaded where that is possible", async () => {
    const site = await serve({ [kubectl]: "official", [`${kubectl}.sha256`]: sha256("official") });
    const paths = await ensureComponents(["kubectl"], options({ site }));
    expect(how()).toEqual({ kubectl: "download" });
    expect(readFileSync(paths.get("kubectl")!, "utf8")).toBe("official");
  });

  it("comes out of a release archive that is fetched once for all its programs", async () => {
    const top = "etcd-v3.6.16-linux-amd64";
    const big = "the server ".repeat(100_000);
    const archive = await tarball({
      [`${top}/README`]: "x",
      [`${top}/etcd`]: big,
      [`${top}/etcdctl`]: "the client",
    });
    const release = "/etcd-io/etcd/releases/download/v3.6.16";
    const list = `${"0".repeat(64)}  other.tar.gz\n${sha256(archive)}  ${top}.tar.gz\n`;
    const site = await serve({ [`${release}/SHA256SUMS`]: list, [`${release}/${top}.tar.gz`]: archive });
    const paths = await ensureComponents(["etcd", "etcdctl"], options({ site }));
    expect(readFileSync(paths.get("etcd")!, "utf8")).toBe(big);
    expect(readFileSync(paths.get("etcdctl")!, "utf8")).toBe("the client");
    expect(asked).toHaveLength(2);
  });

  it("is not taken from a damaged archive, even when its checksum is right", async () => {
    const archive = (await tarball({ coredns: "x".repeat(10_000) })).subarray(0, 40);
    const path = "/coredns/coredns/releases/download/v1.15.0/coredns_1.15.0_linux_amd64.tgz";
    const site = await serve({ [path]: archive, [`${path}.sha256`]: sha256(archive) });
    await expect(ensureComponents(["coredns"], options({ site }))).rejects.toThrow("unexpected end of file");
    expect(readdirSync(dirname(cachedPath(dir, component("coredns"))))).toEqual([]);
  });

  it("with another checksum than the published one is an error, and nothing of it is kept", async () => {
    const site = await serve({ [kubectl]: "tampered", [`${kubectl}.sha256`]: sha256("official") });
    await expect(ensureComponents(["kubectl"], options({ site }))).rejects.toThrow(
      /does not have its published checksum.*HOLDFAST_LAB_DOWNLOAD=0/s,
    );
    expect(readdirSync(dirname(cachedPath(dir, component("kubectl"))))).toEqual([]);
  });

  it("is built when the site lacks it, refuses, or cannot be reached", async () => {
    await ensureComponents(["kubectl"], options({ site: await serve({}) }));
    expect(how()).toEqual({ kubectl: "build" });
    await ensureComponents(["kubelet"], options());
    expect(how()).toEqual({ kubectl: "build", kubelet: "build" });
  });

  it("does not make the run ask a site again that refused once", async () => {
    const site = await serve({}, 403);
    await ensureComponents(["kubectl", "kubelet", "kube-proxy"], options({ site }));
    expect(asked).toHaveLength(1);
  });

  it("is not downloaded when that is switched off", async () => {
    const site = await serve({ [kubectl]: "official", [`${kubectl}.sha256`]: sha256("official") });
    await ensureComponents(["kubectl"], options({ site, env: { PATH: "", HOLDFAST_LAB_DOWNLOAD: "0" } }));
    expect(how()).toEqual({ kubectl: "build" });
    expect(asked).toEqual([]);
    expect(existsSync(cachedPath(dir, component("kubectl")))).toBe(true);
  });
});
