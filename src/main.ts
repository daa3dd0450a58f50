/** Makes the Context from the real process and runs the CLI. */
import { randomInt } from "node:crypto";
import { createInterface } from "node:readline/promises";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { run } from "@stricli/core";
import { application } from "./cli/application.ts";
import type { CliContext } from "./cli/cli-context.ts";
import type { Context, Output } from "./context.ts";

const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789";

const outputOf = (stream: NodeJS.WriteStream): Output => ({
  isTTY: stream.isTTY === true,
  ...(stream.columns === undefined ? {} : { columns: stream.columns }),
  write: (text) => void stream.write(text),
});

const readLine = async (prompt: string, signal: AbortSignal): Promise<string | undefined> => {
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  const ended = new Promise<undefined>((resolve) => reader.once("close", () => resolve(undefined)));
  try {
    return await Promise.race([reader.question(prompt, { signal }), ended]);
  } finally {
    reader.close();
  }
};

const realContext = (): Context => {
  const interrupted = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => interrupted.abort(new DOMException(name, "AbortError")));
  return {
    clock: { now: () => Date.now(), sleep: (milliseconds, signal) => sleep(milliseconds, undefined, signal === undefined ? {} : { signal }) },
    randomId: (length) => Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join(""),
    env: process.env,
    cwd: process.cwd(),
    stdin: { isTTY: process.stdin.isTTY === true, readLine: (prompt) => readLine(prompt, interrupted.signal) },
    stdout: outputOf(process.stdout),
    stderr: outputOf(process.stderr),
    signal: interrupted.signal,
  };
};

/** stricli's own statuses for a command line that it does not understand are negative. */
const usageStatus = (status: number | string | null | undefined): number => (typeof status === "number" && status < 0 ? 2 : Number(status ?? 0));

const main = async (): Promise<void> => {
  // A reader that went away (`holdfast status | head`) is no error of ours.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { readonly version: string };
  let status: number | undefined;
  const cli: CliContext = { process, context: realContext(), setExitStatus: (value) => (status = value) };
  await run(application(version), process.argv.slice(2), cli);
  process.exitCode = status ?? usageStatus(process.exitCode);
};

await main();
