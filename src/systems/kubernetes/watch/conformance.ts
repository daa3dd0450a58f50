import { describe, expect, it } from "vitest";
import { isFailure } from "../../../model/failure.ts";
import type { KubeObject, Kubernetes, WatchEvent } from "../port.ts";
import { resources } from "../resources.ts";

/** A watch that is read on the side. */
export interface Following<T extends KubeObject> {
  /** What has come so far. */
  readonly events: readonly WatchEvent<T>[];
  /** "ADDED name" and so on. */
  names(): string[];
  /** Settles when the watch ends. */
  readonly end: Promise<void>;
  /** Aborts the watch and waits for its end. */
  stop(): Promise<void>;
  /** Waits until so many events have come, and names them. */
  first(count: number): Promise<string[]>;
}

/** Reads a watch on the side. */
export const following = <T extends KubeObject>(
  watch: (signal: AbortSignal) => AsyncIterable<WatchEvent<T>>,
): Following<T> => {
  const controller = new AbortController();
  const events: WatchEvent<T>[] = [];
  const end = (async () => {
    for await (const event of watch(controller.signal)) events.push(event);
  })();
  end.catch(() => undefined); // whoever awaits it sees it
  const names = () => events.map(({ type, object }) => `${type} ${object.metadata.name}`);
  return {
    events,
    names,
    end,
    stop: async () => {
      controller.abort();
      await end;
    },
    first: async (count) => {
      await expect.poll(() => events.length, { timeout: 10_000, interval: 10 }).toBeGreaterThanOrEqual(count);
      return names();
    },
  };
};

interface WatchSubject {
  readonly kubernetes: Kubernetes;
  readonly namespace: string;
  /** A name of its own for each use. */
  readonly fresh: () => string;
}

/** The contract of `watch`. */
export const describeWatch = (subject: () => WatchSubject): void => {
  describe("watching", () => {
    const { configMaps } = resources;
    const labelled = async (labels: Record<string, string>) => {
      const { kubernetes, namespace, fresh } = subject();
      const metadata = { name: fresh(), namespace, labels };
      return await kubernetes.create(configMaps, { metadata });
    };

    it("tells what exists, and then every change", async () => {
      const { kubernetes, namespace, fresh } = subject();
      const app = fresh();
      const { metadata } = await labelled({ app });
      const watch = following((signal) => kubernetes.watch(configMaps, { namespace, labels: `app=${app}` }, signal));
      expect(await watch.first(1)).toEqual([`ADDED ${metadata.name}`]);
      await kubernetes.mergePatch(configMaps, metadata, { data: { a: "1" } });
      await kubernetes.remove(configMaps, metadata);
      expect(await watch.first(3)).toEqual([
        `ADDED ${metadata.name}`,
        `MODIFIED ${metadata.name}`,
        `DELETED ${metadata.name}`,
      ]);
      expect(watch.events[1]?.object).toMatchObject({ apiVersion: "v1", kind: "ConfigMap", data: { a: "1" } });
      await watch.stop();
    });

    it("continues after the version of a list, without telling what was in it", async () => {
      const { kubernetes, namespace, fresh } = subject();
      const app = fresh();
      await labelled({ app });
      const selection = { namespace, labels: `app=${app}` };
      const list = await kubernetes.list(configMaps, selection);
      const second = await labelled({ app });
      const from = { ...selection, resourceVersion: list.resourceVersion, known: list.items };
      const watch = following((signal) => kubernetes.watch(configMaps, from, signal));
      expect(await watch.first(1)).toEqual([`ADDED ${second.metadata.name}`]);
      await watch.stop();
    });

    it("tells of objects that move into and out of the selection", async () => {
      const { kubernetes, namespace, fresh } = subject();
      const app = fresh();
      const inside = await labelled({ app });
      const outside = await labelled({ app: "other" });
      const watch = following((signal) => kubernetes.watch(configMaps, { namespace, labels: `app=${app}` }, signal));
      expect(await watch.first(1)).toEqual([`ADDED ${inside.metadata.name}`]);
      await kubernetes.mergePatch(configMaps, inside.metadata, { metadata: { labels: { app: "other" } } });
      await kubernetes.mergePatch(configMaps, outside.metadata, { metadata: { labels: { app } } });
      expect(await watch.first(3)).toEqual([
        `ADDED ${inside.metadata.name}`,
        `DELETED ${inside.metadata.name}`,
        `ADDED ${outside.metadata.name}`,
      ]);
      await watch.stop();
    });

    it("selects by field", async () => {
      const { kubernetes, namespace } = subject();
      const wanted = await labelled({});
      const fields = `metadata.name=${wanted.metadata.name}`;
      const watch = following((signal) => kubernetes.watch(configMaps, { namespace, fields }, signal));
      expect(await watch.first(1)).toEqual([`ADDED ${wanted.metadata.name}`]);
      await labelled({});
      await kubernetes.remove(configMaps, wanted.metadata);
      expect(await watch.first(2)).toEqual([`ADDED ${wanted.metadata.name}`, `DELETED ${wanted.metadata.name}`]);
      await watch.stop();
    });

    it("follows removal through its stages: MODIFIED while finalizers hold, DELETED after them", async () => {
      const { kubernetes, namespace, fresh } = subject();
      const metadata = { name: fresh(), namespace, finalizers: ["holdfast.example/watch"] };
      await kubernetes.create(configMaps, { metadata });
      const fields = `metadata.name=${metadata.name}`;
      const watch = following((signal) => kubernetes.watch(configMaps, { namespace, fields }, signal));
      expect(await watch.first(1)).toEqual([`ADDED ${metadata.name}`]);
      await kubernetes.remove(configMaps, metadata);
      await kubernetes.mergePatch(configMaps, metadata, { metadata: { finalizers: null } });
      expect(await watch.first(3)).toEqual([
        `ADDED ${metadata.name}`,
        `MODIFIED ${metadata.name}`,
        `DELETED ${metadata.name}`,
      ]);
      expect(watch.events[1]?.object.metadata.deletionTimestamp).toBeDefined();
      await watch.stop();
    });

    it("gives each event a later version", async () => {
      const { kubernetes, namespace, fresh } = subject();
      const app = fresh();
      const { metadata } = await labelled({ app });
      const watch = following((signal) => kubernetes.watch(configMaps, { namespace, labels: `app=${app}` }, signal));
      for (const step of ["1", "2"]) await kubernetes.mergePatch(configMaps, metadata, { data: { step } });
      await kubernetes.remove(configMaps, metadata);
      await expect.poll(() => watch.names().at(-1), { timeout: 10_000 }).toBe(`DELETED ${metadata.name}`);
      const versions = watch.events.map(({ object }) => Number(object.metadata.resourceVersion));
      expect(versions).toEqual([...new Set(versions)].toSorted((a, b) => a - b));
      await watch.stop();
    });

    it("is not stopped by a version that has expired: it tells what exists and what is gone", async () => {
      const { kubernetes, namespace, fresh } = subject();
      const app = fresh();
      const gone = await labelled({ app });
      await kubernetes.remove(configMaps, gone.metadata);
      const { metadata } = await labelled({ app });
      // A version from before this cluster's caches began; a twin that still has it replays what happened since.
      const from = { namespace, labels: `app=${app}`, resourceVersion: "1", known: [gone] };
      const watch = following((signal) => kubernetes.watch(configMaps, from, signal));
      await expect
        .poll(() => watch.names().slice(-2), { timeout: 10_000 })
        .toEqual([`DELETED ${gone.metadata.name}`, `ADDED ${metadata.name}`]);
      await watch.stop();
    });

    it("ends without an error when its signal aborts: before it began, in a quiet time, in the middle", async () => {
      const { kubernetes, namespace, fresh } = subject();
      const selection = { namespace, labels: `app=${fresh()}` };
      const early: unknown[] = [];
      for await (const event of kubernetes.watch(configMaps, selection, AbortSignal.abort())) early.push(event);
      expect(early).toEqual([]);

      const quiet = following((signal) => kubernetes.watch(configMaps, selection, signal));
      await new Promise((resolve) => setTimeout(resolve, 200));
      await quiet.stop();

      await labelled({ app: selection.labels.slice("app=".length) });
      const controller = new AbortController();
      for await (const event of kubernetes.watch(configMaps, selection, controller.signal)) {
        expect(event.type).toBe("ADDED");
        controller.abort();
      }
    });

    it("can be left in the middle", async () => {
      const { kubernetes, namespace } = subject();
      await labelled({});
      for await (const event of kubernetes.watch(configMaps, { namespace }, new AbortController().signal)) {
        expect(event.type).toBe("ADDED");
        break;
      }
    });

    it("throws for a kind that the server does not have and for selectors that it does not take", async () => {
      const { kubernetes, namespace } = subject();
      const strangers = { apiVersion: "holdfast.example/v1", kind: "Stranger", plural: "strangers", namespaced: true };
      const refused = (error: unknown): boolean => isFailure(error, "KUBERNETES_REFUSED");
      const unknown = following((signal) => kubernetes.watch(strangers, { namespace }, signal));
      await expect(unknown.end).rejects.toSatisfy(refused);
      const bad = following((signal) => kubernetes.watch(configMaps, { namespace, fields: "data.x=1" }, signal));
      await expect(bad.end).rejects.toSatisfy(refused);
    });
  });
};
