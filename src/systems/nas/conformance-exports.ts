import { beforeEach, describe, expect, it } from "vitest";
import { type Bench, codeOf, MiB, present } from "./conformance-bench.ts";
import type { IscsiExtent, IscsiTarget, Nas, NfsShare, VolumeExport } from "./port.ts";

const anyShare: NfsShare = { id: 1, path: "/mnt/x", enabled: true, comment: "", settings: {} };
const anyTarget: IscsiTarget = { id: 1, name: "x", alias: undefined, groups: [] };
const anyExtent: IscsiExtent = { id: 1, name: "x", disk: "zvol/x", enabled: true, settings: {} };

/** Shares, targets and extents. */
export const describeExports = (bench: () => Bench): void => {
  describe("exports", () => {
    let nas: Nas;
    let dataset: string;

    beforeEach(() => {
      ({ nas } = bench().subject);
      dataset = `${bench().root}/volume`;
    });

    describe("NFS exports", () => {
      const wanted = () => ({ kind: "nfs" as const, dataset, like: bench().subject.exports?.nfs ?? anyShare });
      const shareAt = async (path: string): Promise<NfsShare | undefined> =>
        (await nas.exports()).nfs.find((share) => share.path === path);

      it("are unsupported, and none are told, where the NAS cannot make them", async () => {
        if ((await nas.describe()).can.nfs) return;
        await bench().subject.somebody.create(dataset);
        expect(await codeOf(nas.createExport(wanted()))).toBe("NAS_UNSUPPORTED");
        expect((await nas.exports()).nfs).toEqual([]);
        expect(await codeOf(nas.removeExport({ kind: "nfs", share: 1, path: "/x" }))).toBe("NAS_UNSUPPORTED");
      });

      it("are made once, with the settings of the share that they are to be like", async () => {
        if (!(await nas.describe()).can.nfs) return;
        await bench().subject.somebody.create(dataset);
        const made = await nas.createExport(wanted());
        const { mountpoint: path = "" } = await present(nas, dataset);
        expect(made).toMatchObject({ kind: "nfs", path });
        expect(await nas.createExport(wanted())).toEqual(made);
        const share = await shareAt(path);
        expect(share).toMatchObject({ enabled: true, settings: wanted().like.settings });
        expect(share?.id).toBe(made.kind === "nfs" ? made.share : undefined);
        expect((await nas.exports()).nfs.filter((one) => one.path === path)).toHaveLength(1);
        await nas.removeExport(made);
      });

      it("are missing their dataset where it is not there", async () => {
        if (!(await nas.describe()).can.nfs) return;
        expect(await codeOf(nas.createExport(wanted()))).toBe("NAS_MISSING");
      });

      it("are removed with success once and again, and the data stays", async () => {
        if (!(await nas.describe()).can.nfs) return;
        await bench().subject.somebody.create(dataset);
        const made = await nas.createExport(wanted());
        await nas.removeExport(made);
        await nas.removeExport(made);
        expect((await nas.exports()).nfs.filter((one) => one.path.endsWith(dataset))).toEqual([]);
        expect(await nas.dataset(dataset)).toBeDefined();
      });

      it("that have become somebody else's are left alone", async () => {
        if (!(await nas.describe()).can.nfs) return;
        const { somebody } = bench().subject;
        await somebody.create(dataset);
        await somebody.create(`${dataset}-2`);
        const made = await nas.createExport(wanted());
        const other = await nas.createExport({ ...wanted(), dataset: `${dataset}-2` });
        if (made.kind !== "nfs" || other.kind !== "nfs") throw new Error("they are shares");
        await nas.removeExport({ ...made, share: other.share });
        await nas.removeExport({ ...other, share: made.share });
        expect(await shareAt(made.path)).toMatchObject({ id: made.share });
        expect(await shareAt(other.path)).toMatchObject({ id: other.share });
        for (const one of [made, other]) await nas.removeExport(one);
      });
    });

    describe("iSCSI exports", () => {
      const wanted = (name = nameOf(dataset)) => ({
        kind: "iscsi" as const,
        dataset,
        name,
        likeTarget: bench().subject.exports?.iscsi?.target ?? anyTarget,
        likeExtent: bench().subject.exports?.iscsi?.extent ?? anyExtent,
      });
      const nameOf = (name: string): string => name.replaceAll("/", "-").toLowerCase();
      const isReady = async (): Promise<boolean> => {
        const isAble = (await nas.describe()).can.iscsi && bench().subject.volumes;
        if (isAble) await bench().subject.somebody.create(dataset, { volsize: 32 * MiB });
        return isAble;
      };
      const partsOf = async (made: VolumeExport) => {
        if (made.kind !== "iscsi") throw new Error("it is no iSCSI export");
        const { targets, extents, targetExtents } = await nas.exports();
        return {
          target: targets.find(({ id }) => id === made.target),
          extent: extents.find(({ id }) => id === made.extent),
          targetExtent: targetExtents.find(({ id }) => id === made.targetExtent),
        };
      };
      const none = { target: undefined, extent: undefined, targetExtent: undefined };

      it("are unsupported, and none are told, where the NAS cannot make them", async () => {
        if ((await nas.describe()).can.iscsi) return;
        await bench().subject.somebody.create(dataset);
        expect(await codeOf(nas.createExport(wanted()))).toBe("NAS_UNSUPPORTED");
        const iscsi = { iqnBase: undefined, targets: [], extents: [], targetExtents: [] };
        expect(await nas.exports()).toMatchObject(iscsi);
        expect(await codeOf(nas.sessions(wanted().name))).toBe("NAS_UNSUPPORTED");
        const made = { kind: "iscsi" as const, target: 1, extent: 1, targetExtent: 1, name: "x", iqn: "x", disk: "x" };
        expect(await codeOf(nas.removeExport(made))).toBe("NAS_UNSUPPORTED");
      });

      it("are made once: a target, an extent of the volume's disk, and LUN 0 that joins them", async () => {
        if (!(await isReady())) return;
        const made = await nas.createExport(wanted());
        const { iqnBase = "" } = await nas.exports();
        const name = nameOf(dataset);
        expect(made).toMatchObject({ kind: "iscsi", name, iqn: `${iqnBase}:${name}`, disk: `zvol/${dataset}` });
        expect(await nas.createExport(wanted())).toEqual(made);
        const { target, extent, targetExtent } = await partsOf(made);
        expect(target).toMatchObject({ name, groups: wanted().likeTarget.groups });
        expect(extent).toMatchObject({ name, disk: `zvol/${dataset}`, enabled: true });
        expect(targetExtent).toMatchObject({ target: target?.id, extent: extent?.id, lun: 0 });
        await nas.removeExport(made);
        expect(await partsOf(made)).toEqual(none);
        await nas.removeExport(made);
        expect(await nas.dataset(dataset)).toBeDefined();
      });

      it("are refused a name that stands for another volume", async () => {
        if (!(await isReady())) return;
        const made = await nas.createExport(wanted());
        await bench().subject.somebody.create(`${dataset}-2`, { volsize: 32 * MiB });
        const other = nas.createExport({ ...wanted(), dataset: `${dataset}-2` });
        expect(await codeOf(other)).toBe("NAS_EXISTS");
        const { extents } = await nas.exports();
        expect(extents.filter(({ disk }) => disk === `zvol/${dataset}-2`)).toEqual([]);
        await nas.removeExport(made);
      });

      it("that have become somebody else's are left alone", async () => {
        if (!(await isReady())) return;
        const made = await nas.createExport(wanted());
        if (made.kind !== "iscsi") throw new Error("it is an iSCSI export");
        await nas.removeExport({ ...made, name: "another-name" });
        const before = await partsOf(made);
        expect(before.target).toBeDefined();
        expect(before.extent).toBeDefined();
        await nas.removeExport({ ...made, disk: "zvol/another/disk" });
        expect((await partsOf(made)).extent).toBeDefined();
        await nas.removeExport(await nas.createExport(wanted()));
      });

      it("stay, whole, while a session uses them", async () => {
        if (!(await isReady())) return;
        const made = await nas.createExport(wanted());
        const initiator = "iqn.1993-08.org.debian:01:abc";
        const logOut = await bench().subject.exports?.iscsi?.logIn(wanted().name, initiator);
        expect(await nas.sessions(wanted().name)).toEqual([initiator]);
        const before = await partsOf(made);
        expect(await codeOf(nas.removeExport(made))).toBe("NAS_BUSY");
        expect(await partsOf(made)).toEqual(before);
        await logOut?.();
        expect(await nas.sessions(wanted().name)).toEqual([]);
        await nas.removeExport(made);
        expect(await partsOf(made)).toEqual(none);
      });
    });

    it("an export is of the volume's own kind", async () => {
      const { can } = await nas.describe();
      if (!can.iscsi) return;
      await bench().subject.somebody.create(dataset);
      const wanted = { kind: "iscsi" as const, dataset, name: "x", likeTarget: anyTarget, likeExtent: anyExtent };
      expect(await codeOf(nas.createExport(wanted))).toBe("NAS_REFUSED");
    });
  });
};
