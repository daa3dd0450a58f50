import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import type { Failure } from "../../model/failure.ts";
import { failureOf } from "../../model/testing/failure-of.ts";
import { kubeconfigPaths, loadAccess, type KubeconfigOptions } from "./kubeconfig.ts";
import { jumpingClock } from "./testing/world.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "holdfast-kubeconfig-"));
});
afterEach(() => rm(folder, { recursive: true }));

const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** Writes a kubeconfig with one cluster, user and context of that name. */
const write = async (file: string, name: string, more: { cluster?: object; user?: object; top?: object } = {}) => {
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name, cluster: { server: `https://${name}:6443`, ...more.cluster } }],
    users: [{ name, user: { token: `token-of-${name}`, ...more.user } }],
    contexts: [{ name, context: { cluster: name, user: name, namespace: `ns-${name}` } }],
    "current-context": name,
    ...more.top,
  };
  const path = join(folder, file);
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, stringify(config));
  return path;
};

const load = (options: KubeconfigOptions, env: Record<string, string | undefined> = {}, more: object = {}) =>
  loadAccess(options, { env, cwd: folder, clock: jumpingClock(), serviceAccountRoot: join(folder, "sa"), ...more });

describe("which kubeconfig is used", () => {
  it("is the one of --kubeconfig before all others, relative to the working directory", async () => {
    await write("flag", "flag");
    const env = { KUBECONFIG: await write("env", "env"), HOME: folder };
    const access = await load({ kubeconfig: "flag" }, env);
    expect(access).toMatchObject({ server: "https://flag:6443", contextName: "flag", namespace: "ns-flag" });
  });

  it("are those of KUBECONFIG before the one in the home", async () => {
    await write(".kube/config", "home");
    expect((await load({}, { KUBECONFIG: await write("env", "env"), HOME: folder })).contextName).toBe("env");
    expect((await load({}, { KUBECONFIG: "", HOME: folder })).contextName).toBe("home");
    expect(kubeconfigPaths({}, { env: {}, cwd: folder, clock: jumpingClock() })).toEqual([]);
  });

  it("is the pod's service account when there is no file", async () => {
    await mkdir(join(folder, "sa"));
    await writeFile(join(folder, "sa/token"), "pod-token\n");
    await writeFile(join(folder, "sa/ca.crt"), "pod-ca");
    await writeFile(join(folder, "sa/namespace"), "media\n");
    const env = { KUBERNETES_SERVICE_HOST: "fd00::1", KUBERNETES_SERVICE_PORT: "443", HOME: folder };
    const access = await load({}, env);
    expect(access).toMatchObject({ server: "https://[fd00::1]:443", namespace: "media" });
    expect(await access.credentials()).toEqual({
      tls: { ca: "pod-ca", rejectUnauthorized: true },
      headers: { Authorization: "Bearer pod-token" },
    });
    await write(".kube/config", "home");
    expect((await load({}, env)).contextName).toBe("home");
  });

  it("is missing when there is none, and the failure says where it looked", async () => {
    const fromHome = await failureOf(load({}, { HOME: folder }));
    expect(fromHome.code).toBe("KUBECONFIG_MISSING");
    expect(fromHome.why).toContain(join(folder, ".kube/config"));
    const env = { KUBECONFIG: "/nowhere/a:/nowhere/b" };
    expect((await failureOf(load({}, env))).why).toBe("There is no /nowhere/a and no /nowhere/b.");
    expect((await failureOf(load({ kubeconfig: "absent" }))).why).toContain(join(folder, "absent"));
    expect((await failureOf(load({}))).why).toBe("KUBECONFIG and HOME are not set.");
  });
});

describe("merging", () => {
  it("lets the first file win that names something, and skips files that are not there", async () => {
    const first = await write("first", "a", {
      cluster: { server: "https://first-a:6443" },
      top: { "current-context": "" },
    });
    const second = await write("second", "a", {
      cluster: { server: "https://second-a:6443" },
      top: { "current-context": "b" },
    });
    const third = await write("third", "b", { top: { "current-context": "a" } });
    const KUBECONFIG = `/nowhere:${first}:${second}::${third}:${first}`;
    expect((await load({}, { KUBECONFIG })).server).toBe("https://b:6443");
    expect((await load({ contextName: "a" }, { KUBECONFIG })).server).toBe("https://first-a:6443");
  });

  it("takes an empty file as one that says nothing", async () => {
    await writeFile(join(folder, "empty"), "");
    const KUBECONFIG = `${join(folder, "empty")}:${await write("env", "env")}`;
    expect((await load({}, { KUBECONFIG })).contextName).toBe("env");
  });

  it("reads paths relative to the file that names them", async () => {
    await mkdir(join(folder, "deep"));
    for (const name of ["ca.pem", "cert.pem", "key.pem", "token"])
      await writeFile(join(folder, "deep", name), `the ${name}`);
    const user = { token: undefined, "client-certificate": "cert.pem", "client-key": "./key.pem", tokenFile: "token" };
    await write("deep/config", "a", { cluster: { "certificate-authority": "ca.pem" }, user });
    const access = await load({ kubeconfig: "deep/config" });
    expect(await access.credentials()).toEqual({
      tls: { ca: "the ca.pem", cert: "the cert.pem", key: "the key.pem", rejectUnauthorized: true },
      headers: { Authorization: "Bearer the token" },
    });
  });
});

describe("credentials", () => {
  it.each([
    ["a token", { token: "t" }, { Authorization: "Bearer t" }],
    ["a token that YAML takes for a number", { token: 12345 }, { Authorization: "Bearer 12345" }],
    [
      "a name and a password",
      { token: undefined, username: "jane", password: "pw" },
      { Authorization: `Basic ${base64("jane:pw")}` },
    ],
    [
      "impersonation",
      { token: "t", as: "jane", "as-groups": ["a", "b"], "as-uid": "1" },
      {
        Authorization: "Bearer t",
        "Impersonate-User": "jane",
        "Impersonate-Group": ["a", "b"],
        "Impersonate-Uid": "1",
      },
    ],
    ["nothing", { token: undefined }, {}],
  ])("are made of %s", async (_name, user, headers) => {
    await write("config", "a", { user });
    expect((await (await load({ kubeconfig: "config" })).credentials()).headers).toEqual(headers);
  });

  it("take what stands in the file before the file that it also names", async () => {
    const cluster = {
      "certificate-authority": "/nowhere",
      "certificate-authority-data": base64("ca"),
      "tls-server-name": "kubernetes",
      "insecure-skip-tls-verify": true,
    };
    const user = {
      "client-certificate": "/nowhere",
      "client-certificate-data": base64("cert"),
      "client-key-data": base64("key"),
    };
    await write("config", "a", { cluster, user });
    expect((await (await load({ kubeconfig: "config" })).credentials()).tls).toEqual({
      ca: "ca",
      cert: "cert",
      key: "key",
      servername: "kubernetes",
      rejectUnauthorized: false,
    });
  });

  it("are kept for a minute, and read again at once after a renewal", async () => {
    const clock = jumpingClock();
    await write("config", "a", { user: { token: "first" } });
    const access = await load({ kubeconfig: "config" }, {}, { clock });
    const token = async () => (await access.credentials()).headers["Authorization"];
    expect(await token()).toBe("Bearer first");
    await write("config", "a", { user: { token: "second" } });
    expect(await token()).toBe("Bearer first");
    access.renew();
    expect(await token()).toBe("Bearer second");
    await write("config", "a", { user: { token: "third" } });
    await clock.sleep(60_000);
    expect(await token()).toBe("Bearer third");
  });

  it("fail with the path when a file they name is not there", async () => {
    await write("config", "a", { user: { tokenFile: "gone" } });
    const failure = await failureOf((await load({ kubeconfig: "config" })).credentials());
    expect(failure.code).toBe("KUBECONFIG_INVALID");
    expect(failure.why).toContain(join(folder, "gone"));
  });
});

describe("an exec plugin", () => {
  const plugin = async (script: string, more: object = {}) => {
    const path = join(folder, "plugin.sh");
    await writeFile(path, `#!/bin/sh\n${script}\n`);
    await chmod(path, 0o755);
    const exec = { apiVersion: "client.authentication.k8s.io/v1", command: "./plugin.sh", args: ["arg"], ...more };
    await write("config", "a", { user: { token: undefined, exec } });
    return await load({ kubeconfig: "config" });
  };

  it("gives a token or a certificate, and is told what kubectl tells it", async () => {
    const status = { token: "from-plugin", clientCertificateData: "cert", clientKeyData: "key" };
    const credential = JSON.stringify({ kind: "ExecCredential", status });
    const env = [{ name: "EXTRA", value: "extra" }];
    const access = await plugin(`echo "$1 $EXTRA $KUBERNETES_EXEC_INFO" > ${folder}/told; echo '${credential}'`, {
      env,
    });
    expect(await access.credentials()).toEqual({
      tls: { cert: "cert", key: "key", rejectUnauthorized: true },
      headers: { Authorization: "Bearer from-plugin" },
    });
    const { readFile } = await import("node:fs/promises");
    const told = await readFile(join(folder, "told"), "utf8");
    expect(told).toMatch(/^arg extra \{.*"kind":"ExecCredential"/);
  });

  it("that fails makes us unauthorized, with what it said", async () => {
    const failure = await failureOf((await plugin("echo 'please log in' >&2; exit 1")).credentials());
    expect(failure.code).toBe("KUBERNETES_UNAUTHORIZED");
    expect(failure.why).toBe("please log in");
  });

  it("that prints nonsense is not quoted", async () => {
    const failure = await failureOf((await plugin("echo s3cr3t-token")).credentials());
    expect(failure.code).toBe("KUBERNETES_UNAUTHORIZED");
    expect([failure.what, failure.why, failure.todo, failure.cause].join()).not.toContain("s3cr3t");
  });

  it("that is not there makes the kubeconfig invalid", async () => {
    const failure = await failureOf((await plugin("", { command: "/nowhere/plugin" })).credentials());
    expect(failure.code).toBe("KUBECONFIG_INVALID");
    expect(failure.why).toContain("/nowhere/plugin");
  });
});

describe("an invalid kubeconfig", () => {
  const invalid = async (text: string, contextName?: string): Promise<Failure> => {
    await writeFile(join(folder, "config"), text);
    const failure = await failureOf(
      load({ kubeconfig: "config", ...(contextName === undefined ? {} : { contextName }) }),
    );
    expect(failure.code).toBe("KUBECONFIG_INVALID");
    return failure;
  };
  const config = (more: object): string =>
    stringify({
      clusters: [{ name: "a", cluster: { server: "https://a:6443" } }],
      users: [{ name: "a", user: {} }],
      contexts: [
        { name: "a", context: { cluster: "a", user: "a" } },
        { name: "b", context: { cluster: "nope", user: "a" } },
        { name: "c", context: { cluster: "a", user: "nope" } },
        { name: "d", context: { user: "a" } },
      ],
      "current-context": "a",
      ...more,
    });

  it("names the contexts that there are when the wanted one is not among them", async () => {
    const failure = await invalid(config({}), "home");
    expect(failure.what).toBe('The kubeconfig has no context "home".');
    expect(failure.why).toBe('Contexts in it: "a", "b", "c", "d".');
    expect((await invalid(config({ "current-context": "" }))).what).toContain("no current context");
    expect((await invalid("{}"), await invalid("")).why).toBe("Contexts in it: none.");
  });

  it("names the cluster or user that a context misses", async () => {
    expect((await invalid(config({}), "b")).why).toBe('Clusters in it: "a".');
    expect((await invalid(config({}), "c")).why).toBe('Users in it: "a".');
    expect((await invalid(config({}), "d")).what).toBe('Context "d" names no cluster.');
  });

  it.each([
    ["has no server", {}],
    ["is not an http(s) address", { server: "a:6443" }],
    ["is not an http(s) address", { server: "https://a", "proxy-url": "socks5://b:1" }],
  ])("says that the server or proxy %s", async (what, cluster) => {
    expect((await invalid(config({ clusters: [{ name: "a", cluster }] }))).what).toContain(what);
  });

  it("names the line of an error in the YAML, but never shows it", async () => {
    const failure = await invalid(`users:\n- name: a\n  user:\n    token: "s3cr3t\n  x: {`);
    expect(failure.why).toMatch(/^Line \d: /);
    expect([failure.what, failure.why, failure.todo, failure.cause].join()).not.toContain("s3cr3t");
  });

  it.each([
    ["- a\n- b\n", "is not a kubeconfig"],
    ["clusters: {}\n", '"clusters" is not a list'],
    ["users:\n- user: {}\n", "users[0] has no name"],
    ["contexts:\n- name: a\n  context: text\n", '"context" is not a map'],
    ["a: *nowhere\n", "is not valid YAML"],
  ])("says what is wrong with %j", async (text, what) => {
    expect((await invalid(text)).what).toContain(what);
  });

  it("says why a file cannot be read", async () => {
    const failure = await failureOf(load({ kubeconfig: "." }));
    expect(failure.code).toBe("KUBECONFIG_INVALID");
    expect(failure.why).toContain("EISDIR");
  });
});
