/**
 * Plants and checks directories: `main.ts plant|check DIR --shape SHAPE --seed SEED` prints one JSON object, and
 * `main.ts plant-all`, which reads an array of {directory, shape, seed} from standard input, an array of them. Whether the
 * volume is as seeded is told by `mismatches`, not by the exit code, which is 2 for wrong use.
 */
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { forEachBounded } from "./bounded.ts";
import { type ChainChecked, checkChain } from "./chain.ts";
import { asKopiaRestores, check, type Checked, type CheckOptions } from "./check.ts";
import { isShape, type Shape, shapeNames } from "./describe.ts";
import { plant, type Planted } from "./plant.ts";

const usage = `Usage: main.ts plant DIR --shape SHAPE --seed SEED
       main.ts plant-all < [{"directory": DIR, "shape": SHAPE, "seed": SEED}, …]
       main.ts check DIR --shape SHAPE --seed SEED [--ignore PATTERN]... [--sparse-kept] [--kopia] [--whole-seconds]
                         [--database PATH [--live]]

  --ignore PATTERN       paths that others write: * within a name, ** across folders; what lies below is covered too
  --sparse-kept          holes must be holes
  --kopia                restored by kopia: what it leaves out by default may be missing, hard links may have become
                         files of their own, and folders may have other times
  --whole-seconds        times are compared without fractions: the ZFS of the lab has none
  --database PATH        an app's SQLite database in DIR: its integrity and its chain are checked too
  --live                 the app is writing into it
Shapes: ${shapeNames.join(", ")}
`;

class UsageError extends Error {}

/** A volume to be planted. */
export interface Job {
  readonly directory: string;
  readonly shape: Shape;
  readonly seed: string;
}

/** What `check` prints. */
export interface CheckedVolume extends Checked {
  /** Only with a database. */
  readonly chain?: ChainChecked;
}

interface DatabaseOptions {
  readonly database: string | undefined;
  readonly live: boolean;
}

interface Invocation {
  readonly action: "plant" | "check";
  readonly job: Job;
  readonly options: CheckOptions;
  readonly database: DatabaseOptions;
}

const toJob = (directory: string | undefined, shape: string | undefined, seed: string | undefined): Job => {
  if (directory === undefined) throw new UsageError("exactly one directory is needed");
  if (shape === undefined || !isShape(shape)) throw new UsageError(`there is no shape "${shape ?? ""}"`);
  if (seed === undefined) throw new UsageError("--seed is missing");
  return { directory, shape, seed };
};

const parse = (args: readonly string[]): Invocation => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      shape: { type: "string" },
      seed: { type: "string" },
      ignore: { type: "string", multiple: true, default: [] },
      "sparse-kept": { type: "boolean", default: false },
      kopia: { type: "boolean", default: false },
      "whole-seconds": { type: "boolean", default: false },
      database: { type: "string" },
      live: { type: "boolean", default: false },
    },
  });
  const [action, directory, ...rest] = positionals;
  if (action !== "plant" && action !== "check")
    throw new UsageError("what to do is missing: plant, plant-all or check");
  if (rest.length > 0) throw new UsageError("exactly one directory is needed");
  return {
    action,
    job: toJob(directory, values.shape, values.seed),
    options: {
      ignore: values.ignore,
      sparse: values["sparse-kept"] ? "kept" : "filled",
      times: values["whole-seconds"] ? "seconds" : "exact",
      ...(values.kopia ? asKopiaRestores : {}),
    },
    database: { database: values.database, live: values.live },
  };
};

const checkVolume = async ({ job, options, database }: Invocation): Promise<CheckedVolume> => {
  const checked = await check(job.directory, job.shape, job.seed, options);
  if (database.database === undefined) return checked;
  const chain = await checkChain(join(job.directory, database.database), { seed: job.seed, live: database.live });
  return { ...checked, chain };
};

/** Volumes that are planted at once: the disk of one keeps another from waiting. */
const width = 4;

const plantAll = async (): Promise<readonly Planted[]> => {
  const given = JSON.parse(await text(process.stdin)) as readonly Partial<Job>[];
  const jobs = given.map(({ directory, shape, seed }) => toJob(directory, shape, seed));
  const planted = new Map<Job, Planted>();
  await forEachBounded(jobs, width, async (job) => {
    planted.set(job, await plant(job.directory, job.shape, job.seed));
  });
  return jobs.flatMap((job) => planted.get(job) ?? []);
};

const perform = async (args: readonly string[]): Promise<unknown> => {
  if (args.length === 1 && args[0] === "plant-all") return plantAll();
  const invocation = parse(args);
  const { directory, shape, seed } = invocation.job;
  return invocation.action === "plant" ? plant(directory, shape, seed) : checkVolume(invocation);
};

const isWrongUse = (error: unknown): error is Error =>
  error instanceof UsageError ||
  (error instanceof TypeError && ((error as NodeJS.ErrnoException).code?.startsWith("ERR_PARSE_ARGS") ?? false));

try {
  process.stdout.write(`${JSON.stringify(await perform(process.argv.slice(2)))}\n`);
} catch (error) {
  if (!isWrongUse(error)) throw error;
  process.stderr.write(`${error.message}\n\n${usage}`);
  process.exitCode = 2;
}
