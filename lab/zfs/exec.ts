/** Running a command to its end, wherever it has to run: the words in front of it choose the machine. */
import { run, RunError } from "../shell/run.ts";

/** How a command ended. A command that could not be started, or was killed by a signal, has code -1. */
export interface Execution {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `command` to its end. Never rejects: what went wrong is in the result. */
export type Exec = (command: string, args: readonly string[]) => Promise<Execution>;

/** An `Exec` whose commands run behind `prefix`, such as `nsenter -t PID -m -p -n --`. */
export const execBehind =
  (prefix: readonly string[] = []): Exec =>
  async (command, args) => {
    const [program = command, ...rest] = [...prefix, command, ...args];
    try {
      // Error texts are matched, so they must not be translated.
      return { code: 0, ...(await run(program, rest, { env: { LC_ALL: "C" } })) };
    } catch (error) {
      if (!(error instanceof RunError)) throw error;
      return {
        code: error.exitCode ?? -1,
        stdout: error.stdout,
        stderr: error.stderr === "" ? error.message : error.stderr,
      };
    }
  };

/** A command ended with a code other than 0. The message holds the command and what it said. */
export class CommandFailed extends Error {
  readonly execution: Execution;

  constructor(words: readonly string[], execution: Execution) {
    super(`${words.join(" ")}: ${execution.stderr.trim() || execution.stdout.trim() || `exit code ${execution.code}`}`);
    this.name = "CommandFailed";
    this.execution = execution;
  }
}

/** Runs a command and gives its standard output. Throws `CommandFailed` when its code is not 0. */
export const output = async (exec: Exec, command: string, args: readonly string[]): Promise<string> => {
  const execution = await exec(command, args);
  if (execution.code !== 0) throw new CommandFailed([command, ...args], execution);
  return execution.stdout;
};
