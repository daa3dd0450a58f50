/** One stage of a test run: a program whose exit status, or whose own count of tests, decides. */
import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkout } from "../../lab/lab.ts";
import { type Counts, countsOf } from "./counts.ts";

export interface Outcome extends Counts {
  readonly name: string;
  readonly seconds: number;
}

export interface Stage {
  readonly name: string;
  run(): Promise<Outcome>;
}

const binary = (name: string): string => join(checkout, "node_modules", ".bin", name);

const exitOf = (
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  out: "inherit" | number = "inherit",
): Promise<number> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: checkout, stdio: ["ignore", out, out], env });
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  });

const announce = (name: string): void => void process.stdout.write(`\n── ${name}\n`);

const timed = async (name: string, work: () => Promise<Counts>): Promise<Outcome> => {
  announce(name);
  const begun = performance.now();
  const counts = await work();
  return { name, ...counts, seconds: (performance.now() - begun) / 1000 };
};

/** Keeps the output of `work` back until its end, and shows it in one piece then. */
const inOnePiece = async <T>(name: string, work: (out: number) => Promise<T>): Promise<T> => {
  const dir = mkdtempSync(join(tmpdir(), "holdfast-log-"));
  const log = openSync(join(dir, "log"), "a");
  try {
    return await work(log);
  } finally {
    closeSync(log);
    announce(name);
    process.stdout.write(readFileSync(join(dir, "log")));
    rmSync(dir, { recursive: true, force: true });
  }
};

/** A program that passes or fails as a whole. */
export const program = (name: string, tool: string, args: readonly string[]): Stage => ({
  name,
  run: () =>
    timed(name, async () => {
      const ok = (await inOnePiece(name, (out) => exitOf(binary(tool), args, process.env, out))) === 0;
      return { passed: Number(ok), failed: Number(!ok) };
    }),
});

export interface VitestOptions {
  /** The Node.js to run it with. */
  readonly node?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Words in front of the command, which put it into a machine of the lab. */
  readonly within?: readonly string[];
  /** How many files run at once; the project's own number, when absent. */
  readonly workers?: number;
  /** Its output comes at its end, in one piece: for a stage that runs beside another. */
  readonly apart?: boolean;
}

/**
 * A vitest project, or several by a pattern; each test counts, and a file that cannot be loaded counts as a failure, as
 * does a skipped test.
 */
export const vitest = (name: string, project: string, options: VitestOptions = {}): Stage => ({
  name,
  run: () =>
    timed(name, async () => {
      const dir = mkdtempSync(join(tmpdir(), "holdfast-test-"));
      const file = join(dir, "report.json");
      const script = join(checkout, "node_modules", "vitest", "vitest.mjs");
      const args = [
        script,
        "run",
        "--project",
        project,
        "--reporter=default",
        "--reporter=json",
        `--outputFile.json=${file}`,
        ...(options.workers === undefined ? [] : [`--maxWorkers=${options.workers}`]),
      ];
      const [command = "", ...rest] = [...(options.within ?? []), options.node ?? process.execPath, ...args];
      const exit = (out?: number) => exitOf(command, rest, options.env ?? process.env, out);
      try {
        return countsOf(file, await (options.apart === true ? inOnePiece(name, exit) : exit()));
      } finally {
        rmSync(dir, { recursive: true, force: true });
      }
    }),
});

/** Any other work that passes when it does not throw. */
export const work = (name: string, run: () => Promise<unknown>): Stage => ({
  name,
  run: () =>
    timed(name, async () => {
      try {
        await run();
        return { passed: 1, failed: 0 };
      } catch (error) {
        process.stdout.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
        return { passed: 0, failed: 1 };
      }
    }),
});

/** A stage that cannot even begin has failed; those after it run all the same. */
const outcomeOf = async (stage: Stage): Promise<Outcome> => {
  try {
    return await stage.run();
  } catch (error) {
    process.stdout.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    return { name: stage.name, passed: 0, failed: 1, seconds: 0 };
  }
};

/** Runs stages one after the other, all of them; those of a group side by side. */
export const outcomesOf = async (stages: readonly (Stage | readonly Stage[])[]): Promise<readonly Outcome[]> => {
  const outcomes: Outcome[] = [];
  for (const group of stages) outcomes.push(...(await Promise.all([group].flat().map(outcomeOf))));
  return outcomes;
};

const indented = (text: string): string => text.replaceAll(/^/gm, "   ");

/** Prints what failed, a table, and the line that says it all; gives the exit status. */
export const conclude = (outcomes: readonly Outcome[]): number => {
  const width = Math.max(...outcomes.map(({ name }) => name.length));
  const rows = outcomes.flatMap(({ name, passed, failed, seconds, slowest = [] }) => [
    `${name.padEnd(width)}  ${String(passed).padStart(5)} passed  ${String(failed).padStart(3)} failed  ${seconds.toFixed(1).padStart(7)} s`,
    ...slowest.map((one) => `${" ".repeat(width + 30)}${one.seconds.toFixed(1).padStart(7)} s  ${one.file}`),
  ]);
  const passed = outcomes.reduce((sum, outcome) => sum + outcome.passed, 0);
  const failed = outcomes.reduce((sum, outcome) => sum + outcome.failed, 0);
  for (const { name, failures = [] } of outcomes)
    for (const failure of failures) process.stdout.write(`\n── failed in ${name}\n${indented(failure)}\n`);
  process.stdout.write(`\n${rows.join("\n")}\n\n${passed} passed, ${failed} failed\n`);
  return failed === 0 ? 0 : 1;
};

export const runStages = async (stages: Parameters<typeof outcomesOf>[0]): Promise<number> =>
  conclude(await outcomesOf(stages));
