/** The stand-in on a real pool: what each release does with datasets, snapshots, holds, clones and exports. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Exec, execBehind, output } from "../../zfs/exec.ts";
import type { StandInConfigInput } from "./config.ts";
import type { StandIn } from "./server.ts";
import { Refused, TestClient } from "./testing/client.ts";
import { openTestSite, type TestSite, testKey } from "./testing/site.ts";

const GiB = 1024 ** 3;
const MiB = 1024 ** 2;
const under = "tank/k8s/nfs/v";
const volumes = "tank/k8s/iscsi/v";

let site: TestSite;
let onNas: Exec;
beforeAll(async () => {
  site = await openTestSite();
  onNas = execBehind(site.inside);
});
afterAll(async () => {
  // A failed start has nothing to close.
  await site?.close();
});

let standIn: StandIn;
let admin: TestClient;

const start = async (version: string, more: Partial<StandInConfigInput> = {}): Promise<void> => {
  standIn = await site.start(version, more);
  admin = await TestClient.loggedIn(`ws://127.0.0.1:${standIn.http?.port}/api/current`, "admin", testKey(1));
};

const left = `zfs list -H -o name -t filesystem | grep -E '^tank/(k8s/(nfs|iscsi)/v/|other)'`;

/** Everything that a test made, whatever became of it. What zfs-fuse calls busy goes when it is asked again. */
const sweep = async (): Promise<void> => {
  const script = [
    `for i in $(seq 100); do ${left} >/dev/null || exit 0`,
    "for s in $(zfs list -H -o name -t snapshot); do",
    "for t in truenas mine other; do zfs release $t $s; done; zfs destroy $s; done",
    `for d in $(${left} | tac); do zfs destroy $d; done; done 2>/dev/null; exit 1`,
  ].join("\n");
  await output(onNas, "sh", ["-c", script]);
  for (const kind of ["nfs", "target", "extent"] as const)
    for (const { id } of await standIn.world.exports.query(kind)) await standIn.world.exports.remove(kind, id);
};

afterEach(async () => {
  admin.close();
  await sweep();
});

const call = (method: string, ...params: readonly unknown[]): Promise<unknown> => admin.call(method, ...params);

const refusal = async (
  work: Promise<unknown>,
): Promise<{ readonly code: number; readonly reason: string; readonly extra: unknown }> => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Refused)) throw new Error(`not refused: ${String(error)}`);
  const { code, reason, extra } = error;
  return { code, reason, extra };
};

type Row = Readonly<Record<string, unknown>>;

const dataset = async (name: string, ...properties: string[]): Promise<Row | undefined> =>
  ((await call("pool.dataset.query", [["id", "=", name]], { extra: { properties } })) as readonly Row[])[0];

const make = (name: string, more: object = {}) => call("pool.dataset.create", { name, ...more });
const makeVolume = (name: string, volsize = 16 * MiB) => make(name, { type: "VOLUME", volsize, sparse: true });
const write = (name: string, text: string) => output(onNas, "sh", ["-c", `echo ${text} > /mnt/${name}/file`]);
const read = async (name: string) => (await output(onNas, "cat", [`/mnt/${name}/file`])).trim();

/** What every release with `pool.snapshot` or `zfs.snapshot` does alike. */
describe.each([
  ["25.04.2", "zfs.snapshot"],
  ["25.10.1", "pool.snapshot"],
  ["26.0.0", "pool.snapshot"],
])("TrueNAS %s", (version, snapshots) => {
  beforeEach(() => start(version));

  const names = async (): Promise<unknown> =>
    ((await call(`${snapshots}.query`, [["id", "^", "tank/"]], { select: ["id"] })) as readonly Row[]).map(
      ({ id }) => id,
    );

  it("takes a snapshot, clones it writable, and destroys both in the order that ZFS wants", async () => {
    await make(`${under}/a`, { refquota: GiB, user_properties: [{ key: "my:own", value: "1" }] });
    await write(`${under}/a`, "before");
    const made = await call(`${snapshots}.create`, { dataset: `${under}/a`, name: "s" });
    expect(made).toMatchObject({ id: `${under}/a@s`, dataset: `${under}/a`, snapshot_name: "s", type: "SNAPSHOT" });
    await write(`${under}/a`, "after");
    expect(
      await call(`${snapshots}.clone`, {
        snapshot: `${under}/a@s`,
        dataset_dst: `${under}/b`,
        dataset_properties: { refquota: String(GiB) },
      }),
    ).toBe(true);
    expect([await read(`${under}/a`), await read(`${under}/b`)]).toEqual(["after", "before"]);
    expect(await dataset(`${under}/b`, "origin", "refquota")).toMatchObject({
      type: "FILESYSTEM",
      mountpoint: `/mnt/${under}/b`,
      origin: { parsed: `${under}/a@s` },
      refquota: { parsed: GiB },
      // A clone has none of its origin's own.
      user_properties: {},
    });
    expect((await refusal(call(`${snapshots}.delete`, `${under}/a@s`))).reason).toContain(`${under}/b`);
    expect(await call("pool.dataset.delete", `${under}/b`)).toBe(true);
    expect(await call(`${snapshots}.delete`, `${under}/a@s`)).toBe(true);
    expect(await names()).toEqual([]);
  });

  it("gives snapshots that it takes recursively one after the other in age, and tells only of the root", async () => {
    await make(`${under}/a`);
    await make(`${under}/a/b`);
    await make(`${under}/a/c`);
    const wanted = { dataset: `${under}/a`, name: "r", recursive: true, exclude: [`${under}/a/b`] };
    expect(await call(`${snapshots}.create`, wanted)).toMatchObject({ id: `${under}/a@r` });
    expect(await names()).toEqual([`${under}/a@r`, `${under}/a/c@r`]);
    // Nothing is taken when one name is.
    await call(`${snapshots}.create`, { dataset: `${under}/a/c`, name: "q" });
    await refusal(call(`${snapshots}.create`, { ...wanted, name: "q" }));
    expect(await names()).toEqual([`${under}/a@r`, `${under}/a/c@r`, `${under}/a/c@q`]);
  });

  it("keeps a held snapshot, and releases all tags at once", async () => {
    await make(`${under}/a`);
    await call(`${snapshots}.create`, { dataset: `${under}/a`, name: "s" });
    expect(await call(`${snapshots}.hold`, `${under}/a@s`)).toBeNull();
    await refusal(call(`${snapshots}.hold`, `${under}/a@s`));
    await output(onNas, "zfs", ["hold", "other", `${under}/a@s`]);
    const held = await call(`${snapshots}.query`, [["id", "=", `${under}/a@s`]], { get: true, extra: { holds: true } });
    expect(held).toMatchObject({ holds: { truenas: 1 } });
    await refusal(call(`${snapshots}.delete`, `${under}/a@s`));
    expect(await names()).toEqual([`${under}/a@s`]);
    await output(onNas, "zfs", ["release", "other", `${under}/a@s`]);
    expect(await call(`${snapshots}.release`, `${under}/a@s`)).toBeNull();
    expect(await call(`${snapshots}.delete`, `${under}/a@s`)).toBe(true);
  });

  it("goes back to the newest snapshot only", async () => {
    await make(`${under}/a`);
    await write(`${under}/a`, "one");
    await call(`${snapshots}.create`, { dataset: `${under}/a`, name: "one" });
    await write(`${under}/a`, "two");
    await call(`${snapshots}.create`, { dataset: `${under}/a`, name: "two" });
    const { reason } = await refusal(call(`${snapshots}.rollback`, `${under}/a@one`));
    expect(reason).toContain("more recent snapshots");
    expect(await read(`${under}/a`)).toBe("two");
    expect(await call(`${snapshots}.rollback`, `${under}/a@one`, { recursive: true })).toBeNull();
    expect(await read(`${under}/a`)).toBe("one");
    expect(await names()).toEqual([`${under}/a@one`]);
  });

  it("makes a volume, grows it and never shrinks it, and its clone is a volume of the snapshot's size", async () => {
    await makeVolume(`${volumes}/z`);
    expect(await dataset(`${volumes}/z`, "volsize")).toMatchObject({
      type: "VOLUME",
      mountpoint: null,
      volsize: { parsed: 16 * MiB, rawvalue: String(16 * MiB) },
    });
    await call(`${snapshots}.create`, { dataset: `${volumes}/z`, name: "small" });
    await call("pool.dataset.update", `${volumes}/z`, { volsize: 32 * MiB });
    expect(await dataset(`${volumes}/z`, "volsize")).toMatchObject({ volsize: { parsed: 32 * MiB } });
    expect((await refusal(call("pool.dataset.update", `${volumes}/z`, { volsize: MiB }))).reason).toContain(
      "cannot shrink",
    );
    await call(`${snapshots}.clone`, { snapshot: `${volumes}/z@small`, dataset_dst: `${volumes}/zz` });
    expect(await dataset(`${volumes}/zz`, "volsize")).toMatchObject({ type: "VOLUME", volsize: { parsed: 16 * MiB } });
    await call(`${snapshots}.rollback`, `${volumes}/z@small`);
    expect(await dataset(`${volumes}/z`, "volsize")).toMatchObject({ volsize: { parsed: 16 * MiB } });
  });

  it("takes a filesystem's shares along with it, and leaves a volume's target and extent", async () => {
    await make(`${under}/a`);
    await call("sharing.nfs.create", { path: `/mnt/${under}/a`, hosts: ["10.0.0.1"], maproot_user: "root" });
    await makeVolume(`${volumes}/z`);
    const target = (await call("iscsi.target.create", { name: "z", groups: [{ portal: 1, initiator: 1 }] })) as Row;
    const extent = (await call("iscsi.extent.create", { name: "z", type: "DISK", disk: `zvol/${volumes}/z` })) as Row;
    await call("iscsi.targetextent.create", { target: target.id, extent: extent.id, lunid: 0 });
    expect(await call("sharing.nfs.query", [])).toMatchObject([
      { hosts: ["10.0.0.1"], maproot_user: "root", locked: false },
    ]);
    for (const name of [`${under}/a`, `${volumes}/z`]) await call("pool.dataset.delete", name);
    expect(await call("sharing.nfs.query", [])).toEqual([]);
    expect(await call("iscsi.targetextent.query", [])).toMatchObject([{ lunid: 0 }]);
    expect(await call("iscsi.extent.query", [])).toMatchObject([{ disk: `zvol/${volumes}/z` }]);
  });

  it("lets nobody take a target or extent away while an initiator is logged in", async () => {
    await makeVolume(`${volumes}/z`);
    const target = (await call("iscsi.target.create", { name: "z" })) as Row;
    const extent = (await call("iscsi.extent.create", { name: "z", type: "DISK", disk: `zvol/${volumes}/z` })) as Row;
    await call("iscsi.targetextent.create", { target: target.id, extent: extent.id });
    const iqn = "iqn.2005-10.org.freenas.ctl:z";
    const sessions = [{ initiator: "iqn.1993-08.org.debian:01:a", initiator_addr: "10.0.0.11", target: iqn }];
    await standIn.world.state.set({ sessions });
    expect(await call("iscsi.global.sessions", [["target", "=", iqn]], {})).toMatchObject(sessions);
    expect((await refusal(call("iscsi.target.delete", target.id))).reason).toContain("Target z is in use.");
    expect((await refusal(call("iscsi.extent.delete", extent.id))).reason).toContain("in use");
    await standIn.world.state.set({ sessions: [] });
    expect(await call("iscsi.target.delete", target.id, false, true)).toBe(true);
    expect(await call("iscsi.extent.query", [])).toEqual([]);
  });

  it("turns a clone and its origin around", async () => {
    await make(`${under}/a`);
    await call(`${snapshots}.create`, { dataset: `${under}/a`, name: "s" });
    await call(`${snapshots}.clone`, { snapshot: `${under}/a@s`, dataset_dst: `${under}/b` });
    expect(await call("pool.dataset.promote", `${under}/b`)).toBeNull();
    expect(await names()).toEqual([`${under}/b@s`]);
    expect(await dataset(`${under}/a`, "origin")).toMatchObject({ origin: { parsed: `${under}/b@s` } });
    await refusal(call("pool.dataset.promote", under));
  });

  it("shows nothing of the lab's own properties", async () => {
    await makeVolume(`${volumes}/z`);
    await call(`${snapshots}.create`, { dataset: `${volumes}/z`, name: "s" });
    const all = [
      await call("pool.dataset.query", []),
      await call(`${snapshots}.query`, [["id", "^", "tank"]]),
      await call("pool.dataset.details"),
      ...(version === "25.04.2"
        ? []
        : [await call("zfs.resource.query", { get_user_properties: true, get_children: true })]),
    ];
    expect(JSON.stringify(all)).not.toContain("lab.holdfast");
  });
});

describe("TrueNAS 25.10", () => {
  beforeEach(() => start("25.10.1"));

  it("renames a dataset to where its mount follows, only when it is forced", async () => {
    await make(`${under}/a`);
    await write(`${under}/a`, "kept");
    const [before] = (await call("pool.dataset.query", [["id", "=", `${under}/a`]], {
      extra: { properties: ["guid"] },
    })) as Row[];
    expect((await refusal(call("pool.dataset.rename", `${under}/a`, { new_name: `${under}/b` }))).reason).toContain(
      "set force",
    );
    expect(await call("pool.dataset.rename", `${under}/a`, { new_name: `${under}/b`, force: true })).toBeNull();
    expect(await read(`${under}/b`)).toBe("kept");
    expect((await dataset(`${under}/b`, "guid"))?.guid).toEqual(before?.guid);
  });

  it("destroys nothing of a tree in which something is held or cloned", async () => {
    await make(`${under}/a`);
    await call("sharing.nfs.create", { path: `/mnt/${under}/a` });
    await call("pool.snapshot.create", { dataset: `${under}/a`, name: "s" });
    await call("pool.snapshot.hold", `${under}/a@s`);
    const held = await refusal(call("pool.dataset.delete", `${under}/a`, { recursive: true }));
    expect(held.reason).toContain("[EBUSY] Failed to delete dataset");
    // The share goes before the destroy is tried.
    expect(await call("sharing.nfs.query", [])).toEqual([]);
    expect(await output(onNas, "zfs", ["get", "-H", "-o", "value", "mounted", `${under}/a`])).toBe("yes\n");
    await call("pool.snapshot.release", `${under}/a@s`);
    await call("pool.snapshot.clone", { snapshot: `${under}/a@s`, dataset_dst: `${under}/b` });
    const cloned = await refusal(call("pool.dataset.delete", `${under}/a`, { recursive: true }));
    expect(cloned.reason).toContain("dependent clones");
    expect(await dataset(`${under}/a`)).toMatchObject({ id: `${under}/a` });
  });

  it("says that a snapshot's name is taken in a call error", async () => {
    await make(`${under}/a`);
    await call("pool.snapshot.create", { dataset: `${under}/a`, name: "s" });
    expect(await refusal(call("pool.snapshot.create", { dataset: `${under}/a`, name: "s" }))).toMatchObject({
      code: -32001,
      reason: expect.stringMatching(/^\[EEXIST\] Failed to snapshot .*@s: .*already exists/) as string,
    });
  });

  it("destroys a held snapshot that was marked, as soon as its hold goes", async () => {
    await make(`${under}/a`);
    await call("pool.snapshot.create", { dataset: `${under}/a`, name: "s" });
    await call("pool.snapshot.hold", `${under}/a@s`);
    expect(await call("pool.snapshot.delete", `${under}/a@s`, { defer: true })).toBe(true);
    expect(await call("pool.snapshot.query", [["id", "=", `${under}/a@s`]])).toHaveLength(1);
    await call("pool.snapshot.release", `${under}/a@s`);
    expect(await call("pool.snapshot.query", [["id", "=", `${under}/a@s`]])).toEqual([]);
  });

  it("calls every user property LOCAL, also an inherited one; 25.04 knows better", async () => {
    await make(`${under}/a`, { user_properties: [{ key: "my:own", value: "1" }] });
    await make(`${under}/a/b`);
    expect(await dataset(`${under}/a/b`)).toMatchObject({
      user_properties: { "my:own": { value: "1", source: "LOCAL" } },
    });
    admin.close();
    await start("25.04.2");
    expect(await dataset(`${under}/a/b`, "guid")).toMatchObject({
      user_properties: { "my:own": { source: "INHERITED", source_info: `${under}/a` } },
    });
    expect(await dataset(`${under}/a/b`, "guid")).not.toHaveProperty("guid");
  });

  it("foretells what a periodic task will remove", async () => {
    await make(`${under}/a`);
    const task = (await call("pool.snapshottask.create", {
      dataset: under,
      recursive: true,
      lifetime_value: 1,
      lifetime_unit: "DAY",
    })) as Row;
    for (const name of ["auto-2026-11-25_15-30", "mine"])
      await call("pool.snapshot.create", { dataset: `${under}/a`, name });
    const retention = async (name: string): Promise<unknown> =>
      (
        (await call("pool.snapshot.query", [["id", "=", `${under}/a@${name}`]], {
          get: true,
          extra: { retention: true },
        })) as Row
      ).retention;
    expect(await retention("auto-2026-11-25_15-30")).toMatchObject({ periodic_snapshot_task_id: task.id });
    expect(await retention("mine")).toBeNull();
    expect((await refusal(call("pool.snapshot.query", [], { extra: { retention: true } }))).reason).toContain(
      "`limit` is required",
    );
    await call("pool.snapshottask.delete", task.id);
  });
});

describe("TrueNAS 26", () => {
  beforeEach(() => start("26.0.0"));

  it("says that a snapshot's name is taken in a validation error", async () => {
    await make(`${under}/a`);
    await call("pool.snapshot.create", { dataset: `${under}/a`, name: "s" });
    expect(await refusal(call("pool.snapshot.create", { dataset: `${under}/a`, name: "s" }))).toEqual({
      code: -32602,
      reason: "[EEXIST] pool.snapshot.create: s already exists.",
      extra: [["pool.snapshot.create", "s already exists.", 17]],
    });
  });

  it("takes a hold and clones away when it deletes recursively; two holds stop it, and it says true all the same", async () => {
    await make(`${under}/a`);
    await call("pool.snapshot.create", { dataset: `${under}/a`, name: "s" });
    expect((await refusal(call("pool.dataset.delete", `${under}/a`))).extra).toMatchObject([
      ["zfs.resource.destroy", expect.anything(), 39],
    ]);
    await call("zfs.resource.snapshot.hold", { path: `${under}/a@s`, tag: "mine" });
    await call("pool.snapshot.hold", `${under}/a@s`);
    expect(await call("zfs.resource.snapshot.holds", { path: `${under}/a@s` })).toEqual(["mine", "truenas"]);
    expect(await call("pool.dataset.delete", `${under}/a`, { recursive: true })).toBe(true);
    expect(await dataset(`${under}/a`)).toMatchObject({ id: `${under}/a` });
    expect(await call("zfs.resource.snapshot.holds", { path: `${under}/a@s` })).toEqual(["truenas"]);
    await call("pool.snapshot.clone", { snapshot: `${under}/a@s`, dataset_dst: "tank/other" });
    expect(await call("pool.dataset.delete", `${under}/a`, { recursive: true })).toBe(true);
    expect([await dataset(`${under}/a`), await dataset("tank/other")]).toEqual([undefined, undefined]);
  });

  it("changes no property of a snapshot, and shows none that was not named", async () => {
    await make(`${under}/a`);
    await call("zfs.resource.snapshot.create", {
      dataset: `${under}/a`,
      name: "s",
      user_properties: { "my:set": "1" },
    });
    const change = { user_properties_update: [{ key: "my:set", value: "2" }] };
    expect(await call("pool.snapshot.update", `${under}/a@s`, change)).toBeNull();
    const query = { paths: [`${under}/a@s`], get_user_properties: true, properties: ["guid"] };
    expect(await call("zfs.resource.snapshot.query", query)).toMatchObject([
      {
        dataset: `${under}/a`,
        user_properties: { "my:set": "1" },
        properties: { guid: { raw: expect.stringMatching(/^\d+$/) as string } },
      },
    ]);
    expect(await call("pool.snapshot.query", [["id", "=", `${under}/a@s`]], { get: true })).toMatchObject({
      properties: {},
    });
  });

  it("mounts a clone by one of its names only", async () => {
    await make(`${under}/a`);
    await call("pool.snapshot.create", { dataset: `${under}/a`, name: "s" });
    await call("zfs.resource.snapshot.clone", { snapshot: `${under}/a@s`, dataset: `${under}/b` });
    await call("pool.snapshot.clone", { snapshot: `${under}/a@s`, dataset_dst: `${under}/c` });
    const mounted = (name: string) => output(onNas, "zfs", ["get", "-H", "-o", "value", "mounted", name]);
    expect([await mounted(`${under}/b`), await mounted(`${under}/c`)]).toEqual(["no\n", "yes\n"]);
  });

  it("has lost REST and the old names", async () => {
    expect((await refusal(call("zfs.snapshot.query"))).code).toBe(-32601);
    const response = await fetch(`http://127.0.0.1:${standIn.http?.port}/api/v2.0/pool/dataset`);
    expect(response.status).toBe(404);
  });
});

describe("TrueNAS 24.10 over REST", () => {
  beforeEach(async () => {
    await start("25.10.1");
    standIn = await site.start("24.10.2");
  });

  const ask = async (verb: string, path: string, body?: unknown): Promise<readonly [number, unknown]> => {
    const response = await fetch(`http://127.0.0.1:${standIn.http?.port}/api/v2.0${path}`, {
      method: verb,
      headers: { authorization: `Bearer ${testKey(1)}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return [response.status, await response.json()];
  };

  it("makes, snapshots, clones and deletes as a storage driver does", async () => {
    expect(await ask("GET", "/system/version")).toEqual([200, "TrueNAS-SCALE-24.10.2"]);
    const id = encodeURIComponent(`${under}/a`);
    expect(await ask("POST", "/pool/dataset", { name: `${under}/a` })).toMatchObject([200, { id: `${under}/a` }]);
    expect(await ask("POST", "/pool/dataset", { name: `${under}/a` })).toEqual([
      422,
      { message: "Failed to create dataset: dataset already exists", errno: 14 },
    ]);
    expect(await ask("POST", "/zfs/snapshot", { dataset: `${under}/a`, name: "s" })).toMatchObject([
      200,
      { name: `${under}/a@s` },
    ]);
    expect(await ask("GET", `/pool/dataset/id/${id}?extra.snapshots=1`)).toMatchObject([
      200,
      { snapshots: [{ snapshot_name: "s" }] },
    ]);
    expect(await ask("POST", "/zfs/snapshot/clone", { snapshot: `${under}/a@s`, dataset_dst: `${under}/b` })).toEqual([
      200,
      true,
    ]);
    expect(await ask("DELETE", `/pool/dataset/id/${id}`, { recursive: true, force: true })).toMatchObject([
      422,
      { errno: 14 },
    ]);
    expect(await ask("DELETE", `/pool/dataset/id/${encodeURIComponent(`${under}/b`)}`, { recursive: true })).toEqual([
      200,
      true,
    ]);
    expect(await ask("DELETE", `/pool/dataset/id/${id}`, { recursive: true, force: true })).toEqual([200, true]);
    expect((await ask("GET", `/pool/dataset/id/${id}`))[0]).toBe(404);
    expect(await ask("POST", "/pool/dataset", { name: `${under}/x/y` })).toEqual([
      422,
      { "pool_dataset_create.name": [{ message: `Parent dataset (${under}/x) does not exist.`, errno: 22 }] },
    ]);
  });
});
