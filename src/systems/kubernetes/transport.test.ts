import { connect as connectTo } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { isFailure } from "../../model/failure.ts";
import { KubernetesClient } from "./client.ts";
import type { TlsOptions } from "./credentials.ts";
import { failureOfConnection } from "./failures.ts";
import type { ClusterAccess } from "./kubeconfig.ts";
import { makeAuthority, type Authority, type Pair } from "./testing/certificates.ts";
import { accessTo, sendJson, startScriptedServer, type ScriptedServer } from "./testing/scripted-server.ts";
import { realWorld } from "./testing/world.ts";

describe("Transport's trust", () => {
  let authority: Authority;
  let other: Authority;
  let ours: Pair;
  let misnamed: Pair;
  let client: Pair;
  const ends: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    [authority, other] = await Promise.all([makeAuthority(), makeAuthority()]);
    ours = await authority.sign("server", "IP:127.0.0.1");
    misnamed = await authority.sign("server", "DNS:kubernetes.example");
    client = await authority.sign("jane", "DNS:jane");
  });
  afterAll(async () => {
    await Promise.all([authority.close(), other.close()]);
  });
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
  });

  const start = async (pair: Pair | undefined, more: object = {}): Promise<ScriptedServer> => {
    const server = await startScriptedServer(
      (_seen, response) => sendJson(response, { gitVersion: "v1.34.4" }),
      pair === undefined ? undefined : { ...pair, ...more },
    );
    ends.push(() => server.close());
    return server;
  };

  const versionFrom = async (
    address: string,
    tls: Partial<TlsOptions>,
    more: Partial<ClusterAccess> = {},
  ): Promise<string> => {
    const access = accessTo(address, () => ({ tls: { rejectUnauthorized: true, ...tls }, headers: {} }));
    const kubernetes = new KubernetesClient({ ...access, ...more }, realWorld);
    ends.push(() => kubernetes.close());
    try {
      return await kubernetes.version();
    } catch (error) {
      if (isFailure(error)) return error.code;
      throw error;
    }
  };

  it("takes a server whose certificate the given CA has signed", async () => {
    const server = await start(ours);
    expect(await versionFrom(server.address, { ca: authority.ca })).toBe("v1.34.4");
  });

  it("is untrusted when another CA, or none, was given", async () => {
    const server = await start(ours);
    expect(await versionFrom(server.address, { ca: other.ca })).toBe("KUBERNETES_UNTRUSTED");
    expect(await versionFrom(server.address, {})).toBe("KUBERNETES_UNTRUSTED");
  });

  it("is untrusted when the certificate is for another name, unless that name is expected", async () => {
    const server = await start(misnamed);
    expect(await versionFrom(server.address, { ca: authority.ca })).toBe("KUBERNETES_UNTRUSTED");
    const servername = "kubernetes.example";
    expect(await versionFrom(server.address, { ca: authority.ca, servername })).toBe("v1.34.4");
  });

  it("takes anyone when it is told not to verify", async () => {
    const server = await start(ours);
    expect(await versionFrom(server.address, { rejectUnauthorized: false })).toBe("v1.34.4");
  });

  it("shows its client certificate", async () => {
    const server = await start(ours, { ca: authority.ca, requestCert: true, rejectUnauthorized: true });
    expect(await versionFrom(server.address, { ca: authority.ca, ...client })).toBe("v1.34.4");
  });

  it("is unauthorized when the server's TLS rejects the client certificate", () => {
    const alert = Object.assign(new Error("alert"), { code: "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED" });
    const failure = failureOfConnection({ verb: "get", path: "/version" }, "host:6443", alert);
    expect(failure).toMatchObject({ code: "KUBERNETES_UNAUTHORIZED" });
  });

  it("blames the kubeconfig for certificates and keys that nobody can use", async () => {
    const server = await start(ours);
    expect(await versionFrom(server.address, { ca: authority.ca, cert: client.cert, key: ours.key })).toBe(
      "KUBECONFIG_INVALID",
    );
    expect(await versionFrom(server.address, { ca: authority.ca, cert: "nonsense", key: client.key })).toBe(
      "KUBECONFIG_INVALID",
    );
  });

  it("is unreachable when the server does not speak TLS", async () => {
    const server = await start(undefined);
    expect(await versionFrom(server.address.replace("http:", "https:"), {})).toBe("KUBERNETES_UNREACHABLE");
  });

  it("connects anew when its certificate changes", async () => {
    const server = await start(ours, { ca: authority.ca, requestCert: true, rejectUnauthorized: true });
    const renewed = await authority.sign("jane", "DNS:jane");
    let pair = client;
    const access = accessTo(server.address, () => ({
      tls: { ca: authority.ca, ...pair, rejectUnauthorized: true },
      headers: {},
    }));
    const kubernetes = new KubernetesClient(access, realWorld);
    ends.push(() => kubernetes.close());
    await kubernetes.version();
    const before = server.openSockets();
    pair = renewed;
    await kubernetes.version();
    expect(server.openSockets()).toBeLessThanOrEqual(before + 1);
    await kubernetes.close();
    await expect.poll(() => server.openSockets()).toBe(0);
  });

  it("goes through the proxy that the kubeconfig names", async () => {
    const server = await start(ours);
    const asked: string[] = [];
    const proxy = await startScriptedServer(() => undefined);
    ends.unshift(() => proxy.close());
    proxy.on("connect", (request, socket) => {
      asked.push(request.url ?? "");
      const onward = connectTo(server.port, "127.0.0.1", () => {
        socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
        socket.pipe(onward).pipe(socket);
      });
      socket.on("error", () => onward.destroy());
      onward.on("error", () => socket.destroy());
    });
    const version = await versionFrom(server.address, { ca: authority.ca }, { proxyUrl: proxy.address });
    expect(version).toBe("v1.34.4");
    expect(asked).toEqual([`127.0.0.1:${server.port}`]);
  });
});
