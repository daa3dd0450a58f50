import { describe, expect, it } from "vitest";
import { Failure } from "../../model/failure.ts";
import { MemoryKubernetes } from "./memory.ts";
import type { KubeObject } from "./port.ts";
import { resources } from "./resources.ts";
import { handClock, realWorld } from "./testing/world.ts";
import { following } from "./watch/conformance.ts";

const { configMaps, pods, backups } = resources;
const at = { name: "a", namespace: "media" };
const world = { clock: handClock(), randomId: realWorld.randomId };
const unreachable = new Failure("KUBERNETES_UNREACHABLE", { what: "away" });

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

describe("MemoryKubernetes.put", () => {
  it("believes what an object says about itself, and makes its namespace", async () => {
    const memory = new MemoryKubernetes(world);
    const metadata = {
      ...at,
      uid: "u",
      creationTimestamp: "2020-01-01T00:00:00Z",
      deletionTimestamp: "2020-01-02T00:00:00Z",
    };
    const pod = { metadata, status: { phase: "Running" } };
    expect(memory.put(pods, pod)).toMatchObject({ kind: "Pod", ...pod });
    expect(await memory.get(resources.namespaces, { name: "media" })).toBeDefined();
  });

  it("replaces what was there, except for its identity", async () => {
    const memory = new MemoryKubernetes(world);
    const first = memory.put(configMaps, { metadata: { ...at, labels: { a: "1" } } });
    const second = memory.put(configMaps, { metadata: at });
    expect(second.metadata.labels).toBeUndefined();
    expect(second.metadata.uid).toBe(first.metadata.uid);
    expect(second.metadata.resourceVersion).not.toBe(first.metadata.resourceVersion);
  });

  it("keeps none of the caller's objects, and gives out what nobody can change", async () => {
    const memory = new MemoryKubernetes(world);
    const mine = { metadata: { ...at, labels: { a: "1" } } };
    const put = memory.put(configMaps, mine);
    mine.metadata.labels.a = "2";
    const read = await memory.get(configMaps, at);
    for (const { metadata } of [put, read!])
      expect(() => Object.assign(metadata.labels!, { a: "3" })).toThrow(TypeError);
    expect((await memory.get(configMaps, at))?.metadata.labels).toEqual({ a: "1" });
  });
});

describe("MemoryKubernetes.admit", () => {
  it("asks before updates and removals of every user, and tells what the object was and would be", async () => {
    const memory = new MemoryKubernetes(world);
    memory.put(configMaps, { metadata: { ...at, labels: { a: "1" } } });
    const asked: unknown[] = [];
    memory.admit(({ operation, user, oldObject, object }, find) => {
      asked.push([operation, user, oldObject.metadata.labels, object?.metadata.labels]);
      return find(configMaps, at) === undefined ? undefined : "it is kept";
    });
    const other = memory.as("other");
    const forbidden = { code: "KUBERNETES_REFUSED", why: expect.stringContaining("forbidden: it is kept") as string };
    const patch = { metadata: { labels: { a: "2" } } };
    await expect(other.mergePatch(configMaps, at, patch)).rejects.toMatchObject(forbidden);
    await expect(memory.apply(configMaps, { metadata: { ...at, labels: { b: "1" } } })).rejects.toMatchObject(
      forbidden,
    );
    await expect(memory.remove(configMaps, at, { dryRun: true })).rejects.toMatchObject(forbidden);
    await expect(memory.remove(configMaps, at)).rejects.toMatchObject(forbidden);
    const before = { a: "1" };
    expect(asked).toEqual([
      ["UPDATE", "other", before, { a: "2" }],
      ["UPDATE", "holdfast", before, { a: "1", b: "1" }],
      ["DELETE", "holdfast", before, undefined],
      ["DELETE", "holdfast", before, undefined],
    ]);
    memory.admit(undefined);
    await memory.remove(configMaps, at);
    expect(await memory.get(configMaps, at)).toBeUndefined();
  });
});

describe("MemoryKubernetes.fail", () => {
  it("fails the calls that match, as often as asked, before they take effect", async () => {
    const memory = new MemoryKubernetes(world);
    memory.put(configMaps, { metadata: at });
    memory.fail({ verb: "delete", resource: configMaps, namespace: "media" }, unreachable, { times: 1 });
    await memory.get(configMaps, at);
    await expect(memory.remove(configMaps, at)).rejects.toBe(unreachable);
    expect(await memory.get(configMaps, at)).toBeDefined();
    await memory.remove(configMaps, at);
    expect(await memory.get(configMaps, at)).toBeUndefined();
  });

  it("fails calls after they took effect, as a lost answer would", async () => {
    const memory = new MemoryKubernetes(world);
    memory.put(configMaps, { metadata: at });
    memory.fail({ verb: "patch" }, unreachable, { afterEffect: true });
    await expect(memory.mergePatch(configMaps, at, { data: { a: "1" } })).rejects.toBe(unreachable);
    expect(await memory.get<ConfigMap>(configMaps, at)).toMatchObject({ data: { a: "1" } });
  });

  it("fails what a function picks, with an error of its own each time, until it is told to stop", async () => {
    const memory = new MemoryKubernetes(world);
    const stop = memory.fail(
      (call) => call.name === "a",
      () => new Failure("KUBERNETES_REFUSED", { what: "no" }),
    );
    await expect(memory.get(configMaps, at)).rejects.toMatchObject({ code: "KUBERNETES_REFUSED" });
    await expect(memory.get(configMaps, { ...at, name: "b" })).resolves.toBeUndefined();
    stop();
    await expect(memory.get(configMaps, at)).resolves.toBeUndefined();
  });

  it("lets a watch go on after its connection failed", async () => {
    const memory = new MemoryKubernetes(world);
    memory.put(configMaps, { metadata: at });
    const watch = following((signal) => memory.watch(configMaps, { namespace: "media" }, signal));
    expect(await watch.first(1)).toEqual(["ADDED a"]);
    memory.fail({ verb: "watch" }, unreachable, { times: 2 });
    memory.expireWatches();
    await memory.mergePatch(configMaps, at, { data: { a: "1" } });
    expect(await watch.first(2)).toEqual(["ADDED a", "MODIFIED a"]);
    await watch.stop();
  });

  it("fails only the user it was set for", async () => {
    const memory = new MemoryKubernetes(world);
    memory.fail({}, unreachable);
    await expect(memory.as("other").get(configMaps, at)).resolves.toBeUndefined();
  });
});

describe("MemoryKubernetes.deny", () => {
  it("takes a right away and gives it back, and `allowed` knows", async () => {
    const memory = new MemoryKubernetes(world, { user: "jane" });
    const rule = { verb: "create", resource: backups, namespace: "velero" };
    memory.put(backups, { metadata: { name: "other", namespace: "velero" } });
    const allow = memory.deny(rule);
    expect(await memory.allowed(rule)).toBe(false);
    expect(await memory.allowed({ ...rule, verb: "get" })).toBe(true);
    const create = () => memory.create(backups, { metadata: { name: "b", namespace: "velero" } });
    await expect(create()).rejects.toMatchObject({
      code: "KUBERNETES_FORBIDDEN",
      why: 'This RBAC rule is missing in namespace "velero" for user "jane": apiGroups: ["velero.io"], resources: ["backups"], verbs: ["create"]',
    });
    allow();
    await expect(create()).resolves.toBeDefined();
  });

  it("knows subresources apart", async () => {
    const memory = new MemoryKubernetes(world, { exec: () => ({ exitCode: 0, stdout: "", stderr: "" }) });
    memory.put(pods, { metadata: at });
    memory.deny({ resource: pods, subresource: "exec" });
    await expect(memory.exec(at, { container: "main", command: ["true"] })).rejects.toMatchObject({
      why: expect.stringContaining('resources: ["pods/exec"]') as string,
    });
    await expect(memory.get(pods, at)).resolves.toBeDefined();
  });
});

describe("MemoryKubernetes.expireWatches", () => {
  it("makes a watch list again and tell the sum of what it missed", async () => {
    const memory = new MemoryKubernetes(world);
    for (const name of ["gone", "changed", "same"]) memory.put(configMaps, { metadata: { name, namespace: "media" } });
    const events: string[] = [];
    const controller = new AbortController();
    for await (const { type, object } of memory.watch(configMaps, {}, controller.signal)) {
      events.push(`${type} ${object.metadata.name}`);
      if (events.length === 3) {
        await memory.remove(configMaps, { name: "gone", namespace: "media" });
        await memory.create(configMaps, { metadata: { name: "brief", namespace: "media" } });
        await memory.remove(configMaps, { name: "brief", namespace: "media" });
        for (const step of ["1", "2"]) {
          await memory.mergePatch(configMaps, { name: "changed", namespace: "media" }, { data: { step } });
        }
        memory.expireWatches();
      }
      if (events.length === 5) controller.abort();
    }
    expect(events).toEqual(["ADDED changed", "ADDED gone", "ADDED same", "DELETED gone", "MODIFIED changed"]);
  });
});

describe("MemoryKubernetes.onChange", () => {
  it("lets a script answer changes as a controller would, until it is unsubscribed", async () => {
    const memory = new MemoryKubernetes(world);
    const velero = memory.as("velero");
    const seen: string[] = [];
    const unsubscribe = memory.onChange(backups, async ({ type, object }) => {
      seen.push(type);
      if (type === "ADDED") await velero.mergePatch(backups, object.metadata, { status: { phase: "Completed" } });
    });
    const name = { name: "b", namespace: "velero" };
    memory.put(resources.namespaces, { metadata: { name: "velero" } });
    await memory.create(backups, { metadata: name });
    await expect.poll(() => memory.get(backups, name)).toMatchObject({ status: { phase: "Completed" } });
    unsubscribe();
    await memory.remove(backups, name);
    expect(seen).toEqual(["ADDED", "MODIFIED"]);
  });
});

describe("MemoryKubernetes' kinds", () => {
  it("are those of Velero and Argo CD, unless told otherwise", async () => {
    const without = new MemoryKubernetes(world, { groups: [] });
    expect(await new MemoryKubernetes(world).list(backups)).toMatchObject({ items: [] });
    await expect(without.list(backups)).rejects.toMatchObject({
      code: "KUBERNETES_REFUSED",
      why: "the server could not find the requested resource (HTTP 404)",
    });
    expect(await without.get(backups, { name: "a", namespace: "velero" })).toBeUndefined();
    without.put(resources.customResourceDefinitions, { metadata: { name: "backups.velero.io" } });
    expect(await without.list(backups)).toMatchObject({ items: [] });
  });
});

describe("MemoryKubernetes' logs and exec", () => {
  it("come from the test, with the pod at hand", async () => {
    const memory = new MemoryKubernetes(world, {
      logs: (pod, { container }) => [`${pod.metadata.name}/${container}`, "second"],
      exec: (_pod, { command }) => ({ exitCode: 3, stdout: command.join(" "), stderr: "" }),
    });
    memory.put(pods, { metadata: at });
    const lines: string[] = [];
    for await (const line of memory.logs(at, { container: "main" })) lines.push(line);
    expect(lines).toEqual(["a/main", "second"]);
    const result = await memory.exec(at, { container: "main", command: ["echo", "x"] });
    expect(result).toEqual({ exitCode: 3, stdout: "echo x", stderr: "" });
  });

  it("are refused for a pod that is not there", async () => {
    const memory = new MemoryKubernetes(world, { exec: () => ({ exitCode: 0, stdout: "", stderr: "" }) });
    const refused = { code: "KUBERNETES_REFUSED" };
    await expect(memory.exec(at, { container: "main", command: [] })).rejects.toMatchObject(refused);
    await expect(memory.logs(at, { container: "main" })[Symbol.asyncIterator]().next()).rejects.toMatchObject(refused);
  });
});

describe("MemoryKubernetes.endPodsGracefully", () => {
  it("keeps pods that have a node Terminating until they are removed without grace", async () => {
    const memory = new MemoryKubernetes(world);
    memory.endPodsGracefully();
    memory.put(pods, { metadata: at, ...spec({ nodeName: "n", terminationGracePeriodSeconds: 5 }) });
    await memory.remove(pods, at);
    expect((await memory.get(pods, at))?.metadata).toMatchObject({ deletionTimestamp: "2026-01-01T00:00:05Z" });
    await memory.mergePatch(pods, at, { metadata: { labels: { still: "here" } } });
    await memory.remove(pods, at);
    expect(await memory.get(pods, at)).toBeDefined();
    await memory.remove(pods, at, { gracePeriodSeconds: 0 });
    expect(await memory.get(pods, at)).toBeUndefined();
  });
});

const spec = (fields: object): object => ({ spec: fields });
