/** On a real zfs-fuse, which without this stops answering within a few hundred mounts. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { openTestSite, type TestSite } from "../nas/truenas/testing/site.ts";
import { execBehind } from "./exec.ts";
import { oneMountAtATime } from "./one-mount-at-a-time.ts";
import { openZfs } from "./zfs.ts";

let site: TestSite;
beforeAll(async () => {
  site = await openTestSite();
});
afterAll(async () => {
  await site?.close();
});

it("lets a daemon that mounts many filesystems side by side live", async () => {
  const zfs = openZfs(oneMountAtATime(execBehind(site.inside)));
  const mountAndUnmount = async (name: string): Promise<void> => {
    await zfs.create(name);
    for (let turn = 0; turn < 40; turn += 1) {
      await zfs.unmount(name);
      await zfs.mount(name);
    }
  };
  const names = ["a", "b", "c", "d", "e", "f", "g", "h"].map((leaf) => `tank/k8s/${leaf}`);
  await Promise.all(names.map(mountAndUnmount));
  const mounted = await Promise.all(names.map((name) => zfs.mounted(name)));
  expect(mounted).toEqual(names.map(() => true));
});
