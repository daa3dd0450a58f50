/** Long-running programs inside a machine. They become children of the machine's process 1 and end with it. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Lab, paths } from "../lab.ts";
import { run, type RunOptions, type RunResult } from "../shell/run.ts";
import { inside, type Place } from "./inside.ts";

export interface Daemon {
  /** Names the log file and the pid file. */
  readonly name: string;
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Where a daemon's output goes. */
export const logFile = (lab: Lab, place: Place, name: string): string => join(paths(lab).log, `${place}-${name}.log`);

/** Where a daemon's process id, as its machine counts, is kept. */
export const pidFile = (lab: Lab, place: Place, name: string): string =>
  join(paths(lab).scripts, `${place}-${name}.pid`);

/** Runs a command in a machine to its end. */
export const runInside = (
  lab: Lab,
  place: Place,
  words: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> => {
  const [command, ...prefix] = inside(lab, place);
  return run(command, [...prefix, ...words], options);
};

/** Starts a program in the background of a machine and returns at once. */
export const startDaemon = async (lab: Lab, place: Place, daemon: Daemon): Promise<void> => {
  mkdirSync(paths(lab).log, { recursive: true });
  const log = logFile(lab, place, daemon.name);
  const script = 'log=$1 pid=$2; shift 2; setsid "$@" >>"$log" 2>&1 </dev/null & echo $! >"$pid"';
  const words = ["sh", "-c", script, "start", log, pidFile(lab, place, daemon.name), ...daemon.command];
  await runInside(lab, place, words, { env: { ...process.env, ...daemon.env } });
};

const endScript = [
  'p=$(cat "$1" 2>/dev/null) || exit 0',
  'kill -s "$2" "$p" 2>/dev/null || exit 0',
  'for i in $(seq 100); do kill -0 "$p" 2>/dev/null || exit 0; sleep 0.05; done',
  'kill -s KILL "$p"',
].join("\n");

/** Ends one program of a machine: politely, or at once. Does nothing when it is not running. */
export const endDaemon = async (
  lab: Lab,
  place: Place,
  name: string,
  signal: "TERM" | "KILL" = "TERM",
): Promise<void> => {
  await runInside(lab, place, ["sh", "-c", endScript, "end", pidFile(lab, place, name), signal]);
};

/** Runs a command in a machine and returns its standard output. */
export const output = async (
  lab: Lab,
  place: Place,
  words: readonly string[],
  options: { readonly input?: string } = {},
): Promise<string> => {
  return (await runInside(lab, place, words, options)).stdout;
};
