/** Runs other programs and says plainly what happened when they fail. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";

export interface RunOptions {
  /** Text for the program's standard input; without it the input is empty. It comes through a socket: a program cannot open /dev/stdin. */
  readonly input?: string;
  /** Variables added to this process's own; undefined takes one away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Ends the program: SIGTERM, and SIGKILL two seconds later. */
  readonly signal?: AbortSignal;
  /** Both outputs are also appended to this file as they come. */
  readonly logFile?: string;
  readonly timeoutMs?: number;
  /** Called with every piece of either output as it comes. */
  readonly onOutput?: (text: string) => void;
}

export interface RunResult {
  readonly stdout: string;
  readonly stderr: string;
}

export interface Ending {
  /** Null when a signal ended the program or it could not be started. */
  readonly exitCode: number | null;
  /** How it ended, as a phrase: "exit code 1", "killed by SIGTERM". */
  readonly how: string;
}

const tailLines = 15;
const killAfterMs = 2000;

/** The last lines of a text, without a trailing newline. */
export const tail = (text: string, lines = tailLines): string => text.trimEnd().split("\n").slice(-lines).join("\n");

/** A command line as a person would type it. */
export const commandLine = (command: string, args: readonly string[]): string =>
  [command, ...args]
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(" ");

/** A program that did not end with exit code 0. The message has the command line, the ending and the end of its stderr. */
export class RunError extends Error {
  readonly command: string;
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;

  constructor(command: string, ending: Ending, result: RunResult) {
    const said = tail(result.stderr === "" ? result.stdout : result.stderr);
    super(`${command}: ${ending.how}${said === "" ? "" : `\n${said}`}`);
    this.name = "RunError";
    this.command = command;
    this.exitCode = ending.exitCode;
    this.stdout = result.stdout;
    this.stderr = result.stderr;
  }
}

const end = (child: ChildProcess): void => {
  child.kill("SIGTERM");
  setTimeout(() => child.kill("SIGKILL"), killAfterMs).unref();
};

/** Calls `kill` when the time is over or the signal is aborted; gives the reason afterwards. */
const watch = (
  child: ChildProcess,
  options: RunOptions,
): { readonly reason: () => string | undefined; readonly stop: () => void } => {
  let reason: string | undefined;
  const stopBecause = (text: string): void => {
    reason ??= text;
    end(child);
  };
  const onAbort = (): void => stopBecause("interrupted");
  const timer =
    options.timeoutMs === undefined
      ? undefined
      : setTimeout(() => stopBecause(`not done within ${options.timeoutMs} ms`), options.timeoutMs);
  if (options.signal?.aborted === true) onAbort();
  options.signal?.addEventListener("abort", onAbort, { once: true });
  return {
    reason: () => reason,
    stop: () => {
      clearTimeout(timer);
      options.signal?.removeEventListener("abort", onAbort);
    },
  };
};

const collect = (
  child: ChildProcess,
  options: RunOptions,
): { readonly result: () => RunResult; readonly close: () => void } => {
  if (options.logFile !== undefined) mkdirSync(dirname(options.logFile), { recursive: true });
  const log = options.logFile === undefined ? undefined : openSync(options.logFile, "a");
  const pieces = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.on("data", (piece: Buffer) => {
      pieces[name].push(piece);
      if (log !== undefined) writeSync(log, piece);
      options.onOutput?.(piece.toString());
    });
  }
  return {
    result: () => ({
      stdout: Buffer.concat(pieces.stdout).toString(),
      stderr: Buffer.concat(pieces.stderr).toString(),
    }),
    close: () => {
      if (log !== undefined) closeSync(log);
    },
  };
};

const waitFor = (child: ChildProcess): Promise<Ending> =>
  new Promise((resolve) => {
    child.once("error", (error) => resolve({ exitCode: null, how: `could not be started: ${error.message}` }));
    child.once("close", (exitCode, signal) =>
      resolve({ exitCode, how: exitCode === null ? `killed by ${signal}` : `exit code ${exitCode}` }),
    );
  });

/** Runs a program to its end. Throws RunError when it fails, is interrupted, or cannot be started. */
export const run = async (
  command: string,
  args: readonly string[] = [],
  options: RunOptions = {},
): Promise<RunResult> => {
  const child = spawn(command, args, {
    stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    ...(options.env === undefined ? {} : { env: { ...process.env, ...options.env } }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const output = collect(child, options);
  const watcher = watch(child, options);
  // A program that ends without reading its input closes the pipe; its exit code tells whether that was a failure.
  child.stdin?.on("error", () => undefined).end(options.input);
  const ending = await waitFor(child);
  watcher.stop();
  output.close();
  const result = output.result();
  const reason = watcher.reason();
  if (reason === undefined && ending.exitCode === 0) return result;
  throw new RunError(commandLine(command, args), reason === undefined ? ending : { ...ending, how: reason }, result);
};
