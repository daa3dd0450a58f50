import { expect, it } from "vitest";
import { destroyWhenFree } from "./destroy-when-free.ts";
import { ZfsError } from "./zfs-error.ts";

const refusals = (texts: readonly string[]) => {
  const left = [...texts];
  return {
    left,
    destroy: async (): Promise<void> => {
      const text = left.shift();
      if (text !== undefined) throw new ZfsError(["destroy", "-r", "tank/a"], text);
    },
  };
};

it("destroys as soon as nobody uses the dataset any more", async () => {
  const zfs = refusals(["dataset is busy", "umount: /mnt/tank/a: target is busy."]);
  await destroyWhenFree(zfs, "tank/a", { giveUpAfterMs: 5000, longestPauseMs: 1 });
  expect(zfs.left).toEqual([]);
});

it("gives up when the time is over, saying why", async () => {
  const busy = destroyWhenFree(refusals(["dataset is busy", "dataset is busy"]), "tank/a", {
    giveUpAfterMs: 0,
    longestPauseMs: 1,
  });
  await expect(busy).rejects.toMatchObject({ kind: "busy" });
});

it("does not wait for what time does not mend", async () => {
  const zfs = refusals(["filesystem has dependent clones", "never asked"]);
  await expect(destroyWhenFree(zfs, "tank/a", { giveUpAfterMs: 5000, longestPauseMs: 1 })).rejects.toMatchObject({
    kind: "has-clones",
  });
  expect(zfs.left).toEqual(["never asked"]);
});
