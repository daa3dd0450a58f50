/** A restore that dies at any moment loses nothing: it is resumed or taken back, and the app is as it was. */
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { openRunningLab, type RunningLab } from "../lab/running-lab.ts";
import { ensureBackup } from "../lab/support/a-backup.ts";
import type { OperationsAnswer } from "../lab/support/answers.ts";
import { answer, holdfast, startHoldfast } from "../lab/support/cli.ts";
import { checkRestored, type ClaimPath, inClaim, leftovers, ownEntries, replicas } from "../lab/support/cluster.ts";

const radarr: ClaimPath = ["media", "radarr"];
let lab: RunningLab;
let before: Readonly<Record<string, string>>;

beforeAll(async () => {
  lab = await openRunningLab();
  await ensureBackup();
  before = await replicas(lab);
});

/** ms after its start at which a restore dies: over the whole of its usual time. */
const moments = Array.from({ length: 24 }, (_, index) => 800 + index * 500);

/** A dead process' lock and agent stand for a while: the user tries again. */
const patiently = async (words: readonly string[]): Promise<number | null> => {
  for (let attempt = 0; attempt < 60; attempt++) {
    const { status } = await holdfast(words);
    if (status !== 11) return status;
    await sleep(2000);
  }
  return 11;
};

const newest = async () => (await answer<OperationsAnswer>(["operations"])).operations[0];

/** `mark` is a file that only the present tree has: it tells which of the two there is in the end. */
const died = async (
  signal: NodeJS.Signals,
  moment: number,
  wish: "resume" | "undo",
  ...more: readonly string[]
): Promise<void> => {
  const earlier = (await newest())?.id;
  await inClaim(lab, radarr, "echo present >present.txt");
  const running = startHoldfast(["restore", "media/radarr", "--yes", ...more]);
  await sleep(moment);
  running.child.kill(signal);
  await running.ended;
  const operation = await newest();
  const isNew = operation !== undefined && operation.id !== earlier;
  const isUnfinished = operation?.status === "forward" || operation?.status === "back";
  if (isNew && isUnfinished) expect(await patiently([wish, operation.id, "--yes"])).toBe(0);
  const end = isNew ? (await newest())?.status : "as-before";
  const marks = await inClaim(lab, radarr, "ls present.txt 2>/dev/null || true");
  expect({ end, marks }).toEqual({ end, marks: end === "done" ? "" : "present.txt\n" });
  await inClaim(lab, radarr, "rm -f present.txt");
  const checked = await checkRestored(lab, { namespace: "media", claim: "radarr" });
  expect(checked.mismatches).toEqual([]);
  expect(checked.chain?.ok).toBe(true);
  expect(await ownEntries(lab, radarr)).toEqual([]);
  expect(await replicas(lab)).toEqual(before);
  expect(await leftovers(lab)).toEqual([]);
};

describe("a restore is killed", () => {
  it.each(moments.filter((_, index) => index % 2 === 0))("without warning, after %i ms, and resumed", (moment) =>
    died("SIGKILL", moment, "resume"),
  );
  it.each(moments.filter((_, index) => index % 4 === 1))("without warning, after %i ms, and undone", (moment) =>
    died("SIGKILL", moment, "undo"),
  );
  it.each(moments.filter((_, index) => index % 8 === 5))(
    "without warning, after %i ms, while Velero's node-agent writes, and resumed",
    (moment) => died("SIGKILL", moment, "resume", "--mover", "node-agent"),
  );
  it.each(moments.filter((_, index) => index % 4 === 3))("by SIGTERM, after %i ms: it goes back by itself", (moment) =>
    died("SIGTERM", moment, "resume"),
  );
});
