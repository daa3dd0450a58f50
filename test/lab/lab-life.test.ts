/** The life of labs: up, side by side, reset, a lost node, interrupted, down. Runs on the host, with labs of its own. */
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { NamespaceList, PodList } from "kubernetes-types/core/v1.d.ts";
import { waitForApps } from "../../lab/apps/readiness.ts";
import { apps } from "../../lab/apps/apps.ts";
import { checkClaim } from "../../lab/checking.ts";
import { down } from "../../lab/down.ts";
import { checkout, type Lab, openLab, pool } from "../../lab/lab.ts";
import { loseNode, makeNewNode } from "../../lab/machines.ts";
import { seededClaims } from "../../lab/planting.ts";
import { silentReport } from "../../lab/shell/report.ts";
import { RunError } from "../../lab/shell/run.ts";
import { output } from "../../lab/site/daemon.ts";
import { initOf } from "../../lab/site/inside.ts";
import { reset, up } from "../../lab/up.ts";
import { footprintOf, hostState, traces } from "../runner/traces.ts";
import { openRunningLab, type RunningLab } from "./running-lab.ts";

const one = openLab("life-one");
const two = openLab("life-two");

const minutes = 60_000;

const mismatchesOf = async ({ lab, kubectl }: RunningLab): Promise<readonly string[]> => {
  const found: string[] = [];
  for (const { namespace, claim } of seededClaims(apps)) {
    const { mismatches } = await checkClaim(lab, kubectl, { namespace, claim: claim.name });
    found.push(...mismatches.map(({ path, problem }) => `${namespace}/${claim.name} ${path}: ${problem}`));
  }
  return found;
};

const backups = async ({ kubectl }: RunningLab): Promise<string> =>
  (await kubectl(["-n", "velero", "get", "backups", "-o", "name"])).trim();

const backUp = async ({ lab, binary, kubectl }: RunningLab, name: string): Promise<void> => {
  await output(lab, "site", [
    binary("velero"),
    `--kubeconfig=${lab.dir}/kubeconfig`,
    "backup",
    "create",
    name,
    "--include-namespaces",
    "home",
    "--wait",
  ]);
  expect(await kubectl(["-n", "velero", "get", "backup", name, "-o", "jsonpath={.status.phase}"])).toBe("Completed");
};

/** Starts `npm run lab -- up` and kills it after a while, as a user would close the terminal. */
const interruptedUp = async (lab: Lab, milliseconds: number, signal: NodeJS.Signals): Promise<number | null> => {
  const words = ["bootstrap/run.mjs", "lab/main.ts", "--name", lab.name, "up"];
  const child = spawn(process.execPath, words, { cwd: checkout, stdio: "ignore", detached: true });
  const ended = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));
  await sleep(milliseconds);
  process.kill(-child.pid!, signal);
  return ended;
};

let before: readonly string[];

beforeAll(async () => {
  await down(one);
  await down(two);
  before = await hostState();
});

afterAll(async () => {
  await down(one);
  await down(two);
});

describe("a lab", () => {
  it.each([4000, 9000, 16_000])(
    "that is interrupted after %d ms leaves nothing once it is taken down",
    async (time) => {
      expect(await interruptedUp(one, time, "SIGINT")).toBe(130);
      await down(one);
      expect(await traces(one)).toEqual([]);
    },
  );

  it(
    "comes up after its start was killed, and again does nothing when it is up",
    async () => {
      await interruptedUp(one, 12_000, "SIGKILL");
      await up(one, silentReport);
      const site = initOf(one, "site");
      await up(one, silentReport);
      expect(initOf(one, "site")).toBe(site);
      expect(await mismatchesOf(await openRunningLab(one.name))).toEqual([]);
    },
    4 * minutes,
  );

  it(
    "goes back to the clean cluster, as often as one likes",
    async () => {
      const running = await openRunningLab(one.name);
      for (const round of ["first", "second"]) {
        await backUp(running, `before-${round}`);
        await running.kubectl([
          "-n",
          "media",
          "exec",
          "deployment/radarr",
          "--",
          "sh",
          "-c",
          "rm -r /config/MediaCover; touch /config/new",
        ]);
        await running.kubectl(["-n", "misc", "exec", "deployment/toolbox", "--", "rm", "-r", "/host-data/folder-0"]);
        await running.kubectl(["-n", "home", "delete", "deployment,persistentvolumeclaim", "--all", "--wait=false"]);
        await running.kubectl(["create", "namespace", "left-over"]);
        await reset(one, silentReport);
        await waitForApps(running.kubectl);
        expect(await backups(running)).toBe("");
        expect(existsSync(join(one.dir, "nas", "minio", "homelab", "velero", "backups"))).toBe(false);
        expect(await mismatchesOf(running)).toEqual([]);
        const { items } = await running.get<NamespaceList>("namespaces");
        expect(items.map(({ metadata }) => metadata?.name)).not.toContain("left-over");
      }
    },
    5 * minutes,
  );

  it(
    "stays as it is while another one comes up beside it and goes",
    async () => {
      const running = await openRunningLab(one.name);
      const inits = () => (["site", "nas", "node"] as const).map((place) => initOf(one, place));
      const earlier = inits();
      await up(two, silentReport);
      const other = await openRunningLab(two.name);
      await other.kubectl(["create", "namespace", "only-in-two"]);
      const namesIn = async (lab: RunningLab) =>
        (await lab.get<NamespaceList>("namespaces")).items.map(({ metadata }) => metadata?.name);
      expect(await namesIn(running)).not.toContain("only-in-two");
      await Promise.all([waitForApps(running.kubectl), waitForApps(other.kubectl)]);
      const footprint = await footprintOf(two);
      expect((await footprint.left()).length).toBeGreaterThan(20);
      await down(two);
      expect([...(await traces(two)), ...(await footprint.left())]).toEqual([]);
      expect(inits()).toEqual(earlier);
      await waitForApps(running.kubectl);
      expect(await mismatchesOf(running)).toEqual([]);
    },
    5 * minutes,
  );

  it(
    "can lose its node with everything on it and get a new one, while the NAS keeps volumes and backups",
    async () => {
      const running = await openRunningLab(one.name);
      await backUp(running, "before-the-fire");
      const volume = (
        await running.kubectl(["-n", "media", "get", "pvc", "radarr", "-o", "jsonpath={.spec.volumeName}"])
      ).trim();
      const nas = initOf(one, "nas");
      await loseNode(one);
      expect(initOf(one, "node")).toBeUndefined();
      await expect(running.kubectl(["get", "nodes"])).rejects.toThrow(RunError);
      expect(await output(one, "nas", ["zfs", "list", "-H", "-o", "name"])).toContain(`${pool}/k8s/nfs/v/${volume}`);

      await makeNewNode(one);
      expect(initOf(one, "nas")).toBe(nas);
      const { items } = await running.get<PodList>("pods", "-A");
      expect(new Set(items.map(({ metadata }) => metadata?.namespace))).toEqual(new Set(["kube-system", "velero"]));
      // Velero finds the backup in the bucket by itself.
      await expect.poll(() => backups(running), { timeout: minutes, interval: 1000 }).toContain("before-the-fire");
      expect(await output(one, "nas", ["ls", `/mnt/${pool}/k8s/nfs/v/${volume}/MediaCover`])).not.toBe("");
      await reset(one, silentReport);
      expect(await mismatchesOf(running)).toEqual([]);
    },
    5 * minutes,
  );

  it("leaves nothing when it is taken down: no process, mount, namespace, cgroup, rule, setting or file", async () => {
    const footprint = await footprintOf(one);
    expect((await footprint.left()).filter((line) => line.startsWith("loop"))).not.toEqual([]);
    await down(one);
    expect([...(await traces(one)), ...(await footprint.left())]).toEqual([]);
    expect(await hostState()).toEqual(before);
    expect(existsSync(one.dir)).toBe(false);
  });
});
