import { beforeEach, describe, expect, it } from "vitest";
import { type Bench, codeOf, identityOf, MiB, present, quotaOf } from "./conformance-bench.ts";
import type { Nas, Snapshot } from "./port.ts";

/** Clones, and what becomes of them. */
export const describeClones = (bench: () => Bench): void => {
  describe("clones and names", () => {
    let nas: Nas;
    let root: string;
    let source: string;
    let snapshot: Snapshot;

    beforeEach(async () => {
      const { subject } = bench();
      ({ nas } = subject);
      ({ root } = bench());
      source = `${root}/source`;
      await subject.somebody.create(source, { properties: { "x:own": "1" } });
      await subject.somebody.write(source, "then");
      snapshot = await nas.createSnapshot({ dataset: source, snapshot: "s" });
      await subject.somebody.write(source, "now");
    });

    const snapshotsOf = async (dataset: string): Promise<readonly string[]> =>
      (await nas.snapshots(dataset)).map((one) => one.snapshot);

    describe("clones", () => {
      it("have the snapshot's content, are written on their own, and say what they are clones of", async () => {
        const { somebody } = bench().subject;
        const clone = await nas.clone(snapshot, `${root}/clone`, {});
        expect(clone).toMatchObject({ name: `${root}/clone`, kind: "filesystem", origin: snapshot.name });
        expect(await present(nas, `${root}/clone`)).toMatchObject({ ...identityOf(clone), origin: snapshot.name });
        expect(clone.guid).not.toBe((await present(nas, source)).guid);
        expect(await somebody.read(clone.name)).toBe("then");
        await somebody.write(clone.name, "elsewhere");
        expect(await somebody.read(source)).toBe("now");
      });

      it("have the properties and the quota that they are given, and none of their origin", async () => {
        await nas.change(source, { refquota: quotaOf(bench().subject) });
        const plain = await nas.clone(snapshot, `${root}/plain`, {});
        expect(plain).toMatchObject({ properties: {}, refquota: undefined });
        const change = { refquota: 32 * MiB, properties: { "x:own": "2", "x:odd": `a\tb\n"c" $d`, "x:not": null } };
        const given = await nas.clone(snapshot, `${root}/given`, change);
        const properties = { "x:own": "2", "x:odd": `a\tb\n"c" $d` };
        expect(given).toMatchObject({ refquota: 32 * MiB, properties });
        expect((await present(nas, given.name)).properties).toEqual(properties);
      });

      it("are refused a name that is taken, whatever has it", async () => {
        await bench().subject.somebody.create(`${root}/taken`);
        const before = await present(nas, `${root}/taken`);
        expect(await codeOf(nas.clone(snapshot, before.name, {}))).toBe("NAS_EXISTS");
        expect(identityOf(await present(nas, before.name))).toEqual(identityOf(before));
      });

      it("are refused when the snapshot is not there, or another one has its name", async () => {
        const absent = { ...snapshot, name: `${source}@absent` };
        expect(await codeOf(nas.clone(absent, `${root}/clone`, {}))).toBe("NAS_MISSING");
        const other = { ...snapshot, guid: "18446744073709551615" };
        expect(await codeOf(nas.clone(other, `${root}/clone`, {}))).toBe("NAS_MISSING");
        await bench().subject.remover.destroySnapshot(snapshot);
        await nas.createSnapshot({ dataset: source, snapshot: "s" });
        expect(await codeOf(nas.clone(snapshot, `${root}/clone`, {}))).toBe("NAS_MISSING");
        expect(await nas.dataset(`${root}/clone`)).toBeUndefined();
      });

      it("are refused a place below a dataset that is not there", async () => {
        expect(await codeOf(nas.clone(snapshot, `${root}/absent/clone`, {}))).toBe("NAS_MISSING");
      });

      it.each(["x@y", "a b/", "/", "%", "a\tb", "a;id", "a//b"])("are refused the name %j", async (name) => {
        expect(await codeOf(nas.clone(snapshot, `${root}/${name}`, {}))).toBe("NAS_REFUSED");
      });

      it("are not made when what they are to be given is refused", async () => {
        expect(await codeOf(nas.clone(snapshot, `${root}/clone`, { properties: { mountpoint: "/etc" } }))).toBe(
          "NAS_REFUSED",
        );
        expect(await nas.dataset(`${root}/clone`)).toBeUndefined();
      });
    });

    describe("promoting", () => {
      it("makes the origin's snapshots, up to the clone's own, those of the clone", async () => {
        const { somebody } = bench().subject;
        await nas.createSnapshot({ dataset: source, snapshot: "later" });
        const clone = await nas.clone(snapshot, `${root}/clone`, {});
        await nas.createSnapshot({ dataset: clone.name, snapshot: "own" });
        await nas.promote(clone);
        expect(await snapshotsOf(clone.name)).toEqual(["s", "own"]);
        expect(await snapshotsOf(source)).toEqual(["later"]);
        const moved = (await nas.snapshots(clone.name))[0];
        expect(moved).toMatchObject({ name: `${clone.name}@s`, guid: snapshot.guid, createtxg: snapshot.createtxg });
        expect((await present(nas, clone.name)).origin).toBeUndefined();
        expect((await present(nas, source)).origin).toBe(`${clone.name}@s`);
        expect([await somebody.read(clone.name), await somebody.read(source)]).toEqual(["then", "now"]);
      });

      it("of a clone of a clone leaves it a clone of what its origin was one of", async () => {
        const middle = await nas.clone(snapshot, `${root}/middle`, {});
        const own = await nas.createSnapshot({ dataset: middle.name, snapshot: "own" });
        const last = await nas.clone(own, `${root}/last`, {});
        await nas.promote(last);
        expect((await present(nas, last.name)).origin).toBe(snapshot.name);
        expect((await present(nas, middle.name)).origin).toBe(`${last.name}@own`);
        expect((await present(nas, source)).origin).toBeUndefined();
      });

      it("leaves a dataset that is no clone as it is, so it may be done again", async () => {
        const clone = await nas.clone(snapshot, `${root}/clone`, {});
        await nas.promote(clone);
        await nas.promote(clone);
        expect(await snapshotsOf(clone.name)).toEqual(["s"]);
        expect(await present(nas, clone.name)).toMatchObject(identityOf(clone));
      });

      it("is refused when both have a snapshot of the same name, and nothing is moved", async () => {
        const clone = await nas.clone(snapshot, `${root}/clone`, {});
        await nas.createSnapshot({ dataset: clone.name, snapshot: "s" });
        expect(await codeOf(nas.promote(clone))).toBe("NAS_EXISTS");
        expect(await snapshotsOf(source)).toEqual(["s"]);
      });

      it("is refused for what is not there, or is another dataset by now", async () => {
        const clone = await nas.clone(snapshot, `${root}/clone`, {});
        expect(await codeOf(nas.promote({ ...clone, name: `${root}/absent` }))).toBe("NAS_MISSING");
        expect(await codeOf(nas.promote({ ...clone, guid: "1" }))).toBe("NAS_MISSING");
        expect((await present(nas, clone.name)).origin).toBe(snapshot.name);
      });
    });

    describe("renaming", () => {
      it("is unsupported, and changes nothing, where the NAS cannot", async () => {
        if ((await nas.describe()).can.rename) return;
        expect(await codeOf(nas.rename(await present(nas, source), `${root}/renamed`))).toBe("NAS_UNSUPPORTED");
        expect(await nas.dataset(source)).toBeDefined();
      });

      it("gives a dataset another name, with what is below it, its snapshots and its identity", async () => {
        if (!(await nas.describe()).can.rename) return;
        const before = await present(nas, source);
        const { somebody } = bench().subject;
        await somebody.create(`${source}/below`);
        await nas.rename(before, `${root}/renamed`);
        expect(await nas.dataset(source)).toBeUndefined();
        expect(await present(nas, `${root}/renamed`)).toMatchObject({ guid: before.guid, createtxg: before.createtxg });
        expect((await present(nas, `${root}/renamed`)).properties).toEqual({ "x:own": "1" });
        expect((await nas.snapshots(`${root}/renamed`)).map(({ guid }) => guid)).toEqual([snapshot.guid]);
        expect(await nas.dataset(`${root}/renamed/below`)).toBeDefined();
        expect(await somebody.read(`${root}/renamed`)).toBe("now");
      });

      it("is refused a name that is taken, a missing parent, and what is another dataset by now", async () => {
        if (!(await nas.describe()).can.rename) return;
        await bench().subject.somebody.create(`${root}/taken`);
        const dataset = await present(nas, source);
        expect(await codeOf(nas.rename(dataset, `${root}/taken`))).toBe("NAS_EXISTS");
        expect(await codeOf(nas.rename(dataset, `${root}/absent/x`))).toBe("NAS_MISSING");
        expect(await codeOf(nas.rename({ ...dataset, guid: "1" }, `${root}/renamed`))).toBe("NAS_MISSING");
        expect(await codeOf(nas.rename({ ...dataset, name: `${root}/absent` }, `${root}/renamed`))).toBe("NAS_MISSING");
        expect(await codeOf(nas.rename(dataset, `${root}/x@y`))).toBe("NAS_REFUSED");
        expect(identityOf(await present(nas, source))).toEqual(identityOf(dataset));
      });

      it("and promoting put a clone into its origin's place", async () => {
        if (!(await nas.describe()).can.rename) return;
        const { somebody } = bench().subject;
        const old = await present(nas, source);
        const clone = await nas.clone(snapshot, `${root}/clone`, {});
        await nas.rename(old, `${root}/old`);
        await nas.rename(clone, source);
        await nas.promote({ ...clone, name: source });
        expect([await somebody.read(source), await somebody.read(`${root}/old`)]).toEqual(["then", "now"]);
        expect((await present(nas, source)).origin).toBeUndefined();
        expect((await present(nas, `${root}/old`)).origin).toBe(`${source}@s`);
      });
    });
  });
};
