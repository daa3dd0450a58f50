/** What every journal store must do, whatever it writes to. */
import { describe, expect, it } from "vitest";
import type { JournalStore } from "./port.ts";

export interface JournalUnderTest {
  /** A view of the same store as another process has it. */
  readonly store: () => JournalStore;
  /** Removes an entry behind the store's back. */
  readonly lose: (operation: string, number: number) => Promise<void>;
}

/** `open` gives an empty store. */
export const journalConformance = (open: () => Promise<JournalUnderTest>): void => {
  describe("a journal store", () => {
    it("knows nothing at first", async () => {
      const store = (await open()).store();
      expect([[...(await store.sizes())], await store.read("a-1")]).toEqual([[], []]);
    });

    it("gives entries back in order, to every process", async () => {
      const { store } = await open();
      const texts = Array.from({ length: 12 }, (_, index) => `{"text":"entry ${index}\\n\u00FC"}`);
      for (const [index, text] of texts.entries()) await store().append("a-1", index + 1, text);
      expect(await store().read("a-1")).toEqual(texts);
    });

    it("lists operations in the order of their names, each with the number of its entries", async () => {
      const { store } = await open();
      for (const name of ["b-1", "a-2", "a-1"]) await store().append(name, 1, "{}");
      await store().append("a-2", 2, "{}");
      expect([...(await store().sizes())]).toEqual([
        ["a-1", 1],
        ["a-2", 2],
        ["b-1", 1],
      ]);
    });

    it("keeps operations apart", async () => {
      const { store } = await open();
      await store().append("a-1", 1, "one");
      await store().append("a-1-b", 1, "other");
      expect([await store().read("a-1"), await store().read("a-1-b")]).toEqual([["one"], ["other"]]);
    });

    it("refuses a number that is taken, and keeps what was there", async () => {
      const { store } = await open();
      await store().append("a-1", 1, "first");
      await expect(store().append("a-1", 1, "second")).rejects.toMatchObject({ code: "LOCK_LOST" });
      expect(await store().read("a-1")).toEqual(["first"]);
    });

    it("lets one of two processes have a number", async () => {
      const { store } = await open();
      await store().append("a-1", 1, "begun");
      const both = await Promise.allSettled(["one", "other"].map((text) => store().append("a-1", 2, text)));
      expect(both.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
      const winner = both[0]?.status === "fulfilled" ? "one" : "other";
      expect(await store().read("a-1")).toEqual(["begun", winner]);
    });

    it("removes an operation whole, and nothing else, as often as asked", async () => {
      const { store } = await open();
      for (const name of ["a-1", "a-1-b"]) for (const number of [1, 2]) await store().append(name, number, name);
      for (const _ of ["first", "again"]) await store().remove("a-1");
      expect([...(await store().sizes())]).toEqual([["a-1-b", 2]]);
      expect([await store().read("a-1"), await store().read("a-1-b")]).toEqual([[], ["a-1-b", "a-1-b"]]);
    });

    it("does not read over a gap", async () => {
      const { store, lose } = await open();
      for (const number of [1, 2, 3]) await store().append("a-1", number, String(number));
      await lose("a-1", 2);
      await expect(store().read("a-1")).rejects.toMatchObject({ code: "JOURNAL_UNREADABLE" });
    });
  });
};
