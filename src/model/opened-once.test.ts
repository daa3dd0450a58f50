import { describe, expect, it } from "vitest";
import { OpenedOnce } from "./opened-once.ts";

/** Fails as long as it is told to; gives how often it was opened. */
const door = () => {
  const state = { isLocked: false, opened: 0 };
  const once = new OpenedOnce(async () => {
    state.opened += 1;
    await Promise.resolve();
    if (state.isLocked) throw new Error("locked");
    return state.opened;
  });
  return { state, once };
};

describe("what is opened once", () => {
  it("is opened for the first who asks, and shared with all who ask meanwhile and later", async () => {
    const { state, once } = door();
    expect(await once.ifOpened()).toBeUndefined();
    expect(state.opened).toBe(0);
    expect(await Promise.all([once.get(), once.get()])).toEqual([1, 1]);
    expect([await once.get(), await once.ifOpened()]).toEqual([1, 1]);
  });

  it("is tried anew after a failure, which all who asked meanwhile are told", async () => {
    const { state, once } = door();
    state.isLocked = true;
    const asked = await Promise.allSettled([once.get(), once.get()]);
    expect([asked.map(({ status }) => status), state.opened]).toEqual([["rejected", "rejected"], 1]);
    expect(await once.ifOpened()).toBeUndefined();
    state.isLocked = false;
    expect(await once.get()).toBe(2);
  });

  it("tells nobody else of a failure that is on its way", async () => {
    const { state, once } = door();
    state.isLocked = true;
    const [asked, other] = [once.get(), once.ifOpened()];
    await expect(asked).rejects.toThrow("locked");
    expect(await other).toBeUndefined();
  });
});
