/**
 * `holdfast backup --wait` against `velero backup create --wait` of the whole lab, with the same node-agent settings.
 * Holdfast's verification is counted apart. Runs alternate, after one backup that fills the repositories. Velero copies
 * only what a pod mounts; for a fair comparison the other volumes get a pod, and what staging them costs is measured after.
 */
import { waitForApps } from "../lab/apps/readiness.ts";
import { deployment, idle, mountedClaim } from "../lab/apps/workload.ts";
import { applyObjects } from "../lab/site/kubectl.ts";
import { policyName } from "../lab/velero/settings.ts";
import { holdfastCommand } from "../lab/exec.ts";
import { median, publish, round, table } from "./result.ts";
import { timed, type World } from "./world.ts";

interface Summary {
  readonly type: string;
  readonly backup: string;
  readonly seconds: { readonly backup: number; readonly verify: number };
}

interface Copy {
  readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
  readonly spec: { readonly pod: { readonly namespace: string; readonly name: string } };
}

const velero = (name: string): readonly string[] => [
  "velero",
  "backup",
  "create",
  name,
  "--include-namespaces",
  "*",
  "--default-volumes-to-fs-backup",
  "--snapshot-volumes=false",
  "--resource-policies-configmap",
  policyName,
  "--wait",
];

interface Timed {
  readonly summary: Summary;
  /** Seconds, without the verification. */
  readonly seconds: number;
}

const ours = async (world: World): Promise<Timed> => {
  let output = "";
  const whole = await timed(async () => (output = await world.run(holdfastCommand("backup", "--wait", "--json"))));
  const summary = JSON.parse(output.trimEnd().split("\n").at(-1) ?? "") as Summary;
  return { summary, seconds: whole - summary.seconds.verify };
};

/** What Velero's node-agent copied in one backup. */
const copiesOf = async ({ kubectl }: World, backup: string): Promise<readonly Copy[]> => {
  const selector = `velero.io/backup-name=${backup}`;
  const answer = await kubectl(["-n", "velero", "get", "podvolumebackups", "-l", selector, "-o", "json"]);
  return (JSON.parse(answer) as { readonly items: readonly Copy[] }).items;
};

/** Gives every volume that was copied through a staging pod a pod of its own. Returns what takes them away again. */
const mount = async ({ kubectl }: World, staged: readonly Copy[]): Promise<() => Promise<void>> => {
  const holders = staged.map(({ metadata, spec }, index) => {
    const claim = { name: metadata.annotations["velero.io/pvc-name"] ?? "", mountPath: "/data" };
    const app = { name: `bench-holder-${index}`, namespace: spec.pod.namespace };
    return deployment(app, { command: idle, mounted: [mountedClaim(claim)] });
  });
  await applyObjects(kubectl, holders);
  await waitForApps(kubectl);
  return async () => {
    for (const { metadata } of holders)
      await kubectl([
        "-n",
        metadata?.namespace ?? "",
        "delete",
        "deployment",
        metadata?.name ?? "",
        "--cascade=foreground",
      ]);
  };
};

export const benchBackup = async (world: World, runs: number): Promise<void> => {
  const { report } = world;
  const first = await report.step("first backup, which fills the repositories", () => ours(world));
  const copies = await copiesOf(world, first.summary.backup);
  const staged = copies.filter(({ spec }) => spec.pod.name.startsWith("holdfast-staging-"));
  const unmount = await mount(world, staged);
  const times = { ours: [] as number[], verification: [] as number[], theirs: [] as number[], staging: [] as number[] };
  let newest = first;
  for (let run = 1; run <= runs; run++) {
    await report.step(`run ${run}: Holdfast`, async () => {
      newest = await ours(world);
      times.ours.push(newest.seconds);
      times.verification.push(newest.summary.seconds.verify);
    });
    await report.step(
      `run ${run}: Velero`,
      async () => void times.theirs.push(await timed(() => world.run(velero(`bare-${run}`)))),
    );
  }
  await unmount();
  for (let run = 1; run <= runs; run++)
    await report.step(
      `run ${run}: Holdfast, unmounted volumes staged`,
      async () => void times.staging.push((await ours(world)).seconds),
    );
  process.stdout.write(
    `\nbackup\n${table({
      "holdfast backup, without verification": times.ours,
      "its verification": times.verification,
      "velero backup create": times.theirs,
      "holdfast backup, unmounted volumes through staging": times.staging,
    })}\n`,
  );
  const [own, bare] = [median(times.ours), median(times.theirs)];
  publish({
    name: "backup",
    ours: round(own),
    theirs: round(bare),
    ratio: round(own / bare),
    unit: "s",
    runs,
    verification: round(median(times.verification)),
    volumes: (await copiesOf(world, newest.summary.backup)).length,
    theirVolumes: (await copiesOf(world, `bare-${runs}`)).length,
    withStaging: round(median(times.staging)),
    stagedVolumes: staged.length,
  });
};
