/** Makes the Context from the real process and runs the CLI. */
import { randomInt } from "node:crypto";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import manifest from "../package.json" with { type: "json" };
import { runCli } from "./cli/run-cli.ts";
import type { Context, Output } from "./context.ts";

const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789";

const outputOf = (stream: NodeJS.WriteStream): Output => ({
  isTTY: stream.isTTY ?? false,
  ...(stream.columns === undefined ? {} : { columns: stream.columns }),
  write: (text) => void stream.write(text),
});

const readLine = async (prompt: string, signal: AbortSignal, hidden: boolean): Promise<string | undefined> => {
  // What is typed is echoed by the reader itself, to its output, as soon as it treats the input as a terminal.
  const nowhere = new Writable({ write: (_piece, _encoding, done) => done() });
  const reader = createInterface({
    input: process.stdin,
    output: hidden ? nowhere : process.stderr,
    ...(hidden ? { terminal: true, historySize: 0 } : {}),
  });
  const ended = new Promise<undefined>((resolve) => reader.once("close", () => resolve(undefined)));
  if (hidden) process.stderr.write(prompt);
  try {
    return await Promise.race([reader.question(hidden ? "" : prompt, { signal }), ended]);
  } finally {
    reader.close();
    if (hidden) process.stderr.write("\n");
  }
};

const realContext = (): Context => {
  const interrupted = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const)
    process.once(name, () => interrupted.abort(new DOMException(name, "AbortError")));
  return {
    clock: {
      now: () => Date.now(),
      sleep: (milliseconds, signal) => sleep(milliseconds, undefined, signal === undefined ? {} : { signal }),
    },
    randomId: (length) => Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join(""),
    env: process.env,
    cwd: process.cwd(),
    stdin: {
      isTTY: process.stdin.isTTY ?? false,
      readLine: (prompt, options) => readLine(prompt, interrupted.signal, options?.hidden === true),
    },
    stdout: outputOf(process.stdout),
    stderr: outputOf(process.stderr),
    signal: interrupted.signal,
  };
};

const main = async (): Promise<void> => {
  // A reader that went away (`holdfast status | head`) is no error of ours.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
  // The AWS SDK would warn of Node.js 20 on every command; which versions are good enough is for package.json to say.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = "true";
  process.exitCode = await runCli(manifest.version, process.argv.slice(2), { process, context: realContext() });
};

await main();
