/** What everything that calls itself the NAS' exports must do. */
import { describe, expect, it } from "vitest";
import { ExportExists, ExportMissing, type NasExports } from "./nas-exports.ts";

const share = (path: string) => ({ path, comment: "", enabled: true });
const extent = (name: string) => ({ name, disk: `zvol/tank/${name}`, comment: "", enabled: true });

/** Runs the suite; `open` gives exports that are empty. */
export const nasExportsConformance = (name: string, open: () => Promise<NasExports>): void => {
  describe(`the exports of a NAS: ${name}`, () => {
    it("are empty at first", async () => {
      expect(await (await open()).query("nfs")).toEqual([]);
    });

    it("give back what was made, by ascending id", async () => {
      const exports = await open();
      const [a, b] = [await exports.create("nfs", share("/mnt/a")), await exports.create("nfs", share("/mnt/b"))];
      expect(await exports.query("nfs")).toEqual([a, b]);
      expect(b.id).toBeGreaterThan(a.id);
      expect(a).toMatchObject(share("/mnt/a"));
    });

    it("refuse a second share of a path and a second target of a name", async () => {
      const exports = await open();
      await exports.create("nfs", share("/mnt/a"));
      await exports.create("target", { name: "a", alias: null });
      await expect(exports.create("nfs", share("/mnt/a"))).rejects.toThrow(ExportExists);
      await expect(exports.create("target", { name: "a", alias: null })).rejects.toThrow(ExportExists);
    });

    it("change fields of what is there, and refuse a name that another has", async () => {
      const exports = await open();
      const [a, b] = [await exports.create("nfs", share("/mnt/a")), await exports.create("nfs", share("/mnt/b"))];
      expect(await exports.update("nfs", a.id, { enabled: false })).toEqual({ ...a, enabled: false });
      await expect(exports.update("nfs", a.id, { path: "/mnt/b" })).rejects.toThrow(ExportExists);
      await expect(exports.update("nfs", b.id + 1, {})).rejects.toThrow(ExportMissing);
      expect(await exports.query("nfs")).toEqual([{ ...a, enabled: false }, b]);
    });

    it("lose no export when several are made at once", async () => {
      const exports = await open();
      const made = await Promise.all(Array.from({ length: 10 }, (_, i) => exports.create("nfs", share(`/mnt/${i}`))));
      expect(new Set(made.map(({ id }) => id)).size).toBe(10);
      expect(await exports.query("nfs")).toHaveLength(10);
    });

    it("never give an id twice, so that a stale id names nothing", async () => {
      const exports = await open();
      const { id } = await exports.create("nfs", share("/mnt/a"));
      await exports.remove("nfs", id);
      await exports.remove("nfs", id);
      expect((await exports.create("nfs", share("/mnt/a"))).id).not.toBe(id);
    });

    it("lose a target's associations with it, and keep its extent", async () => {
      const exports = await open();
      const [target, disk] = [
        await exports.create("target", { name: "a", alias: null }),
        await exports.create("extent", extent("a")),
      ];
      await exports.create("targetextent", { target: target.id, extent: disk.id, lunid: 0 });
      await exports.remove("target", target.id);
      expect(await exports.query("targetextent")).toEqual([]);
      expect(await exports.query("extent")).toEqual([disk]);
    });
  });
};
