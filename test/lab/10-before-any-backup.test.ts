/** A cluster that nobody has backed up yet. Comes first of all files that share the lab. */
import { beforeAll, describe, expect, it } from "vitest";
import { apps } from "../../lab/apps/apps.ts";
import type { PointsAnswer, StatusAnswer, StatusRow, WhyAnswer } from "./support/answers.ts";
import { answer, holdfast } from "./support/cli.ts";
import { openFolder } from "./support/configs.ts";

const folder = openFolder();
let status: StatusAnswer;

beforeAll(async () => {
  const { points } = await answer<PointsAnswer>(["points"]);
  if (points.length > 0) throw new Error("this needs a lab without backups: npm run lab -- reset");
  status = await answer<StatusAnswer>(["status"]);
});

const row = (volume: string, { volumes }: StatusAnswer = status): StatusRow => {
  const found = volumes.find((candidate) => candidate.volume === volume);
  if (found === undefined) throw new Error(`status has no ${volume}`);
  return found;
};

describe("status before any backup", () => {
  it("lists every claim of the cluster, each missing, and ends with 4", async () => {
    const claims = apps.flatMap(({ namespace, claims }) => claims.map(({ name }) => `${namespace}/${name}`));
    expect(status.volumes.map(({ volume }) => volume)).toEqual(claims.toSorted());
    expect(status.volumes.filter(({ verdict }) => verdict !== "missing")).toEqual([]);
    expect(status).toMatchObject({ protected: false, kit: { proven: false } });
    expect((await holdfast(["status"])).status).toBe(4);
  });

  it.each([
    ["media/sonarr", "never backed up: there is no backup yet"],
    ["misc/data-postgres-like-0", "never backed up: there is no backup yet"],
    ["misc/orphan-data", "no pod mounts it"],
    ["misc/cron-data", "no pod mounts it"],
    ["misc/init-only", "only init containers mount it, and Velero looks at main containers"],
    ["misc/never-bound", "the claim is Pending: it has no data yet"],
  ])("says of %s: %s", (volume, reason) => {
    expect(row(volume)).toMatchObject({ verdict: "missing", reason, excluded: false });
  });

  it("shows the reason that holdfast.yaml gives for what is left out on purpose", () => {
    const reason = "a directory of the node that can be made again";
    expect(row("misc/host-data")).toMatchObject({ reason, excluded: true });
  });

  it("says that Velero skips a hostPath, when nobody has left it out on purpose", async () => {
    const config = folder.config("nothing-excluded", ({ volumes }) => (volumes.exclude = []));
    const { reason, excluded } = row("misc/host-data", await answer<StatusAnswer>(["status", "--config", config]));
    expect(reason).toContain("a hostPath volume: Velero's file-system backup skips those");
    expect(excluded).toBe(false);
  });

  it("names the workloads that use a volume", () => {
    expect(row("media/sonarr").workloads).toEqual(["Deployment/sonarr"]);
    expect(row("misc/data-postgres-like-1").workloads).toEqual(["StatefulSet/postgres-like"]);
    expect(row("misc/cron-data").workloads).toEqual(["CronJob/cron"]);
    expect(row("misc/orphan-data").workloads).toEqual([]);
  });

  it("is a table for people, with its summary below", async () => {
    const { stdout } = await holdfast(["status", "-n", "misc"]);
    expect(stdout).toMatch(/^VOLUME\s+USED BY\s+VERDICT\s+AGE\s+SIZE\s+REASON\n/);
    expect(stdout).toMatch(/^misc\/init-only\s+init-only\s+missing\s+-\s+-\s+only init containers mount it/m);
    expect(stdout).toContain("volumes are NOT protected");
  });
});

describe("before any backup", () => {
  it("why tells what is in the way of a copy, and how backup helps itself", async () => {
    const { gap, copies } = await answer<WhyAnswer>(["why", "orphan-data"]);
    expect(gap).toMatchObject({ code: "not-mounted" });
    expect(copies).toEqual([]);
    const { stdout } = await holdfast(["why", "orphan-data"]);
    expect(stdout).toContain("`holdfast backup` mounts it in a staging pod");
    expect(stdout).toContain("No recovery point has a copy of it.");
  });

  it("points says how to make the first one", async () => {
    const { status: exit, stdout } = await holdfast(["points"]);
    expect(exit).toBe(0);
    expect(stdout).toContain("There is no recovery point yet. `holdfast backup --wait` makes one.");
  });

  it("a restore finds no copy, and ends with 10", async () => {
    const { status: exit, stderr } = await holdfast(["restore", "media/sonarr", "--yes"]);
    expect(exit).toBe(10);
    expect(stderr).toContain("(COPY_MISSING)");
  });
});
