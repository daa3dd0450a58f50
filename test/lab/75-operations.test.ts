/** What was restored can be taken back, and what stopped in the middle goes on or goes back: judged by content. */
import { beforeAll, describe, expect, it } from "vitest";
import { openRunningLab, type RunningLab } from "./running-lab.ts";
import { ensureBackup } from "./support/a-backup.ts";
import type { OperationsAnswer, RestoreResult } from "./support/answers.ts";
import { answer, holdfast, lines, patiently, startHoldfast, succeed } from "./support/cli.ts";
import { checkRestored, type ClaimPath, inClaim, leftovers, ownEntries, pods, replicas } from "./support/cluster.ts";
import { wrongClock } from "./support/wrong-clock.ts";

const radarr: ClaimPath = ["media", "radarr"];
const quiet: ClaimPath = ["misc", "orphan-data"];
let lab: RunningLab;
let point: string;
let before: Readonly<Record<string, string>>;

beforeAll(async () => {
  lab = await openRunningLab();
  point = (await ensureBackup()).id;
  before = await replicas(lab);
});

const restored = async (...volumes: readonly string[]): Promise<string> => {
  const stdout = await succeed(["restore", ...volumes, "--yes", "--json", "--point", point]);
  return lines<RestoreResult>(stdout).find(({ type }) => type === "result")?.operation ?? "";
};

const operation = async (id: string) =>
  (await answer<OperationsAnswer>(["operations"])).operations.find((candidate) => candidate.id === id);

const mark = (claim: ClaimPath, text: string): Promise<string> => inClaim(lab, claim, `echo ${text} >mark.txt`);
const markOf = (claim: ClaimPath): Promise<string> => inClaim(lab, claim, "cat mark.txt 2>/dev/null || true");
const keptIn = async (claim: ClaimPath): Promise<readonly string[]> =>
  (await inClaim(lab, claim, "ls -A")).split("\n").filter((name) => name.startsWith(".holdfast-kept-"));

const podsOf = async ([namespace]: ClaimPath): Promise<readonly string[]> =>
  (await pods(lab, "-n", namespace)).map(({ metadata }) => metadata?.uid ?? "").toSorted();

const asBefore = async (claim: ClaimPath): Promise<void> => {
  expect(await ownEntries(lab, claim)).toEqual([]);
  expect(await replicas(lab)).toEqual(before);
  expect(await leftovers(lab)).toEqual([]);
};

describe("undo", () => {
  it("brings back exactly what was there before the restore, and the undo can be undone", async () => {
    await mark(radarr, "before");
    const id = await restored("media/radarr");
    expect(await markOf(radarr)).toBe("");
    expect(await operation(id)).toMatchObject({ status: "done", setAside: [{ volume: "media/radarr" }] });
    // As much as the seed has, and more than nothing: it is what a user decides by.
    expect((await operation(id))?.setAside[0]?.bytes).toBeGreaterThan(1e6);
    await mark(radarr, "since");
    await succeed(["undo", id, "--yes"]);
    expect(await markOf(radarr)).toBe("before\n");
    expect(await operation(id)).toMatchObject({ status: "undone" });
    await asBefore(radarr);
    const undo = (await answer<OperationsAnswer>(["operations"])).operations[0];
    await succeed(["undo", undo?.id ?? "", "--yes"]);
    expect(await markOf(radarr)).toBe("since\n");
    await inClaim(lab, radarr, "rm mark.txt");
    expect((await checkRestored(lab, { namespace: "media", claim: "radarr" })).mismatches).toEqual([]);
    await asBefore(radarr);
  });

  it("takes one restore back after the other, the latest first", async () => {
    for (const text of ["first", "second"]) {
      await mark(quiet, text);
      await restored(quiet.join("/"));
    }
    for (const text of ["second", "first"]) {
      await succeed(["undo", "--yes"]);
      expect(await markOf(quiet)).toBe(`${text}\n`);
    }
    await inClaim(lab, quiet, "rm mark.txt");
    await asBefore(quiet);
  });

  it("takes several volumes back together", async () => {
    const other: ClaimPath = ["misc", "cron-data"];
    for (const claim of [quiet, other]) await mark(claim, "before");
    const id = await restored(quiet.join("/"), other.join("/"));
    await succeed(["undo", id, "--yes"]);
    for (const claim of [quiet, other]) {
      expect(await markOf(claim)).toBe("before\n");
      await inClaim(lab, claim, "rm mark.txt");
      await asBefore(claim);
    }
  });

  it("is refused without a terminal to ask on, and shows its plan", async () => {
    const id = await restored(quiet.join("/"));
    const { status, stderr } = await holdfast(["undo", id]);
    expect({ status, stderr }).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("bring the earlier files of misc/orphan-data back") as string,
    });
    expect(await succeed(["undo", id, "--dry-run"])).toContain("bring the earlier files of misc/orphan-data back");
    expect(await operation(id)).toMatchObject({ status: "done" });
  });

  it.each([[quiet], [radarr]])("of %s is not kept with --no-undo, and its app runs", async (claim) => {
    const kept = await keptIn(claim);
    await succeed(["restore", claim.join("/"), "--yes", "--no-undo", "--point", point]);
    expect(await keptIn(claim)).toEqual(kept);
    await asBefore(claim);
  });
});

describe("a volume that cannot hold the copy beside its files", () => {
  it("is left alone, and with --make-room gives its files up for the copy", async () => {
    const name = quiet.join("/");
    const kept = await keptIn(quiet);
    // Not to be compressed; dd ends with an error when the volume is full.
    await inClaim(lab, quiet, "dd if=/dev/urandom of=filler bs=1M 2>/dev/null || sync filler");
    const refused = await holdfast(["restore", name, "--yes", "--point", point]);
    expect(refused).toMatchObject({ status: 5, stderr: expect.stringContaining("--make-room") as string });
    expect(await inClaim(lab, quiet, "ls filler")).toBe("filler\n");
    expect(await keptIn(quiet)).toEqual(kept);
    await succeed(["restore", name, "--yes", "--make-room", "--point", point]);
    const [namespace, claim] = quiet;
    expect((await checkRestored(lab, { namespace, claim })).mismatches).toEqual([]);
    expect(await keptIn(quiet)).toEqual(kept);
    await asBefore(quiet);
  }, 300_000);
});

describe("settle", () => {
  it.each([[quiet], [radarr]])("frees what was set aside in %s, and nothing whose time is not over", async (claim) => {
    const id = await restored(claim.join("/"));
    expect(await keptIn(claim)).toContain(`.holdfast-kept-${id}`);
    expect(await succeed(["settle", "--yes"])).toContain("Nothing is set aside whose time is over");
    const podsBefore = await podsOf(claim);
    await succeed(["settle", id, "--yes"]);
    // No app is stopped for it.
    expect(await podsOf(claim)).toEqual(podsBefore);
    expect(await keptIn(claim)).not.toContain(`.holdfast-kept-${id}`);
    expect(await operation(id)).toMatchObject({ status: "settled", setAside: [] });
    const refused = await holdfast(["undo", id, "--yes"]);
    expect(refused).toMatchObject({ status: 5, stderr: expect.stringContaining("(OPERATION_NOT_UNDOABLE)") as string });
  });
});

/** What each mover says when it writes files. */
const writing = { kopia: /putting \d+ files/, "node-agent": "0 files, " } as const;

describe("a restore whose process is killed", () => {
  // Every moment, and the other two, are in the long run.
  it.each([
    ["kopia", "resume"],
    ["node-agent", "undo"],
  ] as const)("while %s writes lets nothing else begin, and ends well with %s", async (mover, wish) => {
    await mark(radarr, "present");
    const running = startHoldfast(["restore", "media/radarr", "--yes", "--json", "--point", point, "--mover", mover]);
    await running.until(writing[mover]);
    running.child.kill("SIGKILL");
    await running.ended;
    const another = await patiently(["restore", "media/radarr", "--yes", "--point", point]);
    expect(another).toMatchObject({ status: 1, stderr: expect.stringContaining("(OPERATION_UNFINISHED)") as string });
    const { status, stderr } = await patiently([wish, "--yes"]);
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(await markOf(radarr)).toBe(wish === "resume" ? "" : "present\n");
    await inClaim(lab, radarr, "rm -f mark.txt");
    expect((await checkRestored(lab, { namespace: "media", claim: "radarr" })).mismatches).toEqual([]);
    await asBefore(radarr);
  });
});

describe("a process that was paused", () => {
  it("does nothing more when another one has gone on in the meantime", async () => {
    const first = startHoldfast(["restore", "media/radarr", "--yes", "--point", point]);
    await first.until("setting the present files");
    first.child.kill("SIGSTOP");
    const second = await patiently(["resume", "--yes"]);
    expect({ status: second.status, stderr: second.stderr }).toMatchObject({ status: 0 });
    first.child.kill("SIGCONT");
    const { status, stderr } = await first.ended;
    expect({ status, stderr }).toMatchObject({ status: 11, stderr: expect.stringContaining("(LOCK_LOST)") as string });
    expect((await checkRestored(lab, { namespace: "media", claim: "radarr" })).mismatches).toEqual([]);
    await asBefore(radarr);
  });
});

describe("a laptop whose clock is wrong by a day", () => {
  const hour = 3_600_000;

  it.each([
    ["ahead", 24 * hour],
    ["behind", -24 * hour],
  ])(
    "%s, dies in the middle: a right clock goes on, the wrong one undoes that, and nothing stays locked",
    async (_, off) => {
      const restore = ["restore", "media/radarr", "--yes", "--point", point];
      await mark(radarr, "before");
      const wrong = startHoldfast(restore, { env: wrongClock(off) });
      await wrong.until("setting the present files");
      wrong.child.kill("SIGKILL");
      await wrong.ended;
      // Nobody begins anew on it, and nobody is kept out for longer than by a lock that was taken at the right time.
      const unfinished = { status: 1, stderr: expect.stringContaining("(OPERATION_UNFINISHED)") as string };
      expect(await patiently(restore)).toMatchObject(unfinished);
      const { operations } = await answer<OperationsAnswer>(["operations"]);
      const left = operations.find(({ status }) => status === "forward");
      // Else the clock was right after all.
      expect(Math.abs(Date.parse(left?.began ?? "") - Date.now() - off)).toBeLessThan(hour);
      expect(await patiently(["resume", left?.id ?? "", "--yes"])).toMatchObject({ status: 0 });
      expect(await markOf(radarr)).toBe("");
      await succeed(["undo", left?.id ?? "", "--yes"], { env: wrongClock(off) });
      expect(await markOf(radarr)).toBe("before\n");
      await inClaim(lab, radarr, "rm mark.txt");
      await asBefore(radarr);
    },
  );
});
