/**
 * `holdfast backup --wait` against `velero backup create --wait` of the whole lab, with the same node-agent settings.
 * Holdfast's verification is counted apart. Runs alternate, after one backup that fills the repositories.
 */
import { policyName } from "../lab/velero/settings.ts";
import { median, publish, round, table } from "./result.ts";
import { holdfast, timed, type World } from "./world.ts";

interface Summary {
  readonly type: string;
  readonly seconds: { readonly backup: number; readonly verify: number };
  readonly volumes: readonly object[];
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

const lastLine = (text: string): Summary => JSON.parse(text.trimEnd().split("\n").at(-1) ?? "") as Summary;

export const benchBackup = async (world: World, runs: number): Promise<void> => {
  const { report } = world;
  await report.step("first backup, which fills the repositories", () => world.run(holdfast("backup", "--wait")));
  const times = { ours: [] as number[], verification: [] as number[], theirs: [] as number[] };
  let volumes = 0;
  for (let run = 1; run <= runs; run++) {
    await report.step(`run ${run}: Holdfast`, async () => {
      let summary: Summary | undefined;
      const whole = await timed(
        async () => (summary = lastLine(await world.run(holdfast("backup", "--wait", "--json")))),
      );
      const verify = summary?.seconds.verify ?? Number.NaN;
      volumes = summary?.volumes.length ?? 0;
      times.ours.push(whole - verify);
      times.verification.push(verify);
    });
    await report.step(
      `run ${run}: Velero`,
      async () => void times.theirs.push(await timed(() => world.run(velero(`bare-${run}`)))),
    );
  }
  process.stdout.write(
    `\nbackup\n${table({ "holdfast backup, without verification": times.ours, "its verification": times.verification, "velero backup create": times.theirs })}\n`,
  );
  const copied = JSON.parse(
    await world.kubectl([
      "-n",
      "velero",
      "get",
      "podvolumebackups",
      "-l",
      `velero.io/backup-name=bare-${runs}`,
      "-o",
      "json",
    ]),
  ) as { readonly items: readonly object[] };
  const [own, bare] = [median(times.ours), median(times.theirs)];
  publish({
    name: "backup",
    ours: round(own),
    theirs: round(bare),
    ratio: round(own / bare),
    unit: "s",
    runs,
    verification: round(median(times.verification)),
    volumes,
    theirVolumes: copied.items.length,
  });
};
