/**
 * Restoring volumes: `holdfast restore` in place, app stop and start included, against `velero restore create --wait` of
 * the namespace that was deleted before (its deletion is not counted).
 */
import type { AppDefinition } from "../lab/apps/app.ts";
import { waitForApps } from "../lab/apps/readiness.ts";
import { defaultConcurrency } from "../lab/velero/settings.ts";
import { waitFor } from "../lab/wait-for.ts";
import { holdfastCommand } from "../lab/exec.ts";
import { median, publish, round, table } from "./result.ts";
import { demandSeed, install, quieten, setConcurrency, timed, type World } from "./world.ts";

interface Setup {
  readonly name: string;
  readonly namespace: string;
  readonly apps: readonly AppDefinition[];
  readonly runs: number;
}

const backupName = "bench";

const wipe = async ({ kubectl }: World, { namespace, apps }: Setup): Promise<void> => {
  for (const { name, claims } of apps) {
    const path = claims[0]?.mountPath ?? "/data";
    await kubectl(["-n", namespace, "exec", `deployment/${name}`, "--", "sh", "-c", `rm -rf ${path}/* ${path}/.[!.]*`]);
  }
};

const ours = async (world: World, setup: Setup): Promise<number> => {
  await wipe(world, setup);
  const volumes = setup.apps.flatMap(({ namespace, claims }) => claims.map(({ name }) => `${namespace}/${name}`));
  const seconds = await timed(() => world.run(holdfastCommand("restore", ...volumes, "--yes")));
  await demandSeed(world, setup.apps);
  return seconds;
};

const theirs = async (world: World, setup: Setup, run: string): Promise<number> => {
  const { kubectl } = world;
  await kubectl(["delete", "namespace", setup.namespace, "--wait=true", "--timeout=180s"]);
  await waitFor(
    "the volumes to be deleted",
    120,
    async () =>
      !(await kubectl(["get", "persistentvolumes", "-o", "jsonpath={.items[*].spec.claimRef.namespace}"]))
        .split(" ")
        .includes(setup.namespace),
  );
  const seconds = await timed(() =>
    world.run([
      "velero",
      "restore",
      "create",
      run,
      "--from-backup",
      backupName,
      "--include-namespaces",
      setup.namespace,
      "--wait",
    ]),
  );
  const phase = await kubectl(["-n", "velero", "get", "restore", run, "-o", "jsonpath={.status.phase}"]);
  if (phase !== "Completed") throw new Error(`Velero's restore ended as ${phase}`);
  await waitForApps(kubectl);
  await demandSeed(world, setup.apps);
  return seconds;
};

export const benchRestore = async (world: World, setup: Setup): Promise<void> => {
  const { report } = world;
  await report.step("apps and their volumes", async () => {
    await quieten(world);
    await install(world, setup.apps);
  });
  await report.step("backup", () =>
    world.run([
      "velero",
      "backup",
      "create",
      backupName,
      "--include-namespaces",
      setup.namespace,
      "--snapshot-volumes=false",
      "--wait",
    ]),
  );
  const times = { ours: [] as number[], asInstalled: [] as number[], concurrent: [] as number[] };
  for (let run = 1; run <= setup.runs; run++) {
    await report.step(`run ${run}: Holdfast`, async () => void times.ours.push(await ours(world, setup)));
    await setConcurrency(world, 1);
    await report.step(
      `run ${run}: Velero as installed`,
      async () => void times.asInstalled.push(await theirs(world, setup, `one-${run}`)),
    );
    await setConcurrency(world, defaultConcurrency);
    await report.step(
      `run ${run}: Velero, concurrency ${defaultConcurrency}`,
      async () => void times.concurrent.push(await theirs(world, setup, `four-${run}`)),
    );
  }
  process.stdout.write(
    `\n${setup.name}\n${table({ "holdfast restore": times.ours, "velero restore, as installed": times.asInstalled, [`velero restore, node-agent concurrency ${defaultConcurrency}`]: times.concurrent })}\n`,
  );
  const [own, installed, concurrent] = [median(times.ours), median(times.asInstalled), median(times.concurrent)];
  publish({
    name: setup.name,
    ours: round(own),
    theirs: round(installed),
    ratio: round(own / installed),
    unit: "s",
    runs: setup.runs,
    theirsConcurrency4: round(concurrent),
    ratioConcurrency4: round(own / concurrent),
  });
};
