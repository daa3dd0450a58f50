/** Runs one command line and gives the exit status that it ends with. */
import { ExitCode, run, type StricliProcess } from "@stricli/core";
import type { Context } from "../context.ts";
import { application } from "./application.ts";
import type { CliContext } from "./cli-context.ts";

/** stricli's own statuses for a command line that it does not understand, and for its own failures, are negative. */
const statusOf = (status: number | string | null | undefined): number => {
  const value = Number(status ?? 0);
  if (value === ExitCode.UnknownCommand || value === ExitCode.InvalidArgument) return 2;
  return value < 0 ? 1 : value;
};

interface World {
  readonly process: Pick<StricliProcess, "stdout" | "stderr" | "env"> & {
    exitCode?: number | string | null | undefined;
  };
  readonly context: Context;
}

/** `process` is where help and usage errors go; everything else goes through the context. */
export const runCli = async (version: string, words: readonly string[], world: World): Promise<number> => {
  let status: number | undefined;
  const cli: CliContext = { ...world, setExitStatus: (value) => (status = value) };
  await run(application(version), words, cli);
  return status ?? statusOf(world.process.exitCode);
};
