import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  type Bench,
  codeOf,
  identityOf,
  MiB,
  type NasSubject,
  type NewDataset,
  present,
  quotaOf,
} from "./conformance-bench.ts";
import { describeClones } from "./conformance-clones.ts";
import { describeExports } from "./conformance-exports.ts";
import { describeRemover } from "./conformance-remover.ts";
import type { Nas } from "./port.ts";

/** The contract of the NAS' port. What `describe().can` denies must fail as unsupported. */
export const describeNas = (name: string, makeSubject: () => Promise<NasSubject>): void => {
  describe(`${name} as a NAS`, () => {
    let subject: NasSubject;
    let nas: Nas;
    let root = "";
    let count = 0;

    beforeAll(async () => {
      subject = await makeSubject();
      ({ nas } = subject);
    });
    afterAll(async () => {
      await subject?.close();
    });
    beforeEach(async () => {
      root = `${subject.parent}/t${(count += 1)}`;
      await subject.somebody.create(root);
    });

    const bench = (): Bench => ({ subject, root });
    const namesOf = (items: readonly { readonly name: string }[]): readonly string[] =>
      items.map((item) => item.name.slice(root.length));
    const create = (suffix: string, options?: NewDataset): Promise<void> =>
      subject.somebody.create(`${root}${suffix}`, options);
    const snap = (snapshot: string, dataset = root) => nas.createSnapshot({ dataset, snapshot });

    describe("what it says of itself", () => {
      it("is its kind and its version in digits", async () => {
        const described = await nas.describe();
        expect(described.version).toMatch(/^\d+(\.\d+)*$/);
        expect(["truenas", "zfs"]).toContain(described.product);
      });

      it("has the pool of the datasets, with its health and space", async () => {
        const pool = (await nas.pools()).find((one) => one.name === subject.parent.split("/")[0]);
        expect(pool).toMatchObject({ health: "ONLINE", readOnly: false });
        expect(pool?.free).toBeGreaterThan(0);
        expect(pool?.size).toBeGreaterThanOrEqual(pool?.free ?? Infinity);
      });

      it("says who uses it", async () => {
        expect((await nas.rights()).user).not.toBe("");
        expect((await subject.remover.rights()).user).not.toBe("");
      });

      it("lists its tasks, if only to say that it has none", async () => {
        expect(Array.isArray(await nas.snapshotTasks())).toBe(true);
        expect(Array.isArray(await nas.replicationTasks())).toBe(true);
      });
    });

    describe("datasets", () => {
      it("are undefined, or none, where there is nothing", async () => {
        expect(await nas.dataset(`${root}/absent`)).toBeUndefined();
        expect(await nas.dataset("no-such-pool/x")).toBeUndefined();
        expect(await nas.datasets(`${root}/absent`)).toEqual([]);
      });

      it("tell what they are", async () => {
        const before = Date.now();
        await create("/a");
        const found = await present(nas, `${root}/a`);
        expect(found).toMatchObject({
          name: `${root}/a`,
          kind: "filesystem",
          origin: undefined,
          refquota: undefined,
          volsize: undefined,
          readOnly: false,
          properties: {},
        });
        expect(found.mountpoint).toMatch(/^\//);
        expect(found.guid).toMatch(/^\d+$/);
        expect(found.createtxg).toMatch(/^\d+$/);
        expect(found.available).toBeGreaterThan(0);
        expect(Math.abs(found.created - before)).toBeLessThan(600_000);
      });

      it("come with everything below them, parents first, and no neighbours", async () => {
        for (const suffix of ["/a", "/a/b", "/a/b/c", "/a-b", "/a/d"]) await create(suffix);
        const names = namesOf(await nas.datasets(`${root}/a`));
        expect(names.toSorted()).toEqual(["/a", "/a/b", "/a/b/c", "/a/d"]);
        expect(names.indexOf("/a")).toBeLessThan(names.indexOf("/a/b"));
        expect(names.indexOf("/a/b")).toBeLessThan(names.indexOf("/a/b/c"));
      });

      it("that take a name again have another GUID and a later createtxg", async () => {
        await create("/a");
        const first = await present(nas, `${root}/a`);
        await subject.remover.destroyDataset(first, []);
        await create("/a");
        const second = await present(nas, `${root}/a`);
        expect(second.guid).not.toBe(first.guid);
        expect(BigInt(second.createtxg)).toBeGreaterThan(BigInt(first.createtxg));
      });

      it("keep their identity from look to look", async () => {
        await create("/a");
        const first = await present(nas, `${root}/a`);
        expect(identityOf(await present(nas, `${root}/a`))).toEqual(identityOf(first));
        expect((await nas.datasets(root)).map(identityOf)).toContainEqual(identityOf(first));
      });
    });

    describe("properties", () => {
      const a = (): string => `${root}/a`;
      beforeEach(() => create("/a", { properties: { "x:own": "1" } }));

      it("are those that are set on the dataset itself, not what it inherits", async () => {
        await create("/a/b", { properties: { "x:mine": "2" } });
        expect((await present(nas, a())).properties).toEqual({ "x:own": "1" });
        expect((await present(nas, `${a()}/b`)).properties).toEqual({ "x:mine": "2" });
        const found = (await nas.datasets(a())).map((one) => one.properties);
        expect(found).toEqual([{ "x:own": "1" }, { "x:mine": "2" }]);
      });

      it("are set, replaced and removed by a change, and the others stay", async () => {
        await nas.change(a(), { properties: { "x:new": "2", "x:third": "3" } });
        const changed = await nas.change(a(), { properties: { "x:own": "4", "x:third": null } });
        expect(changed.properties).toEqual({ "x:own": "4", "x:new": "2" });
        expect((await present(nas, a())).properties).toEqual({ "x:own": "4", "x:new": "2" });
      });

      it("that are not there are removed with success", async () => {
        await nas.change(a(), { properties: { "x:absent": null } });
        expect((await present(nas, a())).properties).toEqual({ "x:own": "1" });
      });

      it.each([
        ["JSON", '{"iqn":"iqn.2005-10.org:a","n":[1,2]}'],
        ["spaces", "  two  words "],
        ["quotes", `it's "so" \\ $HOME \`id\` %s`],
        ["equals signs and commas", "a=b,c=d"],
        ["a dash alone, which ZFS prints for no value", "-"],
        ["letters of the world", "ä 日本 😀"],
        ["a tab", "a\tb"],
        ["lines", "a\nb\nx:own\tc\tlocal"],
      ])("keep a value with %s as it is", async (_, value) => {
        await nas.change(a(), { properties: { "x:odd": value } });
        expect((await present(nas, a())).properties).toEqual({ "x:own": "1", "x:odd": value });
      });

      it("without a colon are refused, and are not settings of ZFS", async () => {
        expect(await codeOf(nas.change(a(), { properties: { readonly: "on" } }))).toBe("NAS_REFUSED");
        expect((await present(nas, a())).readOnly).toBe(false);
      });
    });

    describe("changes", () => {
      it("give a filesystem a quota, and 0 takes it away", async () => {
        const quota = quotaOf(subject);
        await create("/a");
        expect((await nas.change(`${root}/a`, { refquota: quota })).refquota).toBe(quota);
        const found = await present(nas, `${root}/a`);
        expect(found.refquota).toBe(quota);
        expect(found.available).toBeLessThanOrEqual(quota);
        expect((await nas.change(`${root}/a`, { refquota: 0 })).refquota).toBeUndefined();
      });

      it("of what is absent are missing", async () => {
        expect(await codeOf(nas.change(`${root}/absent`, { refquota: MiB }))).toBe("NAS_MISSING");
        expect(await codeOf(nas.change(`${root}/absent`, { properties: { "x:a": "1" } }))).toBe("NAS_MISSING");
        expect(await codeOf(nas.change(`${root}/absent`, {}))).toBe("NAS_MISSING");
      });

      it("leave alone what they do not name", async () => {
        const quota = quotaOf(subject);
        await create("/a", { properties: { "x:own": "1" } });
        await nas.change(`${root}/a`, { refquota: quota });
        const found = await nas.change(`${root}/a`, { properties: { "x:b": "2" } });
        expect(found).toMatchObject({ refquota: quota, properties: { "x:own": "1", "x:b": "2" } });
        expect(await nas.change(`${root}/a`, {})).toMatchObject({ refquota: quota });
      });

      it("give a volume its size", async () => {
        if (!subject.volumes) return;
        await create("/v", { volsize: 32 * MiB });
        expect(await present(nas, `${root}/v`)).toMatchObject({
          kind: "volume",
          volsize: 32 * MiB,
          refquota: undefined,
        });
        expect((await nas.change(`${root}/v`, { volsize: 64 * MiB })).volsize).toBe(64 * MiB);
        expect((await present(nas, `${root}/v`)).mountpoint).toBeUndefined();
      });
    });

    describe("snapshots", () => {
      it("are none where there is nothing", async () => {
        expect(await nas.snapshots(root)).toEqual([]);
        expect(await nas.snapshots(`${root}/absent`, { recursive: true })).toEqual([]);
      });

      it("are told as they are made and as they are listed, oldest first", async () => {
        const made = [await snap("b"), await snap("a"), await snap("c d")];
        const listed = await nas.snapshots(root);
        expect(listed.map(identityOf)).toEqual(made.map(identityOf));
        expect(listed[2]).toMatchObject({ name: `${root}@c d`, dataset: root, snapshot: "c d", held: false });
        expect(Math.abs((listed[0]?.created ?? 0) - Date.now())).toBeLessThan(600_000);
        expect(listed[0]?.referenced).toBeGreaterThanOrEqual(listed[0]?.used ?? Infinity);
      });

      it("with a name that is taken are refused, and the old one stays", async () => {
        const first = await snap("a");
        expect(await codeOf(snap("a"))).toBe("NAS_EXISTS");
        expect((await nas.snapshots(root)).map(identityOf)).toEqual([identityOf(first)]);
      });

      it("of what is absent are missing", async () => {
        expect(await codeOf(snap("a", `${root}/absent`))).toBe("NAS_MISSING");
      });

      it("take the dataset alone unless they are recursive", async () => {
        await create("/a");
        await snap("alone");
        expect(namesOf(await nas.snapshots(root, { recursive: true }))).toEqual(["@alone"]);
      });

      it("take everything below with them, in one transaction, and give that of the dataset itself", async () => {
        for (const suffix of ["/a", "/a/b"]) await create(suffix);
        const made = await nas.createSnapshot({ dataset: root, snapshot: "all", recursive: true });
        expect(made.name).toBe(`${root}@all`);
        const all = await nas.snapshots(root, { recursive: true });
        expect(namesOf(all).toSorted()).toEqual(["/a/b@all", "/a@all", "@all"]);
        expect(namesOf(await nas.snapshots(root))).toEqual(["@all"]);
        expect(new Set(all.map(({ guid }) => guid)).size).toBe(3);
      });

      it("are all made or none", async () => {
        await create("/a");
        await snap("x", `${root}/a`);
        const all = nas.createSnapshot({ dataset: root, snapshot: "x", recursive: true });
        expect(await codeOf(all)).toBe("NAS_EXISTS");
        expect(await nas.snapshots(root)).toEqual([]);
      });

      it("leave out what is excluded and what is below that, where the NAS can", async () => {
        for (const suffix of ["/a", "/a/b", "/ab", "/c"]) await create(suffix);
        const wanted = { dataset: root, snapshot: "some", recursive: true, exclude: [`${root}/a`] };
        const { can } = await nas.describe();
        expect(await codeOf(nas.createSnapshot(wanted))).toBe(can.exclude ? "done" : "NAS_UNSUPPORTED");
        const made = namesOf(await nas.snapshots(root, { recursive: true }));
        expect(made.toSorted()).toEqual(can.exclude ? ["/ab@some", "/c@some", "@some"] : []);
      });

      it("exclude nothing but what is below a recursive one", async () => {
        await create("/a");
        const { can } = await nas.describe();
        const code = can.exclude ? "NAS_REFUSED" : "NAS_UNSUPPORTED";
        const wanted = { dataset: root, snapshot: "x" };
        expect(await codeOf(nas.createSnapshot({ ...wanted, exclude: [`${root}/a`] }))).toBe(code);
        expect(await codeOf(nas.createSnapshot({ ...wanted, recursive: true, exclude: [root] }))).toBe(code);
        expect(await nas.snapshots(root, { recursive: true })).toEqual([]);
      });

      it("tell when somebody holds them", async () => {
        const { name } = await snap("a");
        await subject.somebody.hold(name);
        expect((await nas.snapshots(root))[0]?.held).toBe(true);
        await subject.somebody.release(name);
        expect((await nas.snapshots(root))[0]?.held).toBe(false);
      });

      it.each(["", "a@b", "a/b", "a\tb", "a;id", "-r\n"])("are refused the name %j", async (name) => {
        expect(await codeOf(snap(name))).toBe("NAS_REFUSED");
        expect(await nas.snapshots(root)).toEqual([]);
      });
    });

    describeClones(bench);
    describeExports(bench);
    describeRemover(bench);
  });
};
