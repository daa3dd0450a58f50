import { afterEach, describe, expect, it } from "vitest";
import type { Failure } from "../../model/failure.ts";
import { failureOf } from "../../model/testing/failure-of.ts";
import { KubernetesClient, type ClientOptions } from "./client.ts";
import type { Credentials } from "./credentials.ts";
import type { KubeObject } from "./port.ts";
import { resources } from "./resources.ts";
import {
  accessTo,
  sendJson,
  sendStatus,
  startScriptedServer,
  type Script,
  type ScriptedServer,
} from "./testing/scripted-server.ts";
import { realWorld } from "./testing/world.ts";

const { backups, configMaps, pods } = resources;
const secret = "s3cr3t-token";
const plain = (renewals: number): Credentials => ({
  tls: { rejectUnauthorized: true },
  headers: { Authorization: `Bearer ${secret}-${renewals}`, "Impersonate-Group": ["a", "b"] },
});

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

const start = async (script: Script, options: ClientOptions = {}): Promise<[KubernetesClient, ScriptedServer]> => {
  const server = await startScriptedServer(script);
  const client = new KubernetesClient(accessTo(server.address, plain), realWorld, options);
  ends.push(
    () => client.close(),
    () => server.close(),
  );
  return [client, server];
};

/** What a user would see of it. */
const textOf = (failure: Failure): string => [failure.what, failure.why, failure.todo].join("\n");

const refusing =
  (code: number, reason: string, message: string): Script =>
  (_seen, response) =>
    sendStatus(response, { code, reason, message }, { "x-secret-header": secret });

describe("KubernetesClient's errors", () => {
  it.each([
    [400, "BadRequest", "KUBERNETES_REFUSED"],
    [409, "AlreadyExists", "KUBERNETES_CONFLICT"],
    [409, "Conflict", "KUBERNETES_CONFLICT"],
    [410, "Expired", "KUBERNETES_REFUSED"],
    [412, "Failed", "KUBERNETES_CONFLICT"],
    [422, "Invalid", "KUBERNETES_REFUSED"],
    [429, "TooManyRequests", "KUBERNETES_REFUSED"],
    [500, "InternalError", "KUBERNETES_REFUSED"],
    [503, "ServiceUnavailable", "KUBERNETES_REFUSED"],
  ])("maps %i %s to %s, with the server's message and nothing of the headers", async (code, reason, expected) => {
    const [client] = await start(refusing(code, reason, "the server's own words"));
    const failure = await failureOf(client.create(configMaps, { metadata: { name: "a", namespace: "media" } }));
    expect(failure.code).toBe(expected);
    expect(failure.what).toBe("Cannot create configmaps media/a.");
    expect(failure.why).toContain("the server's own words");
    expect(textOf(failure)).not.toContain(secret);
  });

  it("maps a patch with another uid to a conflict, though the server calls it invalid", async () => {
    const message = 'ConfigMap "a" is invalid: metadata.uid: Invalid value: "x": field is immutable';
    const [client] = await start(refusing(422, "Invalid", message));
    const patch = client.mergePatch(configMaps, { name: "a", namespace: "media" }, { metadata: { uid: "x" } });
    expect((await failureOf(patch)).code).toBe("KUBERNETES_CONFLICT");
  });

  it("reads the credentials again after a 401 and tries once more", async () => {
    const [client, server] = await start((seen, response) => {
      if (seen.headers.authorization?.endsWith("-1") === true) return sendJson(response, { gitVersion: "v1.34.4" });
      return sendStatus(response, { code: 401, reason: "Unauthorized", message: "Unauthorized" });
    });
    expect(await client.version()).toBe("v1.34.4");
    expect(server.seen.map((seen) => seen.headers.authorization)).toEqual([`Bearer ${secret}-0`, `Bearer ${secret}-1`]);
  });

  it("gives up after the second 401", async () => {
    const [client, server] = await start(refusing(401, "Unauthorized", "Unauthorized"));
    const failure = await failureOf(client.get(pods, { name: "a", namespace: "media" }));
    expect(failure.code).toBe("KUBERNETES_UNAUTHORIZED");
    expect(textOf(failure)).not.toContain(secret);
    expect(server.seen.length).toBe(2);
  });

  it("names the rule that a 403 misses, the place and the user, as the server says", async () => {
    const message =
      'backups.velero.io is forbidden: User "system:serviceaccount:media:jane" cannot create resource "backups" in API group "velero.io" in the namespace "velero"';
    const [client] = await start(refusing(403, "Forbidden", message));
    const failure = await failureOf(client.apply(backups, { metadata: { name: "b", namespace: "velero" } }));
    expect(failure.code).toBe("KUBERNETES_FORBIDDEN");
    expect(failure.exitCode).toBe(5);
    expect(failure.why).toBe(
      'This RBAC rule is missing in namespace "velero" for user "system:serviceaccount:media:jane": apiGroups: ["velero.io"], resources: ["backups"], verbs: ["create"]',
    );
    expect(failure.todo).toContain('- {apiGroups: ["velero.io"], resources: ["backups"], verbs: ["create"]}');
  });

  it.each([
    [
      "with a subresource",
      'pods "a" is forbidden: User "jane" cannot create resource "pods/exec" in API group "" in the namespace "media"',
      'apiGroups: [""], resources: ["pods/exec"], verbs: ["create"]',
    ],
    [
      "at the cluster's scope",
      'nodes is forbidden: User "jane" cannot list resource "nodes" in API group "" at the cluster scope',
      'missing cluster-wide for user "jane": apiGroups: [""], resources: ["nodes"], verbs: ["list"]',
    ],
    [
      "for a path",
      'forbidden: User "jane" cannot get path "/version"',
      'nonResourceURLs: ["/version"], verbs: ["get"]',
    ],
  ])("names a rule %s", async (_name, message, expected) => {
    const [client] = await start(refusing(403, "Forbidden", message));
    expect((await failureOf(client.version())).why).toContain(expected);
  });

  it("names the rule of the call when the 403 does not come from Kubernetes", async () => {
    const [client] = await start((_seen, response) => response.writeHead(403).end("nginx says no"));
    const failure = await failureOf(client.list(pods));
    expect(failure.code).toBe("KUBERNETES_FORBIDDEN");
    expect(failure.why).toContain(
      'cluster-wide for the current user: apiGroups: [""], resources: ["pods"], verbs: ["list"]',
    );
  });

  it("says that no credentials were sent when the server took us for anonymous", async () => {
    const message =
      'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" at the cluster scope';
    const [client] = await start(refusing(403, "Forbidden", message));
    expect((await failureOf(client.list(pods))).todo).toContain("carried no credentials");
  });

  it("does not advise a rule when admission refuses", async () => {
    const message = 'pods "a" is forbidden: violates PodSecurity "restricted:latest": privileged';
    const [client] = await start(refusing(403, "Forbidden", message));
    const failure = await failureOf(client.create(pods, { metadata: { name: "a", namespace: "media" } }));
    expect(failure.code).toBe("KUBERNETES_REFUSED");
    expect(failure.why).toContain("violates PodSecurity");
  });

  it("shortens answers that are no Status", async () => {
    const [client] = await start((_seen, response) =>
      response.writeHead(502).end(`bad   gateway\n${"x".repeat(5000)}`),
    );
    const failure = await failureOf(client.list(pods));
    expect(failure.why).toMatch(/^bad gateway x+ \(HTTP 502\)$/);
    expect(failure.why?.length).toBeLessThan(250);
  });

  it("says so when a success is not JSON, without quoting it", async () => {
    const [client] = await start((_seen, response) => response.end(`<html>${secret}</html>`));
    const failure = await failureOf(client.get(resources.secrets, { name: "a", namespace: "media" }));
    expect(failure.code).toBe("KUBERNETES_REFUSED");
    expect(textOf(failure)).not.toContain(secret);
  });

  it("is unreachable when the answer does not begin within the deadline", async () => {
    const [client] = await start(() => undefined, { deadlines: { call: 200 } });
    const failure = await failureOf(client.list(pods));
    expect(failure.code).toBe("KUBERNETES_UNREACHABLE");
    expect(failure.why).toBe("There was no answer within 0.2 s.");
  });

  it("is unreachable when the answer does not end within the deadline", async () => {
    const [client, server] = await start((_seen, response) => void response.write("{"), { deadlines: { call: 200 } });
    expect((await failureOf(client.list(pods))).code).toBe("KUBERNETES_UNREACHABLE");
    await expect.poll(() => server.openSockets()).toBe(0);
  });

  it("is unreachable when the connection breaks in the middle of the answer", async () => {
    const [client] = await start((_seen, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("{", () => response.destroy());
    });
    expect((await failureOf(client.list(pods))).code).toBe("KUBERNETES_UNREACHABLE");
  });

  it.each([
    ["nobody listens", "http://127.0.0.1:1", "refused"],
    ["the name does not exist", "http://holdfast.invalid:6443", "DNS"],
  ])("is unreachable when %s", async (_name, address, why) => {
    const client = new KubernetesClient(accessTo(address, plain), realWorld);
    const failure = await failureOf(client.version());
    expect(failure.code).toBe("KUBERNETES_UNREACHABLE");
    expect(failure.what).toContain(new URL(address).host);
    expect(failure.why).toContain(why);
  });

  it("lets defects through as they are", async () => {
    const access = {
      ...accessTo("http://127.0.0.1:1", plain),
      credentials: () => Promise.reject(new TypeError("defect")),
    };
    await expect(new KubernetesClient(access, realWorld).version()).rejects.toThrow(TypeError);
  });
});

describe("KubernetesClient's calls", () => {
  it("reads a list page by page, with the selectors on each", async () => {
    const [client, server] = await start((seen, response) => {
      const page = Number(seen.query.get("continue") ?? "0");
      const items = [{ metadata: { name: `pod-${page}` } }];
      const next = page < 2 ? { continue: String(page + 1) } : {};
      sendJson(response, { kind: "PodList", metadata: { resourceVersion: "77", ...next }, items });
    });
    const list = await client.list(pods, { namespace: "media", labels: "a=b,c in (d,e)", fields: "spec.nodeName=n" });
    expect(list.resourceVersion).toBe("77");
    expect(list.items).toEqual(
      [0, 1, 2].map((page) => ({ apiVersion: "v1", kind: "Pod", metadata: { name: `pod-${page}` } })),
    );
    for (const seen of server.seen) {
      expect(seen.path).toBe("/api/v1/namespaces/media/pods");
      expect(seen.query.get("limit")).toBe("500");
      expect(seen.query.get("labelSelector")).toBe("a=b,c in (d,e)");
      expect(seen.query.get("fieldSelector")).toBe("spec.nodeName=n");
    }
  });

  it("starts again when a page has expired, and in the end reads in one piece", async () => {
    const [client, server] = await start((seen, response) => {
      const meta = { resourceVersion: "9" };
      if (seen.query.has("continue")) return sendStatus(response, { code: 410, reason: "Expired", message: "too old" });
      if (seen.query.has("limit"))
        return sendJson(response, { metadata: { ...meta, continue: "x" }, items: [{ metadata: { name: "a" } }] });
      return sendJson(response, { metadata: meta, items: [{ metadata: { name: "a" } }, { metadata: { name: "b" } }] });
    });
    const { items } = await client.list(pods);
    expect(items.map((item) => item.metadata.name)).toEqual(["a", "b"]);
    expect(server.seen.length).toBe(7);
  });

  it("takes a list of nothing, which Go writes as null", async () => {
    const [client] = await start((_seen, response) =>
      sendJson(response, { metadata: { resourceVersion: "1" }, items: null }),
    );
    expect(await client.list(pods)).toEqual({ items: [], resourceVersion: "1" });
  });

  it("gives the text of every object as it came, page by page", async () => {
    const texts = ['{"metadata":{"name":"a"},"x":9223372036854775807}', '{ "b": 1.50, "metadata": {"name":"b"} }'];
    const [client, server] = await start((seen, response) => {
      const isFirst = !seen.query.has("continue");
      const metadata = { resourceVersion: "9", ...(isFirst ? { continue: "x" } : {}) };
      response.setHeader("content-type", "application/json");
      response.end(`{"metadata":${JSON.stringify(metadata)},"items":[${texts[isFirst ? 0 : 1]}]}\n`);
    });
    expect(await client.listRaw(pods, { labels: "a=b" })).toEqual(texts);
    expect(server.seen.map((seen) => seen.query.get("labelSelector"))).toEqual(["a=b", "a=b"]);
  });

  it("applies without force as holdfast, and patches with the type that merges", async () => {
    const [client, server] = await start((seen, response) => void response.end(seen.body || "{}"));
    const object = { metadata: { name: "a", namespace: "media" } };
    await client.apply(configMaps, object);
    await client.mergePatch(configMaps, object.metadata, { data: { a: null } });
    await client.mergePatch(
      resources.deployments,
      object.metadata,
      { spec: { replicas: 0 } },
      { subresource: "scale" },
    );
    const [apply, merge, scale] = server.seen;
    expect(apply).toMatchObject({ method: "PATCH", path: "/api/v1/namespaces/media/configmaps/a" });
    expect(apply?.headers["content-type"]).toBe("application/apply-patch+yaml");
    expect(Object.fromEntries(apply?.query ?? [])).toEqual({ fieldManager: "holdfast" });
    expect(JSON.parse(apply?.body ?? "")).toEqual({ apiVersion: "v1", kind: "ConfigMap", ...object });
    expect(merge?.headers["content-type"]).toBe("application/merge-patch+json");
    expect(merge?.body).toBe('{"data":{"a":null}}');
    expect(scale?.path).toBe("/apis/apps/v1/namespaces/media/deployments/a/scale");
  });

  it("asks for a dry run in the body: beside one, the server does not look at the query", async () => {
    const [client, server] = await start((_seen, response) => sendJson(response, {}));
    await client.remove(pods, { name: "a", namespace: "media" }, { dryRun: true });
    expect(JSON.parse(server.seen[0]?.body ?? "")).toMatchObject({ kind: "DeleteOptions", dryRun: ["All"] });
  });

  it("sends what a removal depends on", async () => {
    const [client, server] = await start((_seen, response) => sendJson(response, {}));
    const options = { uid: "u", resourceVersion: "5", propagation: "Foreground", gracePeriodSeconds: 0 } as const;
    await client.remove(pods, { name: "a", namespace: "media" }, options);
    await client.remove(resources.namespaces, { name: "a" });
    expect(JSON.parse(server.seen[0]?.body ?? "")).toEqual({
      apiVersion: "v1",
      kind: "DeleteOptions",
      propagationPolicy: "Foreground",
      gracePeriodSeconds: 0,
      preconditions: { uid: "u", resourceVersion: "5" },
    });
    expect(JSON.parse(server.seen[1]?.body ?? "")).toEqual({ apiVersion: "v1", kind: "DeleteOptions" });
  });

  it("carries int64 and unknown fields both ways", async () => {
    const wire =
      '{"metadata":{"name":"a","namespace":"media"},"spec":{"big":9007199254740993,"new":{"x":[1.5,"9007199254740993"]}}}';
    const [client, server] = await start((seen, response) => void response.end(seen.method === "GET" ? wire : "{}"));
    const object = await client.get<KubeObject>(backups, { name: "a", namespace: "media" });
    expect(object).toMatchObject({ spec: { big: 9007199254740993n, new: { x: [1.5, "9007199254740993"] } } });
    await client.create(backups, object ?? { metadata: { name: "" } });
    expect(server.seen[1]?.body).toContain('"big":9007199254740993,"new":{"x":[1.5,"9007199254740993"]}');
  });

  it("sends credentials and impersonation with each call", async () => {
    const [client, server] = await start((_seen, response) => sendJson(response, { gitVersion: "v1" }));
    await client.version();
    expect(server.seen[0]?.headers.authorization).toBe(`Bearer ${secret}-0`);
    expect(server.seen[0]?.headers["impersonate-group"]).toBe("a, b");
  });

  it("asks for its own rights", async () => {
    const [client, server] = await start((_seen, response) => sendJson(response, { status: { allowed: true } }, 201));
    expect(await client.allowed({ verb: "create", resource: pods, subresource: "exec", namespace: "media" })).toBe(
      true,
    );
    expect(JSON.parse(server.seen[0]?.body ?? "")).toEqual({
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      spec: {
        resourceAttributes: { verb: "create", group: "", resource: "pods", subresource: "exec", namespace: "media" },
      },
    });
  });
});

describe("KubernetesClient's logs", () => {
  const pod = { name: "a", namespace: "media" };
  const readAll = async (lines: AsyncIterable<string>): Promise<string[]> => {
    const all: string[] = [];
    for await (const line of lines) all.push(line);
    return all;
  };

  it("gives whole lines, however they arrive", async () => {
    const [client, server] = await start((_seen, response) => {
      const bytes = Buffer.from("one\nzwölf\n\nlast");
      response.write(bytes.subarray(0, 7));
      response.write(bytes.subarray(7));
      response.end();
    });
    expect(await readAll(client.logs(pod, { container: "main", follow: true }))).toEqual(["one", "zwölf", "", "last"]);
    expect(server.seen[0]?.path).toBe("/api/v1/namespaces/media/pods/a/log");
    expect(Object.fromEntries(server.seen[0]?.query ?? [])).toEqual({ container: "main", follow: "true" });
  });

  it("says why there are none", async () => {
    const [client] = await start(refusing(400, "BadRequest", 'container "main" is waiting to start'));
    const failure = await failureOf(readAll(client.logs(pod, { container: "main" })));
    expect(failure.why).toContain("waiting to start");
  });

  it("throws the signal's reason and lets the connection go", async () => {
    const [client, server] = await start((_seen, response) => void response.write("one\n"));
    const controller = new AbortController();
    const lines: string[] = [];
    const reading = (async () => {
      const options = { container: "main", follow: true, signal: controller.signal };
      for await (const line of client.logs(pod, options)) {
        lines.push(line);
        controller.abort(new Error("enough"));
      }
    })();
    await expect(reading).rejects.toThrow("enough");
    expect(lines).toEqual(["one"]);
    await expect.poll(() => server.openSockets()).toBe(0);
  });

  it("does not wait for ever for logs that are not followed", async () => {
    const [client] = await start((_seen, response) => void response.write("one\n"), { deadlines: { call: 200 } });
    expect((await failureOf(readAll(client.logs(pod, { container: "main" })))).code).toBe("KUBERNETES_UNREACHABLE");
  });

  it("throws when the connection breaks in the middle", async () => {
    const [client] = await start(
      (_seen, response) => void response.write("one\n", () => setTimeout(() => response.destroy(), 20)),
    );
    const failure = await failureOf(readAll(client.logs(pod, { container: "main", follow: true })));
    expect(failure.code).toBe("KUBERNETES_UNREACHABLE");
  });
});
