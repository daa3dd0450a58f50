/** A restore that dies at any moment loses nothing: the same restore afterwards ends well, and the app is as it was. */
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { openRunningLab, type RunningLab } from "../lab/running-lab.ts";
import { ensureBackup } from "../lab/support/a-backup.ts";
import { holdfast, startHoldfast } from "../lab/support/cli.ts";
import { checkRestored, leftovers, ownEntries, replicas } from "../lab/support/cluster.ts";

let lab: RunningLab;
let before: Readonly<Record<string, string>>;

beforeAll(async () => {
  lab = await openRunningLab();
  await ensureBackup();
  before = await replicas(lab);
});

/** ms after its start at which a restore dies: over the whole of its usual time. */
const moments = Array.from({ length: 24 }, (_, index) => 800 + index * 500);

const untilItMay = async (words: readonly string[]): Promise<number | null> => {
  for (let attempt = 0; attempt < 120; attempt++) {
    const { status } = await holdfast(words);
    if (status !== 11) return status;
    await sleep(2000);
  }
  return 11;
};

const died = async (signal: NodeJS.Signals, moment: number): Promise<void> => {
  const words = ["restore", "media/radarr", "--yes"];
  const running = startHoldfast(words);
  await sleep(moment);
  running.child.kill(signal);
  await running.ended;
  expect(await untilItMay(words)).toBe(0);
  const checked = await checkRestored(lab, { namespace: "media", claim: "radarr" });
  expect(checked.mismatches).toEqual([]);
  expect(checked.chain?.ok).toBe(true);
  expect(await ownEntries(lab, ["media", "radarr"])).toEqual([]);
  expect(await replicas(lab)).toEqual(before);
  expect(await leftovers(lab)).toEqual([]);
};

describe("a restore is killed", () => {
  it.each(moments.filter((_, index) => index % 2 === 0))("without warning, after %i ms", (moment) =>
    died("SIGKILL", moment),
  );
  it.each(moments.filter((_, index) => index % 2 === 1))("by SIGTERM, after %i ms", (moment) =>
    died("SIGTERM", moment),
  );
});
