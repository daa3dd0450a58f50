/**
 * `npm run demo`: a real cluster loses the data of an app and gets it back, and Argo CD prunes claims twice: once before
 * they were guarded and once after. Everything that is claimed is checked, against the seed from which the lab planted the
 * files and not against the backup. Exit status 1 when anything is not true.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { generateIdentity, identityToRecipient } from "age-encryption";
import { checkClaim, type CheckedVolume } from "../lab/checking.ts";
import { down } from "../lab/down.ts";
import { installArgoCd } from "../lab/gitops/install.ts";
import { execOnLaptop, holdfastCommand, laptopEnvironment } from "../lab/exec.ts";
import { openLab } from "../lab/lab.ts";
import { tools } from "../lab/parts.ts";
import { createReport } from "../lab/shell/report.ts";
import { runInside } from "../lab/site/daemon.ts";
import { type Kubectl, kubectlOf } from "../lab/site/kubectl.ts";
import { readState } from "../lab/state.ts";
import { up } from "../lab/up.ts";
import { guarded, type Theatre, unguarded } from "./incident.ts";
import { createStages, demand, NotTrue } from "./stages.ts";

const lab = openLab("demo");
const report = createReport();
const keep = process.argv.includes("--keep");
const sonarr = { namespace: "media", claim: "sonarr" };
const volume = `${sonarr.namespace}/${sonarr.claim}`;
const write = (text: string): void => void process.stdout.write(text);

interface Summary {
  readonly files: number;
  readonly bytes: number;
  readonly mismatches: number;
  readonly rowsBefore: number;
  readonly rowsAfter: number;
}

const laptop = (): NodeJS.ProcessEnv => {
  const state = readState(lab);
  if (state === undefined) throw new NotTrue("the lab is not up");
  return laptopEnvironment(lab, state.tools);
};

const holdfast = async (...words: readonly string[]): Promise<number> => {
  write(`$ holdfast ${words.join(" ")}\n`);
  return execOnLaptop(lab, laptop(), holdfastCommand(...words));
};

const ask = async (...words: readonly string[]): Promise<string> =>
  (await runInside(lab, "site", holdfastCommand(...words), { env: laptop() })).stdout;

const makeKit = async (): Promise<void> => {
  const [kit, key] = [join(lab.dir, "lab.kit"), join(lab.dir, "kit-identity")];
  const identity = await generateIdentity();
  writeFileSync(key, `${identity}\n`, { mode: 0o600 });
  const recipient = await identityToRecipient(identity);
  demand((await holdfast("kit", "create", "--out", kit, "--recipient", recipient, "--yes")) === 0, "no kit was made");
  demand((await holdfast("kit", "check", kit, "--identity", key)) === 0, "the kit does not open the backups");
};

const rowsOf = (checked: CheckedVolume): number => checked.chain?.lastSeq ?? 0;

const loseEverything = async (kubectl: Kubectl): Promise<void> => {
  const command = "rm -rf /config/* /config/.[!.]*; ls -la /config";
  write(`$ kubectl -n media exec deployment/sonarr -- sh -c '${command}'\n`);
  write(await kubectl(["-n", "media", "exec", "deployment/sonarr", "--", "sh", "-c", command]));
  const left = await checkClaim(lab, kubectl, sonarr);
  demand(left.files === 0 || left.mismatches.length > 0, "the volume still has its files after they were removed");
  write(`\nAgainst the seed: ${left.mismatches.length} differences. The data is gone.\n`);
};

const proveReturn = async (kubectl: Kubectl, rowsBefore: number): Promise<Summary> => {
  const checked = await checkClaim(lab, kubectl, { ...sonarr, restored: true });
  write(
    `${checked.files} files with ${checked.bytes} bytes compared with the seed: ${checked.mismatches.length} differences\n`,
  );
  for (const { path, problem } of checked.mismatches.slice(0, 10)) write(`  ${path}: ${problem}\n`);
  demand(checked.files > 0 && checked.mismatches.length === 0, "a restored file differs from the seed");
  demand(
    checked.chain?.ok === true,
    `Sonarr's database is not sound: ${checked.chain?.integrity ?? "it cannot be read"}`,
  );
  const rowsAfter = rowsOf(checked);
  write(
    `database: integrity ${checked.chain?.integrity}, ${rowsAfter} rows without a gap; ${rowsBefore} were committed before the backup began\n`,
  );
  demand(rowsAfter >= rowsBefore, "a row that was committed before the backup is missing");
  return { files: checked.files, bytes: checked.bytes, mismatches: checked.mismatches.length, rowsBefore, rowsAfter };
};

/** The app goes on where it was: its database grows. */
const proveLife = async (kubectl: Kubectl, rowsAfter: number): Promise<void> => {
  for (let attempt = 0; attempt < 40; attempt++) {
    if (rowsOf(await checkClaim(lab, kubectl, { ...sonarr, restored: true })) > rowsAfter) return;
  }
  throw new NotTrue("Sonarr does not write to its database again");
};

const summaryTable = (summary: Summary, seconds: Readonly<Record<string, number>>): string => {
  const lines = [
    [
      "files equal to the seed",
      `${summary.files} (${(summary.bytes / 1e6).toFixed(0)} MB), ${summary.mismatches} differences`,
    ],
    ["rows before the backup / now", `${summary.rowsBefore} / ${summary.rowsAfter}`],
    ...Object.entries(seconds).map(([stage, time]) => [stage, `${time.toFixed(1)} s`]),
  ];
  return `${lines.map(([what = "", value = ""]) => `  ${what.padEnd(30)}${value}`).join("\n")}\n`;
};

const tell = async (): Promise<void> => {
  const stages = createStages(write);
  await stages.run("lab", "A homelab: Kubernetes, Velero, a NAS with ZFS and MinIO, and the apps", async () => {
    await down(lab);
    await up(lab, report);
  });
  const kubectl = kubectlOf(lab, await tools(lab, ["kubectl"], report));
  await stages.run("status", "What is protected? Nothing yet", async () => {
    demand((await holdfast("status")) === 4, "status should end with 4 while nothing is protected");
  });
  const rowsBefore = rowsOf(await checkClaim(lab, kubectl, sonarr));
  await stages.run("backup", "One backup of everything, verified in the bucket", async () => {
    demand((await holdfast("backup", "--wait")) === 0, "the backup or its verification failed");
  });
  await stages.run("kit", "A kit outside the cluster: what opens the backups when the cluster is gone", makeKit);
  await stages.run("statusAfter", "What is protected now?", async () => {
    demand((await holdfast("status")) === 0, "status should end with 0 when everything is protected");
  });
  await stages.run("loss", "Sonarr loses everything", () => loseEverything(kubectl));
  await stages.run("restore", "Sonarr gets it back", async () => {
    demand((await holdfast("restore", volume, "--yes")) === 0, "the restore failed");
  });
  const summary = await stages.run("proof", "Is it really back?", async () => {
    const proven = await proveReturn(kubectl, rowsBefore);
    await proveLife(kubectl, proven.rowsAfter);
    write("and Sonarr is writing to it again\n");
    return proven;
  });
  const theatre: Theatre = { lab, kubectl, write, show: holdfast, ask };
  await stages.run("argocd", "Argo CD comes, and deploys the apps from git", async () => {
    await installArgoCd({ lab, kubectl, report });
  });
  const incident = {
    unguarded: await stages.run("unguarded", "A commit removes two claims from git. Nobody has guarded them", () =>
      unguarded(theatre),
    ),
    guarded: await stages.run("guarded", "The same commit, when the volumes are guarded", () => guarded(theatre)),
  };
  if (!keep) await stages.run("down", "Nothing stays behind", () => down(lab));
  else write(`\nThe lab stays up: npm run lab -- --name demo exec -- bash\n`);
  write(`\n${summaryTable(summary, stages.seconds)}\n`);
  const { files, bytes, mismatches } = summary;
  write(`${JSON.stringify({ files, bytes, mismatches, incident, seconds: stages.seconds })}\n`);
};

const end = (status: number) => (): void => void down(lab).finally(() => process.exit(status));
process.once("SIGINT", end(130)).once("SIGTERM", end(143));

try {
  await tell();
} catch (error) {
  if (!(error instanceof Error)) throw error;
  process.stderr.write(`\nThe demo did not show what it should: ${error.message}\n`);
  if (!(error instanceof NotTrue) && process.env.HOLDFAST_DEBUG === "1") process.stderr.write(`${error.stack}\n`);
  if (!keep) await down(lab);
  process.exitCode = 1;
}
