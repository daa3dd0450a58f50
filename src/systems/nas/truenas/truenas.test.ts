/** What is TrueNAS' own, beside the port's suite. */
import { afterEach, describe, expect, it } from "vitest";
import type { Nas } from "../port.ts";
import { type Bench, startBench } from "./testing/subject.ts";

let bench: Bench;
afterEach(() => bench.close());

const start = async (version = "TrueNAS-25.10.1"): Promise<Nas> => {
  bench = await startBench(version, "wss");
  return await bench.nas();
};
const tableOf = (name: string) => bench.server.middleware.table(name);
const refused = (errno: number) => ({ error: { code: -32_001, data: { error: errno, reason: "[E] no such luck" } } });

describe("a snapshot of TrueNAS 26", () => {
  it("that cannot be looked at is not taken for one that is gone", async () => {
    const nas = await start("TrueNAS-26.0.0");
    const snapshot = await nas.createSnapshot({ dataset: "tank/k8s", snapshot: "s" });
    const remover = await bench.remover();
    bench.server.mishap = ({ method }) => (method === "zfs.resource.snapshot.query" ? refused(5) : undefined);
    await expect(remover.destroySnapshot(snapshot)).rejects.toMatchObject({ code: expect.stringMatching(/^NAS_/) });
    await expect(nas.snapshots("tank/k8s")).rejects.toMatchObject({ what: expect.stringContaining("tank/k8s") });
  });
});

describe("a clone whose answer is lost", () => {
  it("is not taken for what somebody else made under its name", async () => {
    const nas = await start();
    const { zfs } = bench.server.middleware;
    const snapshot = await nas.createSnapshot({ dataset: "tank/k8s", snapshot: "s" });
    bench.server.mishap = ({ method }) => {
      if (method !== "pool.snapshot.clone" || zfs.find("tank/k8s/x") !== undefined) return undefined;
      zfs.create("tank/k8s/x");
      return { drop: "before" };
    };
    await expect(nas.clone(snapshot, "tank/k8s/x", {})).rejects.toMatchObject({ code: "NAS_EXISTS" });
  });

  it("gets its size afterwards, since a clone has its origin's", async () => {
    const nas = await start();
    bench.server.middleware.zfs.create("tank/k8s/v", { kind: "volume", volsize: 1024 ** 3 });
    const snapshot = await nas.createSnapshot({ dataset: "tank/k8s/v", snapshot: "s" });
    bench.server.mishap = ({ method }) =>
      method === "pool.snapshot.clone" && bench.server.methods.filter((one) => one === method).length === 1
        ? { drop: "after" }
        : undefined;
    const clone = await nas.clone(snapshot, "tank/k8s/w", { volsize: 2 * 1024 ** 3 });
    expect(clone).toMatchObject({ kind: "volume", volsize: 2 * 1024 ** 3, origin: snapshot.name });
  });
});

describe("an export", () => {
  const like = {
    likeTarget: { id: 7, name: "p", alias: undefined, groups: [{ portal: 1, initiator: 2 }] },
    likeExtent: {
      id: 7,
      name: "p",
      disk: "zvol/tank/p",
      enabled: true,
      settings: {
        serial: "abc",
        naa: "0x1",
        vendor: "x",
        blocksize: 4096,
        ro: false,
        path: "zvol/tank/p",
        type: "DISK",
      },
    },
  };

  it("over iSCSI may be reached by whom its pattern may be, and is no disk that was seen before", async () => {
    const nas = await start();
    bench.server.middleware.zfs.create("tank/k8s/v", { kind: "volume" });
    const networks = { auth_networks: ["10.0.0.0/24"], mode: "ISCSI", rel_tgt_id: 3 };
    tableOf("iscsi.target").push({ id: 7, name: "p", alias: null, groups: [], ...networks });
    const made = await nas.createExport({ kind: "iscsi", dataset: "tank/k8s/v", name: "v", ...like });
    const id = made.kind === "iscsi" ? [made.target, made.extent] : [];
    const target = tableOf("iscsi.target").find((row) => row["id"] === id[0]);
    expect(target).toMatchObject({ auth_networks: ["10.0.0.0/24"], groups: [{ portal: 1, initiator: 2 }] });
    expect(target).not.toHaveProperty("rel_tgt_id");
    const extent = tableOf("iscsi.extent").find((row) => row["id"] === id[1]);
    expect(extent).toEqual({
      id: id[1],
      name: "v",
      type: "DISK",
      disk: "zvol/tank/k8s/v",
      enabled: true,
      blocksize: 4096,
      ro: false,
    });
  });

  it("over NFS takes over who may use it, and nothing that TrueNAS only tells", async () => {
    const nas = await start();
    bench.server.middleware.zfs.create("tank/k8s/f");
    const settings = { hosts: ["10.0.0.11"], networks: [], security: ["SYS"], maproot_user: "root", locked: false };
    const pattern = { id: 1, path: "/mnt/p", enabled: true, comment: "k8s", settings };
    const made = await nas.createExport({ kind: "nfs", dataset: "tank/k8s/f", like: pattern });
    const { locked: _, ...kept } = settings;
    const id = made.kind === "nfs" ? made.share : 0;
    expect(tableOf("sharing.nfs")).toEqual([{ ...kept, id, path: "/mnt/tank/k8s/f", comment: "k8s", enabled: true }]);
  });

  it("of a target whose name only ends alike has no sessions of the other", async () => {
    const nas = await start();
    const { zfs } = bench.server.middleware;
    for (const name of ["v", "x:v"]) tableOf("iscsi.target").push({ id: name.length, name, groups: [] });
    zfs.network.logIn("x:v", "iqn.1993-08.org.debian:01:abc");
    expect(await nas.sessions("v")).toEqual([]);
    expect(await nas.sessions("x:v")).toEqual(["iqn.1993-08.org.debian:01:abc"]);
  });
});

describe("tasks and pools", () => {
  it("are told as they are", async () => {
    const nas = await start();
    bench.server.middleware.zfs.setPool("tank", { health: "DEGRADED" });
    bench.server.middleware.zfs.dataset("tank").readOnly = true;
    tableOf("replication").push({
      id: 4,
      name: "offsite",
      source_datasets: ["tank/k8s"],
      target_dataset: "backup/k8s",
      recursive: true,
      enabled: true,
    });
    expect(await nas.replicationTasks()).toEqual([
      { id: 4, name: "offsite", sources: ["tank/k8s"], target: "backup/k8s", recursive: true, enabled: true },
    ]);
    expect((await nas.pools())[0]).toMatchObject({ name: "tank", health: "DEGRADED", readOnly: true });
  });
});
