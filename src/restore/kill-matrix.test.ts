/** Every step of every plan, killed before, in the middle and after, then resumed and, in another world, undone. */
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Plan } from "../model/plan.ts";
import { guardScenes } from "../guard/protect/testing/scene.ts";
import { killEverywhere, type Matrix, type Scene, wantedDeaths, type Wish } from "../operation/testing/kill-matrix.ts";
import { type Killed, killReport } from "../operation/testing/kill-report.ts";
import { aRetireScene } from "../guard/retire/testing/scene.ts";
import { anUndeleteScene } from "../guard/undelete/testing/scene.ts";
import { aScene } from "./testing/scene.ts";
import { aZfsScene } from "./zfs/testing/scene.ts";

interface Stoppable extends Scene {
  stop(): void;
}

const open: Readonly<Record<string, () => Promise<Stoppable>>> = {
  "Restore in place": () => aScene({ keepFor: "7d" }),
  "Restore in place without an undo": () => aScene({ keepFor: undefined }),
  "Restore in place where there is no room for both": () => aScene({ makeRoom: true }),
  "Restore in place by Velero's node-agent": () => aScene({ keepFor: "7d", mover: "node-agent" }),
  "Restore from a ZFS snapshot, NFS": () => aZfsScene("nfs"),
  "Restore from a ZFS snapshot, iSCSI": () => aZfsScene("iscsi"),
  "Restore of a guarded volume from a ZFS snapshot": () => aZfsScene("nfs", { guarded: true }),
  "The guard is turned on": guardScenes("on"),
  "The guard is turned off": guardScenes("off"),
  "The guard gets another mode": guardScenes("another mode"),
  "The guard is opened for a deletion": guardScenes("allow-delete"),
  "Undelete of a claim on its way out": () => anUndeleteScene("claim"),
  "Undelete of a claim whose volume is kept": () => anUndeleteScene("pv"),
  "Undelete with the namespace": () => anUndeleteScene("namespace"),
  "Undelete of a claim that was retired": () => anUndeleteScene("trash"),
  "Undelete of a claim whose bytes are gone, without the files": () => anUndeleteScene("copy"),
  "A volume is retired": () => aRetireScene("alone"),
  "A volume is retired that git has": () => aRetireScene("by a commit"),
  "The trash is emptied": () => aRetireScene("empty"),
};
const names = Object.keys(open);
const wishes = ["resume", "undo"] as const;

const scenes: Stoppable[] = [];
const found = new Map<string, { plan: Plan; matrices: Partial<Record<Wish, Matrix>> }>();

const openOne = async (name: string): Promise<Stoppable> => {
  const scene = await open[name]?.();
  if (scene === undefined) throw new Error(`no scene ${name}`);
  scenes.push(scene);
  return scene;
};

beforeAll(async () => {
  for (const name of names) found.set(name, { plan: (await openOne(name)).plan, matrices: {} });
});
afterEach(() => {
  for (const scene of scenes.splice(0)) scene.stop();
});

describe.each(names)("%s, killed at every call of every step", (name) => {
  it.each(wishes)("then %s: all of it or nothing of it", async (wish) => {
    const { plan, matrices } = found.get(name) ?? { plan: undefined, matrices: {} };
    if (plan === undefined) throw new Error("no plan");
    const matrix = await killEverywhere(wish, () => openOne(name));
    expect([...matrix.keys()].toSorted()).toEqual(["outside", ...wantedDeaths(plan)].toSorted());
    matrices[wish] = matrix;
  });
});

describe("the report", () => {
  const killed = (): readonly Killed[] =>
    [...found].map(
      ([
        name,
        {
          plan,
          matrices: { resume = new Map(), undo = new Map() },
        },
      ]) => ({
        name,
        plan,
        matrices: { resume, undo },
      }),
    );

  it("is what is written down", async () => {
    await expect(killReport(killed())).toMatchFileSnapshot("../../docs/design/kill-matrix.md");
  });
});
