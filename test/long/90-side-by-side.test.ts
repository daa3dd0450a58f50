/** Holdfast beside itself, beside its dead, and beside a store that loses things. */
import { mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { storageClassNames } from "../../lab/csi/manifests.ts";
import { paths } from "../../lab/lab.ts";
import { runInside } from "../../lab/site/daemon.ts";
import { openRunningLab, type RunningLab } from "../lab/running-lab.ts";
import { ensureBackup } from "../lab/support/a-backup.ts";
import type { BackupResult, StatusAnswer } from "../lab/support/answers.ts";
import { answer, holdfast, holdsSecret, lines, type Ran, startHoldfast, succeed } from "../lab/support/cli.ts";
import {
  checkRestored,
  type ClaimPath,
  inApp,
  inClaim,
  leftovers,
  makeClaim,
  objectsWithSecrets,
  ownEntries,
  pods,
  removeClaim,
  replicas,
  treeOf,
} from "../lab/support/cluster.ts";

const sonarr: ClaimPath = ["media", "sonarr"];
const quiet: ClaimPath = ["misc", "orphan-data"];
const other: ClaimPath = ["misc", "cron-data"];
let lab: RunningLab;
let point: string;
let before: Awaited<ReturnType<typeof replicas>>;

beforeAll(async () => {
  lab = await openRunningLab();
  point = (await ensureBackup()).id;
  before = await replicas(lab);
});

const restoreWords = (...words: readonly string[]): readonly string[] => [
  "restore",
  ...words,
  "--yes",
  "--point",
  point,
];

/** The same restore again and again while another one has the volume. */
const untilFree = async (words: readonly string[]): Promise<Ran> => {
  const deadline = Date.now() + 200_000;
  for (;;) {
    const ran = await holdfast(words);
    if (ran.status !== 11 || Date.now() > deadline) return ran;
    await sleep(500);
  }
};

const asBefore = async (claim: ClaimPath): Promise<void> => {
  const [namespace, name] = claim;
  expect((await checkRestored(lab, { namespace, claim: name })).mismatches).toEqual([]);
  expect(await ownEntries(lab, claim)).toEqual([]);
  expect(await replicas(lab)).toEqual(before);
  expect(await leftovers(lab)).toEqual([]);
};

describe("two restores of one volume", () => {
  it("the second is refused while the first works, and the first ends well", async () => {
    // Of one volume alone it may be through before the second has looked around.
    const first = startHoldfast(restoreWords("media/sonarr", "media/radarr", "media/plex"));
    await first.until("fetching");
    const second = await holdfast(restoreWords("media/sonarr"));
    expect(second).toMatchObject({ status: 11, stderr: expect.stringContaining("(LOCKED)") as string });
    expect(await first.ended).toMatchObject({ status: 0 });
    await asBefore(sonarr);
  });

  it("begun at the same moment: one ends well, the other is refused, and the app runs", async () => {
    const both = await Promise.all([holdfast(restoreWords("media/sonarr")), holdfast(restoreWords("media/sonarr"))]);
    const said = both.map(({ stderr }) => stderr).join("\n");
    expect({
      statuses: both.map(({ status }) => status).toSorted((one, other) => Number(one) - Number(other)),
      said,
    }).toMatchObject({ statuses: [0, 11] });
    await asBefore(sonarr);
  });
});

describe("an agent that dies in the middle, as with its node", () => {
  it("leaves an operation that nothing may pass, and that can be resumed", async () => {
    await inClaim(lab, sonarr, "echo present >present.txt");
    const running = startHoldfast(restoreWords("media/sonarr"));
    await running.until(/putting \d+ files/);
    running.child.kill("SIGKILL");
    await runInside(lab.lab, "node", ["sh", "-c", "kill -9 $(pgrep -f '/job/job[.]json')"]);
    expect(await running.ended).toMatchObject({ status: null });
    const inBetween = (await replicas(lab))["Deployment media/sonarr"];
    expect(inBetween).toBe("0 of 0");
    expect(await ownEntries(lab, sonarr)).toEqual([expect.stringMatching(/^\.holdfast-aside-/)]);
    const another = await untilFree(restoreWords("media/sonarr"));
    expect(another).toMatchObject({ status: 1, stderr: expect.stringContaining("(OPERATION_UNFINISHED)") as string });
    expect(await untilFree(["resume", "--yes"])).toMatchObject({ status: 0 });
    expect(await inClaim(lab, sonarr, "ls present.txt 2>/dev/null || true")).toBe("");
    await asBefore(sonarr);
  });
});

describe("links in a volume that lead to another volume of the same restore", () => {
  it("are removed, and nothing behind them is touched", async () => {
    await succeed(restoreWords(quiet.join("/"), other.join("/")));
    const trees = [await treeOf(lab, quiet), await treeOf(lab, other)];
    // The agent sees the volumes as neighbours: v0 and v1.
    await inClaim(lab, other, "ln -s ../v0 neighbour; ln -s ../v0 .holdfast-discard-evil; ln -s ../../job job");
    await succeed(restoreWords(quiet.join("/"), other.join("/")));
    await inClaim(lab, other, "rm .holdfast-discard-evil");
    expect([await treeOf(lab, quiet), await treeOf(lab, other)]).toEqual(trees);
    await asBefore(quiet);
  });
});

describe("a target that is full", () => {
  const full: ClaimPath = ["misc", "full"];
  beforeAll(() => makeClaim(lab, full, { storageClass: storageClassNames.iscsi, size: "64Mi" }));
  afterAll(() => removeClaim(lab, full));

  it("is refused before its files are touched, although the claim would be large enough", async () => {
    await inClaim(lab, full, "head -c 45000000 /dev/urandom >mine");
    const tree = await treeOf(lab, full);
    const ran = await holdfast(restoreWords("home/mealie", "--to", full.join("/")));
    expect(ran).toMatchObject({ status: 5, stderr: expect.stringContaining("(TARGET_TOO_SMALL)") as string });
    expect(await treeOf(lab, full)).toBe(tree);
    expect(await ownEntries(lab, full)).toEqual([]);
    expect(await leftovers(lab)).toEqual([]);
  });
});

describe("secrets", () => {
  it("are in no log and no object while a restore works, and in none afterwards", async () => {
    const running = startHoldfast(restoreWords("media/sonarr"));
    await running.until("setting the present files");
    const [pod] = await pods(lab, "-n", "holdfast");
    const name = pod?.metadata?.name ?? "";
    const [log, objects] = await Promise.all([
      lab.kubectl(["-n", "holdfast", "logs", "-f", name]),
      lab.kubectl(["get", "pods", "-A", "-o", "json"]),
    ]);
    expect(await running.ended).toMatchObject({ status: 0 });
    expect(log).toContain('"type":"touching"');
    const others = await Promise.all(
      ["deployment/velero", "daemonset/node-agent"].map((of) => lab.kubectl(["-n", "velero", "logs", of])),
    );
    expect([log, objects, ...others].map(holdsSecret)).toEqual([false, false, false, false]);
    expect(await objectsWithSecrets(lab)).toEqual([]);
    await asBefore(sonarr);
  });
});

describe("a store that has lost objects of one repository", () => {
  const packs = (): readonly string[] => readdirSync(repository()).filter((name) => name.startsWith("p"));
  const repository = (): string => join(paths(lab.lab).minioData, "homelab/velero/kopia/dns");
  const away = (): string => join(paths(lab.lab).nasState, "lost");
  let ran: Ran;

  beforeAll(async () => {
    mkdirSync(away());
    const lost = packs();
    for (const name of lost) renameSync(join(repository(), name), join(away(), name));
    try {
      ran = await holdfast(["backup", "--wait", "--json"]);
    } finally {
      for (const name of lost) renameSync(join(away(), name), join(repository(), name));
      rmSync(away(), { recursive: true });
    }
  });

  it("is found out by the verification of the next backup, volume by volume", () => {
    expect(ran.status).toBe(6);
    expect(ran.stderr).toContain("VERIFICATION_FAILED");
    const result = lines<BackupResult>(ran.stdout).find(({ type }) => type === "result");
    expect(Object.keys(result?.failed ?? {})).toEqual(["dns/pihole"]);
    const others = result?.volumes.filter(({ volume }) => volume !== "dns/pihole") ?? [];
    expect(others.length).toBeGreaterThan(10);
    expect(others.filter(({ verdict }) => verdict !== "verified")).toEqual([]);
  });

  it("shows in status, which goes back to the older good copy", async () => {
    const { volumes } = await answer<StatusAnswer>(["status", "-n", "dns"]);
    expect(volumes[0]).toMatchObject({
      verdict: "verified",
      reason: expect.stringContaining("the newest copy failed") as string,
    });
  });

  it("keeps the bad copy from being taken, and from being asked for by name", async () => {
    const { stdout } = await holdfast(["restore", "dns/pihole", "--dry-run", "--json"]);
    const bad = lines<BackupResult>(ran.stdout).find(({ type }) => type === "result")?.point ?? "";
    expect(stdout).not.toContain(bad);
    const named = await holdfast(["restore", "dns/pihole", "--dry-run", "--point", bad]);
    expect(named).toMatchObject({ status: 6, stderr: expect.stringContaining("(COPY_CORRUPT)") as string });
  });

  it("leaves the app alone", async () => {
    expect(await inApp(lab, ["dns", "pihole"], "sh /app/is-ready.sh && echo ready")).toBe("ready");
  });
});
