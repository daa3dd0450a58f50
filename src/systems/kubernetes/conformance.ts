import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isFailure } from "../../model/failure.ts";
import { failureOf } from "../../model/testing/failure-of.ts";
import { decodeJson } from "./json.ts";
import type { KubeObject, Kubernetes, Resource } from "./port.ts";
import { resources } from "./resources.ts";
import { describeOwners } from "./conformance-owners.ts";
import { describeWatch, following } from "./watch/conformance.ts";

/** What the suite speaks to. */
export interface ConformanceSubject {
  readonly kubernetes: Kubernetes;
  /** The same cluster as a user without any rights. */
  readonly nobody: Kubernetes;
  /** A text that makes names unique between runs: lower-case letters and digits. */
  readonly run: string;
  close(): Promise<void>;
}

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

interface Deployment extends KubeObject {
  readonly spec: { readonly replicas: number; readonly paused?: boolean };
  readonly status?: { readonly observedGeneration?: number };
}

const { configMaps, deployments, namespaces, pods, customResourceDefinitions } = resources;
const group = "conformance.holdfast.example";
const things: Resource = { apiVersion: `${group}/v1`, kind: "Thing", plural: "things", namespaced: true };
const strangers: Resource = { ...things, plural: "strangers", kind: "Stranger" };

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Controllers of a real cluster need a while. */
const eventually = async (holds: () => Promise<boolean>): Promise<void> => {
  const end = Date.now() + 30_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`not within 30 s: ${holds.toString()}`);
    await pause(50);
  }
};

const configMap = (namespace: string, name: string, more: object = {}, meta: object = {}): ConfigMap => ({
  metadata: { name, namespace, ...meta },
  ...more,
});

const deployment = (namespace: string, name: string): KubeObject =>
  anObject({
    metadata: { name, namespace },
    spec: {
      replicas: 0,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: "main", image: "lab/none:1" }] } },
    },
  });

/** Any object: the port knows only metadata by type. */
const anObject = (object: KubeObject & Readonly<Record<string, unknown>>): KubeObject => object;

const thingsDefinition = anObject({
  metadata: { name: `things.${group}` },
  spec: {
    group,
    scope: "Namespaced",
    names: { plural: "things", singular: "thing", kind: "Thing", listKind: "ThingList" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
      },
    ],
  },
});

/** The contract of the Kubernetes port. Needs no kubelet; logs and exec are tested where there is one. */
export const describeKubernetes = (name: string, makeSubject: () => Promise<ConformanceSubject>): void => {
  describe(`${name} as Kubernetes`, () => {
    let subject: ConformanceSubject;
    let kubernetes: Kubernetes;
    let namespace: string;
    let count = 0;
    /** A name of its own for each use. */
    const fresh = (): string => `thing-${(count += 1)}`;

    beforeAll(async () => {
      subject = await makeSubject();
      ({ kubernetes } = subject);
      namespace = `conformance-${subject.run}`;
      await kubernetes.create(namespaces, { metadata: { name: namespace } });
      await kubernetes.apply(customResourceDefinitions, thingsDefinition);
      await eventually(async () => {
        try {
          await kubernetes.list(things, { namespace });
          return true;
        } catch (error) {
          if (isFailure(error, "KUBERNETES_REFUSED")) return false;
          throw error;
        }
      });
    });

    afterAll(async () => {
      await kubernetes.remove(namespaces, { name: namespace });
      await eventually(async () => (await kubernetes.get(namespaces, { name: namespace })) === undefined);
      await kubernetes.remove(customResourceDefinitions, { name: `things.${group}` });
      await subject.close();
    });

    describe("reading", () => {
      it("tells the server's version", async () => {
        expect(await kubernetes.version()).toMatch(/^v\d+\.\d+\.\d+/);
      });

      it("gives undefined for an object, a namespace or a kind that is not there", async () => {
        expect(await kubernetes.get(configMaps, { name: "absent", namespace })).toBeUndefined();
        expect(await kubernetes.get(configMaps, { name: "absent", namespace: "absent" })).toBeUndefined();
        expect(await kubernetes.get(strangers, { name: "absent", namespace })).toBeUndefined();
      });

      it("lists what fits the label selector, in the order of names, each with its kind", async () => {
        const app = fresh();
        for (const [tier, track] of [["web", "a"], ["db"], ["cache", "b"]]) {
          const labels = { app, tier, ...(track === undefined ? {} : { track }) };
          await kubernetes.create(configMaps, configMap(namespace, `${app}-${tier}`, {}, { labels }));
        }
        const tiers = async (labels: string) => {
          const { items } = await kubernetes.list(configMaps, { namespace, labels });
          expect(items.every(({ apiVersion, kind }) => apiVersion === "v1" && kind === "ConfigMap")).toBe(true);
          return items.map((item) => item.metadata.labels?.["tier"]);
        };
        expect(await tiers(`app=${app}`)).toEqual(["cache", "db", "web"]);
        expect(await tiers(`app==${app},tier!=db`)).toEqual(["cache", "web"]);
        expect(await tiers(`app=${app},tier in (db, web)`)).toEqual(["db", "web"]);
        expect(await tiers(`app=${app},tier notin (db,web)`)).toEqual(["cache"]);
        expect(await tiers(`app=${app},track`)).toEqual(["cache", "web"]);
        expect(await tiers(`app=${app},!track`)).toEqual(["db"]);
        expect(await tiers(`app=${app},track!=a`)).toEqual(["cache", "db"]);
      });

      it("lists what fits the field selector, and refuses fields that the server does not know", async () => {
        const name = fresh();
        await kubernetes.create(configMaps, configMap(namespace, name));
        const { items } = await kubernetes.list(configMaps, { fields: `metadata.name=${name},metadata.namespace!=x` });
        expect(items.map((item) => item.metadata.namespace)).toEqual([namespace]);
        const failure = await failureOf(kubernetes.list(configMaps, { namespace, fields: "data.x=1" }));
        expect(failure.code).toBe("KUBERNETES_REFUSED");
        expect(failure.why).toMatch(/data\.x.* is not a known field selector/);
      });

      it("gives the same objects as text, with all their digits and fields", async () => {
        const labels = { app: fresh() };
        for (const name of [fresh(), fresh()]) {
          const spec = { big: 9223372036854775807n, unknown: { deeply: [{ unknown: 'ä"]}' }] } };
          await kubernetes.create(things, anObject({ metadata: { name, namespace, labels }, spec }));
        }
        const selection = { namespace, labels: `app=${labels.app}` };
        const texts = await kubernetes.listRaw(things, selection);
        const { items } = await kubernetes.list(things, selection);
        expect(
          texts.map((text) => ({ apiVersion: `${group}/v1`, kind: "Thing", ...(decodeJson(text) as object) })),
        ).toEqual(items);
        expect(texts.every((text) => text.includes("9223372036854775807"))).toBe(true);
        expect(await kubernetes.listRaw(things, { namespace, labels: `app=${labels.app},none` })).toEqual([]);
      });

      it("refuses to list a kind that the server does not have", async () => {
        expect((await failureOf(kubernetes.list(strangers))).code).toBe("KUBERNETES_REFUSED");
        expect((await failureOf(kubernetes.listRaw(strangers))).code).toBe("KUBERNETES_REFUSED");
      });

      it("takes no name that would address something else", async () => {
        for (const name of ["", ".", "..", "a/b", "a%2fb"]) {
          await expect(kubernetes.remove(configMaps, { name, namespace })).rejects.toThrow(TypeError);
        }
        await expect(kubernetes.get(configMaps, { name: "a" })).rejects.toThrow(TypeError);
        await expect(kubernetes.get(namespaces, { name: "a", namespace })).rejects.toThrow(TypeError);
      });
    });

    describe("creating", () => {
      it("gives the object as the server made it", async () => {
        const name = fresh();
        const made = await kubernetes.create<ConfigMap>(configMaps, configMap(namespace, name, { data: { a: "1" } }));
        expect(made).toMatchObject({ apiVersion: "v1", kind: "ConfigMap", data: { a: "1" } });
        expect(made.metadata.uid).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
        expect(made.metadata.resourceVersion).toMatch(/^\d+$/);
        expect(made.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
        expect(await kubernetes.get(configMaps, { name, namespace })).toEqual(made);
      });

      it("finds a name for generateName", async () => {
        const metadata = { generateName: "made-", namespace } as unknown as KubeObject["metadata"];
        const made = await kubernetes.create(configMaps, { metadata });
        expect(made.metadata.name).toMatch(/^made-.{5}$/);
      });

      it("is a conflict when the name is taken, and leaves the other object alone", async () => {
        const name = fresh();
        const first = await kubernetes.create<ConfigMap>(configMaps, configMap(namespace, name, { data: { a: "1" } }));
        const failure = await failureOf(kubernetes.create(configMaps, configMap(namespace, name)));
        expect(failure.code).toBe("KUBERNETES_CONFLICT");
        expect(failure.why).toContain("already exists");
        expect(await kubernetes.get(configMaps, { name, namespace })).toEqual(first);
      });

      it("is refused in a namespace that does not exist", async () => {
        const failure = await failureOf(kubernetes.create(configMaps, configMap("nowhere", "a")));
        expect(failure.code).toBe("KUBERNETES_REFUSED");
        expect(failure.why).toContain('namespaces "nowhere" not found');
      });

      it("keeps fields that nobody knows and integers that JavaScript would round", async () => {
        const name = fresh();
        const spec = {
          big: 9007199254740993n,
          nested: { unknown: [1, { deep: null, text: "2026-01-01T00:00:00.123456Z" }] },
        };
        await kubernetes.create(things, anObject({ metadata: { name, namespace }, spec }));
        expect(await kubernetes.get(things, { name, namespace })).toMatchObject({ spec });
        await kubernetes.mergePatch(things, { name, namespace }, { spec: { other: -9223372036854775808n } });
        expect(await kubernetes.get(things, { name, namespace })).toMatchObject({
          spec: { ...spec, other: -9223372036854775808n },
        });
      });
    });

    describe("merge patch", () => {
      it("merges objects, replaces lists and removes what is null", async () => {
        const name = fresh();
        const spec = { keep: 1, list: [1, 2, 3], map: { a: 1, b: 2 } };
        await kubernetes.create(things, anObject({ metadata: { name, namespace, labels: { a: "1" } }, spec }));
        const patch = { metadata: { labels: { a: null, b: "2" } }, spec: { list: [4], map: { a: null, c: 3 } } };
        const patched = await kubernetes.mergePatch(things, { name, namespace }, patch);
        expect(patched.metadata.labels).toEqual({ b: "2" });
        expect(patched).toMatchObject({ spec: { keep: 1, list: [4], map: { b: 2, c: 3 } } });
        expect((patched as unknown as { spec: { map: object } }).spec.map).not.toHaveProperty("a");
        expect(await kubernetes.get(things, { name, namespace })).toEqual(patched);
      });

      it("gives a new version for a change and none for no change", async () => {
        const name = fresh();
        const made = await kubernetes.create(configMaps, configMap(namespace, name, { data: { a: "1" } }));
        const same = await kubernetes.mergePatch(configMaps, { name, namespace }, { data: { a: "1" } });
        expect(same.metadata.resourceVersion).toBe(made.metadata.resourceVersion);
        const changed = await kubernetes.mergePatch(configMaps, { name, namespace }, { data: { a: "2" } });
        expect(Number(changed.metadata.resourceVersion)).toBeGreaterThan(Number(made.metadata.resourceVersion));
        expect(changed.metadata.uid).toBe(made.metadata.uid);
      });

      it("is a conflict when the uid or the version inside is not the object's, and changes nothing", async () => {
        const name = fresh();
        const made = await kubernetes.create<ConfigMap>(configMaps, configMap(namespace, name, { data: { a: "1" } }));
        const { uid, resourceVersion } = made.metadata;
        const changed = await kubernetes.mergePatch(
          configMaps,
          { name, namespace },
          { metadata: { uid, resourceVersion }, data: { a: "2" } },
        );
        for (const metadata of [{ uid: "00000000-0000-0000-0000-000000000000" }, { uid, resourceVersion }]) {
          const failure = await failureOf(
            kubernetes.mergePatch(configMaps, { name, namespace }, { metadata, data: { a: "3" } }),
          );
          expect(failure.code).toBe("KUBERNETES_CONFLICT");
        }
        expect(await kubernetes.get(configMaps, { name, namespace })).toEqual(changed);
      });

      it("is refused for an object that is not there", async () => {
        const failure = await failureOf(kubernetes.mergePatch(configMaps, { name: "absent", namespace }, { data: {} }));
        expect(failure.code).toBe("KUBERNETES_REFUSED");
        expect(failure.why).toContain("not found");
      });

      it("keeps status and the rest apart, and counts generations of the rest", async () => {
        const name = fresh();
        const at = { name, namespace };
        const status = { observedGeneration: 7 };
        await kubernetes.create(deployments, anObject({ ...deployment(namespace, name), status }));
        expect((await kubernetes.get<Deployment>(deployments, at))?.status?.observedGeneration).not.toBe(7);
        await kubernetes.mergePatch(deployments, at, { spec: { paused: true } });
        const paused = await kubernetes.mergePatch<Deployment>(deployments, at, { spec: { paused: true }, status });
        expect(paused.metadata.generation).toBe(2);
        expect(paused.status?.observedGeneration).not.toBe(7);
        const reported = await kubernetes.mergePatch<Deployment>(
          deployments,
          at,
          { spec: { replicas: 5 }, status },
          { subresource: "status" },
        );
        expect(reported.spec.replicas).toBe(0);
        expect(reported.status?.observedGeneration).toBe(7);
        expect(reported.metadata.generation).toBe(2);
        await kubernetes.remove(deployments, at);
      });

      it("scales by the scale subresource", async () => {
        const at = { name: fresh(), namespace };
        await kubernetes.create(deployments, deployment(namespace, at.name));
        // Paused, so that no controller of a real cluster makes pods of it.
        await kubernetes.mergePatch(deployments, at, { spec: { paused: true } });
        const scale = await kubernetes.mergePatch(deployments, at, { spec: { replicas: 3 } }, { subresource: "scale" });
        expect(scale).toMatchObject({ kind: "Scale", spec: { replicas: 3 } });
        expect((await kubernetes.get<Deployment>(deployments, at))?.spec.replicas).toBe(3);
        await kubernetes.remove(deployments, at);
      });

      it("is refused for a subresource that the kind does not have", async () => {
        const name = fresh();
        await kubernetes.create(things, { metadata: { name, namespace } });
        const patch = kubernetes.mergePatch(things, { name, namespace }, { status: {} }, { subresource: "status" });
        expect((await failureOf(patch)).code).toBe("KUBERNETES_REFUSED");
      });
    });

    describe("server-side apply", () => {
      it("makes the object, changes it, and takes back fields that are not applied any more", async () => {
        const name = fresh();
        await kubernetes.apply(configMaps, configMap(namespace, name, { data: { a: "1", b: "1" } }));
        const second = await kubernetes.apply<ConfigMap>(
          configMaps,
          configMap(namespace, name, { data: { a: "2", c: "1" } }),
        );
        expect(second.data).toEqual({ a: "2", c: "1" });
        expect(await kubernetes.get(configMaps, { name, namespace })).toEqual(second);
      });

      it("changes nothing, not even the version, when it is repeated", async () => {
        const object = configMap(namespace, fresh(), { data: { a: "1" } }, { labels: { b: "2" } });
        const first = await kubernetes.apply(configMaps, object);
        expect((await kubernetes.apply(configMaps, object)).metadata.resourceVersion).toBe(
          first.metadata.resourceVersion,
        );
      });

      it("is a conflict when another writer set a field to another value", async () => {
        const name = fresh();
        const made = await kubernetes.create(configMaps, configMap(namespace, name, { data: { a: "1", b: "1" } }));
        const failure = await failureOf(kubernetes.apply(configMaps, configMap(namespace, name, { data: { a: "2" } })));
        expect(failure.code).toBe("KUBERNETES_CONFLICT");
        expect(failure.why).toContain(".data.a");
        expect(await kubernetes.get(configMaps, { name, namespace })).toEqual(made);
      });

      it("shares fields of the same value, and leaves the other writer's fields when it lets go", async () => {
        const name = fresh();
        await kubernetes.create(configMaps, configMap(namespace, name, { data: { a: "1", b: "1" } }));
        await kubernetes.apply(configMaps, configMap(namespace, name, { data: { a: "1", c: "1" } }));
        const last = await kubernetes.apply<ConfigMap>(configMaps, configMap(namespace, name, { data: { d: "1" } }));
        expect(last.data).toEqual({ a: "1", b: "1", d: "1" });
      });
    });

    describeOwners(() => ({ kubernetes, namespace, fresh }));

    describe("removing", () => {
      it("succeeds for what is not there", async () => {
        const uid = "00000000-0000-0000-0000-000000000000";
        await expect(kubernetes.remove(configMaps, { name: "absent", namespace })).resolves.toBeUndefined();
        await expect(kubernetes.remove(configMaps, { name: "absent", namespace }, { uid })).resolves.toBeUndefined();
      });

      it("is a conflict when the object is another one than meant", async () => {
        const at = { name: fresh(), namespace };
        const made = await kubernetes.create(configMaps, configMap(namespace, at.name));
        const { uid = "", resourceVersion = "" } = await kubernetes
          .mergePatch(configMaps, at, { data: { a: "1" } })
          .then((changed) => changed.metadata);
        for (const other of [
          { uid: "00000000-0000-0000-0000-000000000000" },
          { uid, resourceVersion: made.metadata.resourceVersion ?? "" },
        ]) {
          expect((await failureOf(kubernetes.remove(configMaps, at, other))).code).toBe("KUBERNETES_CONFLICT");
        }
        await kubernetes.remove(configMaps, at, { uid, resourceVersion });
        expect(await kubernetes.get(configMaps, at)).toBeUndefined();
      });

      it("waits for finalizers, and ends with the last of them", async () => {
        const at = { name: fresh(), namespace };
        const finalizers = ["holdfast.example/one", "holdfast.example/two"];
        await kubernetes.create(configMaps, configMap(namespace, at.name, {}, { finalizers }));
        await kubernetes.remove(configMaps, at);
        const going = await kubernetes.get(configMaps, at);
        expect(going?.metadata.deletionTimestamp).toMatch(/Z$/);
        await kubernetes.mergePatch(configMaps, at, { metadata: { finalizers: finalizers.slice(1) } });
        expect(await kubernetes.get(configMaps, at)).toBeDefined();
        await kubernetes.mergePatch(configMaps, at, { metadata: { finalizers: null } });
        expect(await kubernetes.get(configMaps, at)).toBeUndefined();
      });

      const family = async (): Promise<{ owner: KubeObject; child: { name: string; namespace: string } }> => {
        const owner = await kubernetes.create(configMaps, configMap(namespace, fresh()));
        const { name, uid = "" } = owner.metadata;
        const child = { name: fresh(), namespace };
        const ownerReferences = [{ apiVersion: "v1", kind: "ConfigMap", name, uid, blockOwnerDeletion: true }];
        await kubernetes.create(configMaps, configMap(namespace, child.name, {}, { ownerReferences }));
        return { owner, child };
      };

      it.each(["Background", "Foreground"] as const)("takes the dependents along: %s", async (propagation) => {
        const { owner, child } = await family();
        await kubernetes.remove(configMaps, owner.metadata, { propagation });
        await eventually(async () => (await kubernetes.get(configMaps, owner.metadata)) === undefined);
        await eventually(async () => (await kubernetes.get(configMaps, child)) === undefined);
        expect(await kubernetes.get(configMaps, child)).toBeUndefined();
      });

      it("leaves the dependents without an owner: Orphan", async () => {
        const { owner, child } = await family();
        await kubernetes.remove(configMaps, owner.metadata, { propagation: "Orphan" });
        await eventually(async () => (await kubernetes.get(configMaps, owner.metadata)) === undefined);
        expect((await kubernetes.get(configMaps, child))?.metadata.ownerReferences).toBeUndefined();
      });

      it("ends a pod without a node at once", async () => {
        const at = { name: fresh(), namespace };
        const spec = { containers: [{ name: "main", image: "lab/none:1" }], nodeSelector: { nowhere: "" } };
        // A real server wants the namespace's default service account first.
        await kubernetes.apply(resources.serviceAccounts, { metadata: { name: "default", namespace } });
        await kubernetes.create(pods, anObject({ metadata: at, spec }));
        expect(await kubernetes.get(pods, at)).toMatchObject({ status: { phase: "Pending" } });
        await kubernetes.remove(pods, at);
        expect(await kubernetes.get(pods, at)).toBeUndefined();
      });

      it("empties a namespace before it is gone, and lets nothing new in meanwhile", async () => {
        const own = `going-${subject.run}`;
        await kubernetes.create(namespaces, { metadata: { name: own } });
        await kubernetes.create(configMaps, configMap(own, "held", {}, { finalizers: ["holdfast.example/held"] }));
        await kubernetes.remove(namespaces, { name: own });
        expect(await kubernetes.get(namespaces, { name: own })).toMatchObject({ status: { phase: "Terminating" } });
        const failure = await failureOf(kubernetes.create(configMaps, configMap(own, "late")));
        expect(failure.code).toBe("KUBERNETES_REFUSED");
        expect(failure.why).toContain("being terminated");
        await eventually(async () => {
          const held = await kubernetes.get(configMaps, { name: "held", namespace: own });
          return held?.metadata.deletionTimestamp !== undefined;
        });
        await kubernetes.mergePatch(configMaps, { name: "held", namespace: own }, { metadata: { finalizers: [] } });
        await eventually(async () => (await kubernetes.get(namespaces, { name: own })) === undefined);
      });
    });

    describeWatch(() => ({ kubernetes, namespace, fresh }));

    describe("rights", () => {
      it("says what the current user may do", async () => {
        const rule = { verb: "create", resource: resources.backups, namespace };
        expect(await kubernetes.allowed(rule)).toBe(true);
        expect(await subject.nobody.allowed(rule)).toBe(false);
        expect(await subject.nobody.allowed({ verb: "create", resource: pods, subresource: "exec" })).toBe(false);
      });

      it("names the missing rule, its place and the user", async () => {
        const create = await failureOf(subject.nobody.create(configMaps, configMap(namespace, "x")));
        expect(create.code).toBe("KUBERNETES_FORBIDDEN");
        expect(create.why).toContain('apiGroups: [""], resources: ["configmaps"], verbs: ["create"]');
        expect(create.why).toContain(`in namespace "${namespace}"`);
        expect(create.why).toContain('user "holdfast-nobody"');
        const list = await failureOf(subject.nobody.list(deployments));
        expect(list.why).toContain('apiGroups: ["apps"], resources: ["deployments"], verbs: ["list"]');
        expect(list.why).toContain("cluster-wide");
      });

      it("ends a watch that it does not allow", async () => {
        const watch = following((signal) => subject.nobody.watch(configMaps, { namespace }, signal));
        expect((await failureOf(watch.end)).code).toBe("KUBERNETES_FORBIDDEN");
      });
    });
  });
};
