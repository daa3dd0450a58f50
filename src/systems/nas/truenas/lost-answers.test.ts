/** A connection that breaks around each change, in each release: done exactly once, or not done and said so. */
import { afterEach, describe, expect, it } from "vitest";
import type { Clock } from "../../../context.ts";
import { isFailure } from "../../../model/failure.ts";
import { handClock } from "../../kubernetes/testing/world.ts";
import type { Dataset, Nas, NasRemover, Snapshot, VolumeExport } from "../port.ts";
import { type Bench, releases, startBench } from "./testing/subject.ts";
import type { Call, Mishap } from "./testing/truenas-server.ts";

interface World {
  readonly nas: Nas;
  readonly remover: NasRemover;
  readonly bench: Bench;
  readonly snapshot: Snapshot;
  readonly source: Dataset;
}

const nfs = { id: 1, path: "/mnt/p", enabled: true, comment: "", settings: { hosts: ["a"] } };
const iscsi = {
  kind: "iscsi",
  dataset: "tank/k8s/v",
  name: "v",
  likeTarget: { id: 7, name: "p", alias: undefined, groups: [{ portal: 1 }] },
  likeExtent: { id: 7, name: "p", disk: "zvol/p", enabled: true, settings: { blocksize: 512 } },
} as const;

interface Change {
  /** The end of the method whose connection breaks. */
  readonly method: string;
  readonly make: (world: World) => Promise<unknown>;
  /** Whether the change is there, once. */
  readonly isDone: (world: World) => boolean | Promise<boolean>;
  /** What must be there before. */
  readonly before?: (world: World) => Promise<unknown>;
}

const ids = new Map<string, VolumeExport>();
const removal = (world: World): VolumeExport => ids.get(world.bench.server.host)!;
const exportFirst =
  (kind: "nfs" | "iscsi") =>
  async (world: World): Promise<void> => {
    const wanted = kind === "nfs" ? ({ kind, dataset: "tank/k8s/source", like: nfs } as const) : iscsi;
    ids.set(world.bench.server.host, await world.nas.createExport(wanted));
  };
const rows = ({ bench }: World, table: string): number => bench.server.middleware.table(table).length;
const zfs = ({ bench }: World) => bench.server.middleware.zfs;

const changes: Readonly<Record<string, Change>> = {
  "a snapshot": {
    method: "snapshot.create",
    make: ({ nas }) => nas.createSnapshot({ dataset: "tank/k8s/source", snapshot: "t" }),
    isDone: async (world) => (await world.nas.snapshots("tank/k8s/source")).length === 2,
  },
  "a clone": {
    method: "snapshot.clone",
    make: ({ nas, snapshot }) => nas.clone(snapshot, "tank/k8s/clone", { properties: { "x:a": "1" } }),
    isDone: (world) => zfs(world).find("tank/k8s/clone")?.properties.get("x:a") === "1",
  },
  "a change of properties": {
    method: "pool.dataset.update",
    make: ({ nas }) => nas.change("tank/k8s/source", { properties: { "x:a": "1" } }),
    isDone: (world) => zfs(world).dataset("tank/k8s/source").properties.get("x:a") === "1",
  },
  promoting: {
    method: "pool.dataset.promote",
    before: ({ nas, snapshot }) => nas.clone(snapshot, "tank/k8s/clone", {}),
    make: async ({ nas }) => nas.promote((await nas.dataset("tank/k8s/clone"))!),
    isDone: (world) => zfs(world).dataset("tank/k8s/clone").origin === undefined,
  },
  "a share": {
    method: "sharing.nfs.create",
    make: ({ nas }) => nas.createExport({ kind: "nfs", dataset: "tank/k8s/source", like: nfs }),
    isDone: (world) => rows(world, "sharing.nfs") === 1,
  },
  "a target": {
    method: "iscsi.target.create",
    make: ({ nas }) => nas.createExport(iscsi),
    isDone: (world) => rows(world, "iscsi.target") === 1,
  },
  "an extent": {
    method: "iscsi.extent.create",
    make: ({ nas }) => nas.createExport(iscsi),
    isDone: (world) => rows(world, "iscsi.extent") === 1,
  },
  "what joins the two": {
    method: "iscsi.targetextent.create",
    make: ({ nas }) => nas.createExport(iscsi),
    isDone: (world) => rows(world, "iscsi.targetextent") === 1,
  },
  "removing a share": {
    method: "sharing.nfs.delete",
    before: exportFirst("nfs"),
    make: (world) => world.nas.removeExport(removal(world)),
    isDone: (world) => rows(world, "sharing.nfs") === 0,
  },
  "removing an extent": {
    method: "iscsi.extent.delete",
    before: exportFirst("iscsi"),
    make: (world) => world.nas.removeExport(removal(world)),
    isDone: (world) => rows(world, "iscsi.extent") === 0,
  },
  "removing a target": {
    method: "iscsi.target.delete",
    before: exportFirst("iscsi"),
    make: (world) => world.nas.removeExport(removal(world)),
    isDone: (world) => rows(world, "iscsi.target") === 0,
  },
  "destroying a snapshot": {
    method: "snapshot.delete",
    make: ({ remover, snapshot }) => remover.destroySnapshot(snapshot),
    isDone: (world) => zfs(world).findSnapshot("tank/k8s/source@s") === undefined,
  },
  "destroying a dataset": {
    method: "pool.dataset.delete",
    make: ({ remover, snapshot, source }) => remover.destroyDataset(source, [snapshot]),
    isDone: (world) => zfs(world).find("tank/k8s/source") === undefined,
  },
};

const renaming: Change = {
  method: "pool.dataset.rename",
  make: ({ nas, source }) => nas.rename(source, "tank/k8s/renamed"),
  isDone: (world) => zfs(world).find("tank/k8s/renamed") !== undefined,
};

let bench: Bench;
afterEach(() => bench.close());

const start = async (version: string, scheme: "wss" | "https", { before }: Change, clock?: Clock): Promise<World> => {
  bench = await startBench(version, scheme, clock === undefined ? {} : { clock });
  bench.server.middleware.zfs.create("tank/k8s/source");
  bench.server.middleware.zfs.create("tank/k8s/v", { kind: "volume" });
  const [nas, remover] = [await bench.nas(), await bench.remover()];
  const snapshot = await nas.createSnapshot({ dataset: "tank/k8s/source", snapshot: "s" });
  const world = { nas, remover, bench, snapshot, source: (await nas.dataset("tank/k8s/source"))! };
  await before?.(world);
  return world;
};

/** The same mishap for the first so many calls of the method. */
const first = (count: number, method: string, mishap: Mishap) => {
  let left = count;
  return (call: Call): Mishap | undefined => {
    if (!call.method.endsWith(method) || left === 0) return undefined;
    left -= 1;
    return mishap;
  };
};

/** Lets the time of a call be over once it has met its mishap. */
const endingTime =
  (clock: ReturnType<typeof handClock>, mishap: (call: Call) => Mishap | undefined) =>
  (call: Call): Mishap | undefined => {
    const met = mishap(call);
    if (met !== undefined) setTimeout(() => void clock.advance(5000), 10);
    return met;
  };

const timesOf = (method: string): number => bench.server.methods.filter((one) => one.endsWith(method)).length;

const codeOf = async (call: Promise<unknown>): Promise<string> =>
  await call.then(
    () => "done",
    (error: unknown) => (isFailure(error) ? error.code : String(error)),
  );

describe.each(releases)("%s over %s", (version, scheme) => {
  const canRename = !/24\.10|25\.04/.test(version);
  describe.each(Object.entries({ ...changes, ...(canRename ? { renaming } : {}) }))("when %s", (_, change) => {
    it("has taken effect and its answer is lost, it succeeds without being made again", async () => {
      const world = await start(version, scheme, change);
      const before = timesOf(change.method);
      bench.server.mishap = first(1, change.method, { drop: "after" });
      await change.make(world);
      expect(timesOf(change.method)).toBe(before + 1);
      expect(await change.isDone(world)).toBe(true);
    });

    it("is lost before it takes effect, it is made again", async () => {
      const world = await start(version, scheme, change);
      const before = timesOf(change.method);
      bench.server.mishap = first(1, change.method, { drop: "before" });
      await change.make(world);
      expect(timesOf(change.method)).toBe(before + 2);
      expect(await change.isDone(world)).toBe(true);
    });

    it("is lost again and again, the NAS is unreachable and nothing has changed", async () => {
      const world = await start(version, scheme, change);
      bench.server.mishap = first(99, change.method, { drop: "before" });
      expect(await codeOf(change.make(world))).toBe("NAS_UNREACHABLE");
      expect(await change.isDone(world)).toBe(false);
    });

    it("takes longer than its time, it is looked up and not made again", async () => {
      const clock = handClock();
      const world = await start(version, scheme, change, clock);
      const before = timesOf(change.method);
      bench.server.mishap = endingTime(clock, first(1, change.method, { silent: "after" }));
      expect(await codeOf(change.make(world))).toBe("done");
      expect(timesOf(change.method)).toBe(before + 1);
      expect(await change.isDone(world)).toBe(true);
    });
  });

  it("does not make a change again that may still be under way", async () => {
    const change = changes["a share"]!;
    const clock = handClock();
    const world = await start(version, scheme, change, clock);
    bench.server.mishap = endingTime(clock, first(1, change.method, { silent: "before" }));
    expect(await codeOf(change.make(world))).toBe("NAS_UNREACHABLE");
    expect(timesOf(change.method)).toBe(1);
  });

  it("does not take for its own a snapshot that somebody made in the meantime under another try's name", async () => {
    const world = await start(version, scheme, changes["a snapshot"]!);
    const { zfs: store } = bench.server.middleware;
    await world.nas.createSnapshot({ dataset: "tank/k8s/source", snapshot: "taken" });
    bench.server.mishap = first(1, "snapshot.create", { drop: "before" });
    expect(await codeOf(world.nas.createSnapshot({ dataset: "tank/k8s/source", snapshot: "taken" }))).toBe(
      "NAS_EXISTS",
    );
    expect(store.dataset("tank/k8s/source").snapshots).toHaveLength(2);
  });

  it("destroys nothing that took the name while the answer was lost", async () => {
    const { remover, snapshot } = await start(version, scheme, changes["destroying a snapshot"]!);
    const { zfs: store } = bench.server.middleware;
    bench.server.mishap = (call) => {
      if (!call.method.endsWith("snapshot.delete")) return undefined;
      store.destroySnapshot(store.snapshot(snapshot.name));
      store.takeSnapshots([store.dataset("tank/k8s/source")], "s");
      return { drop: "before" };
    };
    expect(await codeOf(remover.destroySnapshot(snapshot))).toBe("NAS_NOT_OURS");
    expect(store.findSnapshot(snapshot.name)).toBeDefined();
  });
});
