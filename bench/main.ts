/** `npm run bench -- NAME`: a measurement against the bare tool, in one run, on a lab of its own. */
import { benchMany, benchOne } from "../lab/apps/apps.ts";
import { down } from "../lab/down.ts";
import { openLab } from "../lab/lab.ts";
import { createReport } from "../lab/shell/report.ts";
import { benchBackup } from "./backup.ts";
import { benchRestore } from "./restore.ts";
import { benchRestoreZfs } from "./restore-zfs.ts";
import { benchUndelete } from "./undelete.ts";
import { openWorld, type World } from "./world.ts";

const benches: Readonly<Record<string, { readonly what: string; run(world: World, runs: number): Promise<void> }>> = {
  backup: { what: "a backup of everything", run: (world, runs) => benchBackup(world, runs) },
  undelete: { what: "undelete of what Argo CD has pruned, and of what is gone", run: benchUndelete },
  "restore-zfs": { what: "restore from a ZFS snapshot, of 0.2 GB and of 4 GB", run: benchRestoreZfs },
  "restore-velero-one": {
    what: "restore of one volume of 10,000 files and 600 MB",
    run: (world, runs) =>
      benchRestore(world, { name: "restore-velero-one", namespace: benchOne.namespace, apps: [benchOne], runs }),
  },
  "restore-velero-many": {
    what: "restore of eight volumes of 1,250 files each",
    run: (world, runs) =>
      benchRestore(world, { name: "restore-velero-many", namespace: "bench-many", apps: benchMany, runs }),
  },
};

const usage = `Usage: npm run bench -- NAME [RUNS]

${Object.entries(benches)
  .map(([name, { what }]) => `  ${name.padEnd(24)}${what}`)
  .join("\n")}
`;

const end = (status: number) => (): void => void down(openLab("bench")).finally(() => process.exit(status));

const main = async (): Promise<number> => {
  const name = process.argv[2];
  const bench = name !== undefined && Object.hasOwn(benches, name) ? benches[name] : undefined;
  if (bench === undefined) {
    process.stderr.write(name === undefined ? usage : `There is no measurement "${name}".\n\n${usage}`);
    return 2;
  }
  process.once("SIGINT", end(130)).once("SIGTERM", end(143));
  try {
    await bench.run(await openWorld(createReport()), Number(process.argv[3] ?? 3));
    return 0;
  } finally {
    await down(openLab("bench"));
  }
};

process.exitCode = await main();
