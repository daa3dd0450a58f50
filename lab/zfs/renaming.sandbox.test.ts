/** On a real zfs-fuse, which calls some of these busy for as long as their clones are mounted. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { openTestSite, type TestSite } from "../nas/truenas/testing/site.ts";
import { execBehind, output } from "./exec.ts";
import { oneMountAtATime } from "./one-mount-at-a-time.ts";
import { renameTree } from "./renaming.ts";
import { openZfs } from "./zfs.ts";

let site: TestSite;
beforeAll(async () => {
  site = await openTestSite();
});
afterAll(async () => {
  await site?.close();
});

it("renames what has mounted clones, every time", async () => {
  const exec = oneMountAtATime(execBehind(site.inside));
  const zfs = openZfs(exec);
  const turns = Array.from({ length: 30 }, (_, turn) => `tank/k8s/nfs/${turn}`);
  for (const turn of turns) {
    await zfs.create(turn);
    await zfs.create(`${turn}/source`);
    await output(exec, "sh", ["-c", `echo then > /mnt/${turn}/source/text`]);
    await zfs.snapshot(`${turn}/source@s`);
    await zfs.clone(`${turn}/source@s`, `${turn}/clone`);
    await renameTree(zfs, `${turn}/source`, `${turn}/old`);
  }
  const places = turns.flatMap((turn) => [`${turn}/old`, `${turn}/clone`]);
  expect(
    await output(
      exec,
      "cat",
      places.map((place) => `/mnt/${place}/text`),
    ),
  ).toBe("then\n".repeat(places.length));
  expect(await Promise.all(places.map((place) => zfs.mounted(place)))).toEqual(places.map(() => true));
});
