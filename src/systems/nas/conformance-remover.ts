import { beforeEach, describe, expect, it } from "vitest";
import { type Bench, codeOf, identityOf, present } from "./conformance-bench.ts";
import type { Identity, Nas, NasRemover, Snapshot } from "./port.ts";

/** What destroys, and above all what it does not. */
export const describeRemover = (bench: () => Bench): void => {
  describe("the remover", () => {
    let nas: Nas;
    let remover: NasRemover;
    let name: string;
    let dataset: Identity;
    let snapshot: Snapshot;

    beforeEach(async () => {
      ({ nas, remover } = bench().subject);
      name = `${bench().root}/a`;
      await bench().subject.somebody.create(name);
      dataset = await present(nas, name);
      snapshot = await nas.createSnapshot({ dataset: name, snapshot: "s" });
    });

    const snapshotsOf = async (): Promise<readonly string[]> => (await nas.snapshots(name)).map((one) => one.snapshot);
    /** The dataset, as long as it is the same one, and its snapshots. */
    const left = async () => ({ ...identityOf(await present(nas, name)), snapshots: await snapshotsOf() });
    const datasetWith = (...snapshots: readonly string[]) => ({ ...identityOf(dataset), snapshots });

    describe("destroying a snapshot", () => {
      it("takes that one and no other, and succeeds again when it is gone", async () => {
        await nas.createSnapshot({ dataset: name, snapshot: "t" });
        await remover.destroySnapshot(snapshot);
        expect(await left()).toEqual(datasetWith("t"));
        await remover.destroySnapshot(snapshot);
        await remover.destroySnapshot({ ...snapshot, name: `${bench().root}/absent@s` });
        expect(await left()).toEqual(datasetWith("t"));
      });

      it.each([
        ["GUID", { guid: "18446744073709551615" }],
        ["createtxg", { createtxg: "1" }],
        ["GUID, cut short as numbers are,", {}],
      ])("refuses another %s", async (_, change) => {
        const rounded = { guid: snapshot.guid.slice(0, -1) };
        const other = { ...identityOf(snapshot), ...(Object.keys(change).length === 0 ? rounded : change) };
        expect(await codeOf(remover.destroySnapshot(other))).toBe("NAS_NOT_OURS");
        expect(await left()).toEqual(datasetWith("s"));
      });

      it("refuses a snapshot of another name with this one's identity", async () => {
        const other = await nas.createSnapshot({ dataset: name, snapshot: "t" });
        expect(await codeOf(remover.destroySnapshot({ ...snapshot, name: other.name }))).toBe("NAS_NOT_OURS");
        expect(await left()).toEqual(datasetWith("s", "t"));
      });

      it("leaves what below it has the same name", async () => {
        await bench().subject.somebody.create(`${name}/b`);
        const all = await nas.createSnapshot({ dataset: name, snapshot: "all", recursive: true });
        await remover.destroySnapshot(all);
        expect((await nas.snapshots(`${name}/b`)).map((one) => one.snapshot)).toEqual(["all"]);
      });

      it("is refused while it is held, and leaves no mark that destroys it later", async () => {
        await bench().subject.somebody.hold(snapshot.name);
        expect(await codeOf(remover.destroySnapshot(snapshot))).toBe("NAS_BUSY");
        await bench().subject.somebody.release(snapshot.name);
        expect(await left()).toEqual(datasetWith("s"));
        await remover.destroySnapshot(snapshot);
        expect(await left()).toEqual(datasetWith());
      });

      it("is refused while it has a clone, which stays", async () => {
        const clone = await nas.clone(snapshot, `${bench().root}/clone`, {});
        expect(await codeOf(remover.destroySnapshot(snapshot))).toBe("NAS_HAS_CLONES");
        expect((await present(nas, clone.name)).origin).toBe(snapshot.name);
        expect(await left()).toEqual(datasetWith("s"));
      });

      it("never destroys a dataset, whatever it is asked", async () => {
        expect(await codeOf(remover.destroySnapshot(dataset))).toBe("NAS_REFUSED");
        expect(await left()).toEqual(datasetWith("s"));
      });
    });

    describe("destroying a dataset", () => {
      it("takes it with the snapshots that are named, and succeeds again when it is gone", async () => {
        await remover.destroyDataset(dataset, [snapshot]);
        expect(await nas.dataset(name)).toBeUndefined();
        expect(await nas.snapshots(name)).toEqual([]);
        await remover.destroyDataset(dataset, [snapshot]);
        await remover.destroyDataset({ ...dataset, name: `${bench().root}/absent` }, []);
      });

      it("leaves its neighbours, those whose names begin like its own too", async () => {
        await bench().subject.somebody.create(`${name}b`);
        await remover.destroyDataset(dataset, [snapshot]);
        expect(await nas.dataset(`${name}b`)).toBeDefined();
      });

      it.each([
        ["GUID", { guid: "18446744073709551615" }],
        ["createtxg", { createtxg: "1" }],
      ])("refuses another %s", async (_, change) => {
        const other = { ...identityOf(dataset), ...change };
        expect(await codeOf(remover.destroyDataset(other, [snapshot]))).toBe("NAS_NOT_OURS");
        expect(await left()).toEqual(datasetWith("s"));
      });

      it("refuses a dataset of another name with this one's identity", async () => {
        await bench().subject.somebody.create(`${name}b`);
        expect(await codeOf(remover.destroyDataset({ ...dataset, name: `${name}b` }, []))).toBe("NAS_NOT_OURS");
        expect(await nas.dataset(`${name}b`)).toBeDefined();
      });

      it("refuses one that was made again under the same name", async () => {
        await remover.destroyDataset(dataset, [snapshot]);
        await bench().subject.somebody.create(name);
        expect(await codeOf(remover.destroyDataset(dataset, []))).toBe("NAS_NOT_OURS");
        expect(await nas.dataset(name)).toBeDefined();
      });

      it("refuses when it has one snapshot more than is named, and destroys none", async () => {
        await nas.createSnapshot({ dataset: name, snapshot: "t" });
        expect(await codeOf(remover.destroyDataset(dataset, [snapshot]))).toBe("NAS_NOT_OURS");
        expect(await codeOf(remover.destroyDataset(dataset, []))).toBe("NAS_NOT_OURS");
        expect(await left()).toEqual(datasetWith("s", "t"));
      });

      it("refuses when a snapshot has the name and is another one", async () => {
        await remover.destroySnapshot(snapshot);
        await nas.createSnapshot({ dataset: name, snapshot: "s" });
        expect(await codeOf(remover.destroyDataset(dataset, [snapshot]))).toBe("NAS_NOT_OURS");
        expect(await left()).toEqual(datasetWith("s"));
      });

      it("takes it when a named snapshot is gone already", async () => {
        await remover.destroySnapshot(snapshot);
        await remover.destroyDataset(dataset, [snapshot]);
        expect(await nas.dataset(name)).toBeUndefined();
      });

      it("is refused while a snapshot is held, and destroys none of the others", async () => {
        const other = await nas.createSnapshot({ dataset: name, snapshot: "t" });
        await bench().subject.somebody.hold(other.name);
        expect(await codeOf(remover.destroyDataset(dataset, [snapshot, other]))).toBe("NAS_BUSY");
        expect(await left()).toEqual(datasetWith("s", "t"));
        await bench().subject.somebody.release(other.name);
      });

      it("is refused while a snapshot has a clone, and destroys none", async () => {
        const clone = await nas.clone(snapshot, `${bench().root}/clone`, {});
        const other = await nas.createSnapshot({ dataset: name, snapshot: "t" });
        expect(await codeOf(remover.destroyDataset(dataset, [snapshot, other]))).toBe("NAS_HAS_CLONES");
        expect(await left()).toEqual(datasetWith("s", "t"));
        expect(await nas.dataset(clone.name)).toBeDefined();
      });

      it("is refused while there are datasets below it, and destroys none", async () => {
        await bench().subject.somebody.create(`${name}/b`);
        expect(await codeOf(remover.destroyDataset(dataset, [snapshot]))).toBe("NAS_HAS_CHILDREN");
        expect(await nas.dataset(`${name}/b`)).toBeDefined();
        expect(await left()).toEqual(datasetWith("s"));
      });

      it("is refused while somebody uses it, and can be done when they are gone", async () => {
        const leave = await bench().subject.somebody.use(name);
        expect(await codeOf(remover.destroyDataset(dataset, [snapshot]))).toBe("NAS_BUSY");
        expect(identityOf(await present(nas, name))).toEqual(identityOf(dataset));
        await leave();
        await remover.destroyDataset(dataset, [snapshot]);
        expect(await nas.dataset(name)).toBeUndefined();
      });

      it("destroys a clone and leaves its origin", async () => {
        const clone = await nas.clone(snapshot, `${bench().root}/clone`, {});
        await remover.destroyDataset(clone, []);
        expect(await nas.dataset(clone.name)).toBeUndefined();
        expect(await left()).toEqual(datasetWith("s"));
        await remover.destroySnapshot(snapshot);
      });

      it("never takes a snapshot for a dataset", async () => {
        expect(await codeOf(remover.destroyDataset(snapshot, []))).toBe("NAS_REFUSED");
        expect(await left()).toEqual(datasetWith("s"));
      });
    });
  });
};
