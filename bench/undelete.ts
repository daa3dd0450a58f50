/**
 * `holdfast undelete`, from the command's start to the claim that is Bound again, with Argo CD on the cluster and its freeze
 * included. How long the app's pod takes to end is its own affair, and is taken off. The bare way, by hand, was 0.9 s.
 */
import { idleApp } from "../lab/apps/workload.ts";
import { nfsClaim } from "../lab/apps/claims.ts";
import { boundTime } from "../lab/gitops/bound-time.ts";
import { incidentApps, prune, revert } from "../lab/gitops/incident.ts";
import { installArgoCd } from "../lab/gitops/install.ts";
import { waitForApplications } from "../lab/gitops/state.ts";
import { waitFor } from "../lab/wait-for.ts";
import { holdfastCommand } from "../lab/exec.ts";
import { median, publish, round, table } from "./result.ts";
import { demandSeed, install, type World } from "./world.ts";

const namespace = "bench-undelete";
const kept = idleApp({ name: "kept", namespace }, [nfsClaim(namespace, { name: "kept", mountPath: "/data" })]);
const keptName = `${namespace}/kept`;

/** Deletes the claim of the app that stands still; its PV stays, Released. */
const deleteClaim = async ({ kubectl }: World): Promise<string> => {
  const pv = (await kubectl(["-n", namespace, "get", "pvc", "kept", "-o", "jsonpath={.spec.volumeName}"])).trim();
  const retain = JSON.stringify({ spec: { persistentVolumeReclaimPolicy: "Retain" } });
  await kubectl(["patch", "pv", pv, "-p", retain]);
  await kubectl(["-n", namespace, "delete", "pvc", "kept", "--timeout=60s"]);
  return pv;
};

const undelete = async (world: World, ...volumes: readonly string[]): Promise<number> => {
  const began = Date.now();
  await world.run(holdfastCommand("undelete", ...volumes, "--yes", "--json"));
  const { seconds, parts } = await boundTime((...words) => world.run(holdfastCommand(...words)), began);
  const texts = Object.entries(parts).map(([part, time]) => `${part} ${time.toFixed(2)}`);
  process.stdout.write(`${volumes.join(", ")}: ${texts.join(", ")}\n`);
  return seconds;
};

/** Takes back what keeps a claim that was brought back from being pruned again. */
const disarm = async ({ kubectl }: World): Promise<void> => {
  const keys = ["argocd.argoproj.io/sync-options-", "argocd.argoproj.io/compare-options-"];
  for (const { namespace, name } of incidentApps) await kubectl(["-n", namespace, "annotate", "pvc", name, ...keys]);
};

/** The incident: Argo CD prunes the claims of two running apps. */
const pruned = async (world: World): Promise<number> => {
  await prune(world);
  const seconds = await undelete(world, ...incidentApps.map((app) => `${app.namespace}/${app.name}`));
  await revert(world);
  await disarm(world);
  await waitForApplications(
    world.kubectl,
    incidentApps.map(({ name }) => name),
  );
  await demandSeed(world, incidentApps);
  return seconds;
};

const released = async (world: World): Promise<number> => {
  await deleteClaim(world);
  return undelete(world, keptName);
};

const withoutVolume = async (world: World): Promise<number> => {
  const pv = await deleteClaim(world);
  await world.kubectl(["delete", "pv", pv, "--timeout=60s"]);
  return undelete(world, keptName);
};

export const benchUndelete = async (world: World, runs: number): Promise<void> => {
  const { report, kubectl } = world;
  await report.step("Argo CD and an app that stands still", async () => {
    await installArgoCd(world);
    await install(world, [kept]);
    const write = "echo kept >/data/mark.txt; sync /data/mark.txt";
    await kubectl(["-n", namespace, "exec", "deployment/kept", "--", "sh", "-c", write]);
    await kubectl(["-n", namespace, "scale", "deployment/kept", "--replicas=0"]);
    await waitFor("its pod to end", 60, async () => (await kubectl(["-n", namespace, "get", "pods"])).trim() === "");
    // What is written to the bucket now is what tells of a claim whose PersistentVolume is gone too.
    await world.run(holdfastCommand("backup", "--wait"));
  });
  const times = { pruned: [] as number[], released: [] as number[], withoutVolume: [] as number[] };
  for (let run = 1; run <= runs; run++) {
    await report.step(`run ${run}: pruned by Argo CD`, async () => void times.pruned.push(await pruned(world)));
    await report.step(`run ${run}: claim gone`, async () => void times.released.push(await released(world)));
    await report.step(
      `run ${run}: claim and PersistentVolume gone`,
      async () => void times.withoutVolume.push(await withoutVolume(world)),
    );
  }
  process.stdout.write(
    `\nundelete, until Bound\n${table({ "two claims of running apps, pruned by Argo CD": times.pruned, "a claim that is gone": times.released, "claim and PersistentVolume gone": times.withoutVolume })}\n`,
  );
  publish({
    name: "undelete",
    ours: round(median(times.pruned)),
    theirs: null,
    ratio: null,
    unit: "s",
    runs,
    claimGone: round(median(times.released)),
    volumeGone: round(median(times.withoutVolume)),
  });
};
