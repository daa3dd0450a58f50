import { describe, expect, it } from "vitest";
import { Failure } from "../../model/failure.ts";
import { describeNas } from "./conformance.ts";
import type { NasSubject } from "./conformance-bench.ts";
import { MemoryNas, type MemoryNasOptions, MemoryRemover } from "./memory.ts";
import { MemoryZfs } from "./memory-zfs.ts";

const clock = { now: () => Date.now() };

const subjectOf = (options: MemoryNasOptions): NasSubject => {
  const zfs = new MemoryZfs(clock);
  zfs.create("tank/k8s");
  const target = zfs.network.addTarget({ name: "pattern", groups: [{ portal: 1, initiator: 2 }] });
  return {
    nas: new MemoryNas(zfs, options),
    remover: new MemoryRemover(zfs),
    parent: "tank/k8s",
    volumes: true,
    exports: {
      nfs: zfs.network.addShare({
        path: "/mnt/pattern",
        comment: "ours",
        settings: { hosts: ["a"], maproot_user: "root" },
      }),
      iscsi: {
        target,
        extent: zfs.network.addExtent({ name: "pattern", disk: "zvol/pattern", settings: { blocksize: 512 } }),
        logIn: async (name, initiator) => {
          const logOut = zfs.network.logIn(name, initiator);
          return async () => logOut();
        },
      },
    },
    somebody: {
      create: async (name, { volsize, properties = {} } = {}) =>
        void zfs.create(name, { properties, ...(volsize === undefined ? {} : { kind: "volume", volsize }) }),
      write: async (name, text) => zfs.write(name, text),
      read: async (name) => zfs.content(name),
      hold: async (name) => zfs.hold(name),
      release: async (name) => zfs.release(name),
      use: async (name) => {
        const leave = zfs.use(name);
        return async () => leave();
      },
    },
    close: async () => undefined,
  };
};

describeNas("MemoryNas", async () => subjectOf({}));
describeNas("MemoryNas that can little", async () =>
  subjectOf({
    description: { product: "zfs", transport: "ssh", can: { rename: false, exclude: false, nfs: false, iscsi: false } },
  }),
);

describe("MemoryNas' hooks", () => {
  const gone = new Failure("NAS_UNREACHABLE", { what: "The NAS is off." });
  const world = () => {
    const zfs = new MemoryZfs({ now: () => 1_800_000_000_999 });
    zfs.create("tank/k8s/a", { content: "one", bytes: 10 });
    return { zfs, nas: new MemoryNas(zfs), remover: new MemoryRemover(zfs) };
  };

  it("fail the n-th call of a method, so often and no more, before it takes effect", async () => {
    const { zfs, nas } = world();
    zfs.gate.fail("createSnapshot", gone, { skip: 1, times: 1 });
    await nas.createSnapshot({ dataset: "tank/k8s/a", snapshot: "1" });
    await expect(nas.createSnapshot({ dataset: "tank/k8s/a", snapshot: "2" })).rejects.toBe(gone);
    await nas.createSnapshot({ dataset: "tank/k8s/a", snapshot: "3" });
    expect((await nas.snapshots("tank/k8s/a")).map(({ snapshot }) => snapshot)).toEqual(["1", "3"]);
  });

  it("lose the answer to what has happened", async () => {
    const { zfs, remover, nas } = world();
    const mend = zfs.gate.fail((call) => call.by === "remover" && call.name === "tank/k8s/a", gone, {
      afterEffect: true,
    });
    const dataset = (await nas.dataset("tank/k8s/a"))!;
    await expect(remover.destroyDataset(dataset, [])).rejects.toBe(gone);
    expect(await nas.dataset("tank/k8s/a")).toBeUndefined();
    mend();
    await remover.destroyDataset(dataset, []);
  });

  it("let somebody in at the worst moment", async () => {
    const { zfs, nas } = world();
    zfs.gate.interrupt("clone", () => zfs.create("tank/k8s/b"), { times: 1 });
    const snapshot = await nas.createSnapshot({ dataset: "tank/k8s/a", snapshot: "s" });
    await expect(nas.clone(snapshot, "tank/k8s/b", {})).rejects.toMatchObject({ code: "NAS_EXISTS" });
  });

  it("tell what was asked", async () => {
    const { zfs, nas, remover } = world();
    await nas.datasets("tank");
    await remover.rights();
    expect(zfs.gate.calls).toEqual([
      { by: "nas", method: "datasets", name: "tank" },
      { by: "remover", method: "rights", name: undefined },
    ]);
  });

  it("freeze contents in snapshots, hand them to clones, and count their bytes once", async () => {
    const { zfs, nas } = world();
    const snapshot = await nas.createSnapshot({ dataset: "tank/k8s/a", snapshot: "s" });
    const clone = await nas.clone(snapshot, "tank/k8s/b", {});
    zfs.write("tank/k8s/a", "two", 5);
    expect(["tank/k8s/a", "tank/k8s/a@s", "tank/k8s/b"].map((name) => zfs.content(name))).toEqual([
      "two",
      "one",
      "one",
    ]);
    expect([clone.used, (await nas.dataset("tank/k8s/a"))?.used, (await nas.dataset("tank"))?.used]).toEqual([
      0, 15, 15,
    ]);
  });

  it("stamp whole seconds of the clock that they are given", async () => {
    expect((await world().nas.dataset("tank"))?.created).toBe(1_800_000_000_000);
  });

  it.each([
    ["NAS_FULL", { otherBytes: 1e15 }],
    ["NAS_READ_ONLY", { readOnly: true }],
    ["NAS_READ_ONLY", { health: "SUSPENDED" }],
  ] as const)("make a pool say %s to every change, and answer what is asked", async (code, state) => {
    const { zfs, nas } = world();
    const snapshot = await nas.createSnapshot({ dataset: "tank/k8s/a", snapshot: "s" });
    const dataset = (await nas.dataset("tank/k8s/a"))!;
    zfs.setPool("tank", state);
    for (const change of [
      nas.createSnapshot({ dataset: "tank/k8s/a", snapshot: "t" }),
      nas.clone(snapshot, "tank/k8s/b", {}),
      nas.change("tank/k8s/a", { refquota: 1 }),
      nas.promote(dataset),
      nas.rename(dataset, "tank/k8s/b"),
    ])
      await expect(change).rejects.toMatchObject({ code });
    expect((await nas.snapshots("tank/k8s/a")).map(({ snapshot }) => snapshot)).toEqual(["s"]);
    expect(zfs.content("tank/k8s/a")).toBe("one");
  });

  it("let a full pool be freed, and a read-only one not", async () => {
    const { zfs, nas, remover } = world();
    const [first, second] = [
      await nas.createSnapshot({ dataset: "tank/k8s/a", snapshot: "s" }),
      await nas.createSnapshot({ dataset: "tank/k8s/a", snapshot: "t" }),
    ];
    zfs.setPool("tank", { otherBytes: 1e15 });
    await remover.destroySnapshot(first);
    zfs.setPool("tank", { readOnly: true });
    await expect(remover.destroySnapshot(second)).rejects.toMatchObject({ code: "NAS_READ_ONLY" });
  });

  it("do not destroy a volume whose disk an extent has open", async () => {
    const { zfs, nas, remover } = world();
    zfs.create("tank/k8s/v", { kind: "volume" });
    const made = zfs.network.exportDataset("iscsi", "tank/k8s/v");
    const volume = (await nas.dataset("tank/k8s/v"))!;
    await expect(remover.destroyDataset(volume, [])).rejects.toMatchObject({ code: "NAS_BUSY" });
    await nas.removeExport(made);
    await remover.destroyDataset(volume, []);
  });

  it("take a destroyed dataset's shares with it, as TrueNAS does", async () => {
    const { zfs, nas, remover } = world();
    zfs.network.exportDataset("nfs", "tank/k8s/a");
    await remover.destroyDataset((await nas.dataset("tank/k8s/a"))!, []);
    expect((await nas.exports()).nfs).toEqual([]);
  });
});
