import { expect, it } from "vitest";
import { parseMounts } from "./mount-table.ts";

it("reads paths with spaces and any number of optional fields", () => {
  const text = [
    "251 248 0:73 / /mnt/tank/a\\040b rw,relatime shared:80 master:1 - fuse.zfs tank/a\\040b rw,user_id=0",
    "254 242 7:0 / /mnt/t rw,relatime - ext4 /dev/loop0 rw",
    "",
  ].join("\n");
  expect(parseMounts(text)).toEqual([
    { path: "/mnt/tank/a b", fsType: "fuse.zfs", source: "tank/a b" },
    { path: "/mnt/t", fsType: "ext4", source: "/dev/loop0" },
  ]);
});
