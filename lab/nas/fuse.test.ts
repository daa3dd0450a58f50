import { expect, it } from "vitest";
import { run } from "../shell/run.ts";
import { fuseConnections, withoutSync } from "./fuse.ts";

it("finds the FUSE connections among mounts", () => {
  const mounts = [
    "30 1 254:0 / / rw - ext4 /dev/vda rw",
    "88 30 0:54 / /mnt/tank rw,relatime shared:5 - fuse.zfs tank rw,user_id=0",
    "90 30 0:55 /inner /mnt/other rw master:6 - fuse.zfs tank/other rw",
    "91 30 0:55 / /mnt/tank/other rw - fuse.zfs tank/other rw",
    "92 30 0:56 / /run rw - tmpfs fuse.zfs rw",
  ].join("\n");
  expect(fuseConnections(mounts)).toEqual(["54", "55"]);
});

it.runIf(process.getuid?.() === 0)("runs a command whose sync() does nothing, and whose other calls work", async () => {
  const [perl = "", ...rest] = withoutSync();
  expect((await run(perl, [...rest, "sh", "-c", 'sync && echo "$1"', "sh", "two words"])).stdout).toBe("two words\n");
});

it("refuses an unknown processor", () => {
  expect(() => withoutSync("mips")).toThrow("mips");
});
