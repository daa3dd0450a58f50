/** `npm run lab -- COMMAND`: a real cluster on this machine, for trying, building and testing Holdfast. */
import { ComponentError } from "./components/component-error.ts";
import { Interrupted } from "./shell/interruptible.ts";
import { RunError } from "./shell/run.ts";
import { createReport } from "./shell/report.ts";
import { openLab } from "./lab.ts";
import { type Command, commands } from "./commands.ts";
import { MachineDown } from "./site/inside.ts";

const usage = (): string =>
  [
    "Usage: npm run lab -- [--name NAME] COMMAND",
    "",
    ...Object.entries(commands).map(([name, command]) => `  ${`${name} ${command.takes}`.padEnd(26)}${command.what}`),
    "",
    'NAME (or HOLDFAST_LAB) tells labs apart that run side by side; the default is "default".',
    "",
  ].join("\n");

/** Takes --name from the front of the words, so that the words of `exec` stay as they are. */
const split = (argv: readonly string[]): { readonly name: string; readonly words: readonly string[] } => {
  const named = argv[0] === "--name" && argv[1] !== undefined;
  return {
    name: (named ? argv[1] : undefined) ?? process.env.HOLDFAST_LAB ?? "default",
    words: named ? argv.slice(2) : argv,
  };
};

const find = (word: string | undefined): Command | undefined =>
  word !== undefined && Object.hasOwn(commands, word) ? commands[word] : undefined;

const main = async (): Promise<number> => {
  const { name, words } = split(process.argv.slice(2));
  const command = find(words[0]);
  if (command === undefined) {
    const asked = words[0] === undefined || ["help", "--help", "-h"].includes(words[0]);
    (asked ? process.stdout : process.stderr).write(
      asked ? usage() : `There is no command "${words[0]}".\n\n${usage()}`,
    );
    return asked ? 0 : 2;
  }
  const rest = words.slice(1);
  return command.run({ lab: openLab(name), report: createReport(), words: rest[0] === "--" ? rest.slice(1) : rest });
};

/** Says what went wrong: of errors that are expected only the message, of all others also where. */
const explain = (error: unknown): number => {
  if (!(error instanceof Error)) throw error;
  const isExpected = [Interrupted, MachineDown, ComponentError, RunError].some((kind) => error instanceof kind);
  const cause = error.cause instanceof Error ? `\n${error.cause.message}` : "";
  const where = isExpected && process.env.HOLDFAST_DEBUG !== "1" ? "" : `\n${error.stack}`;
  process.stderr.write(`${error.message}${error instanceof ComponentError ? "" : cause}${where}\n`);
  if (error instanceof Interrupted) return error.exitStatus;
  return error instanceof MachineDown ? 2 : 1;
};

try {
  process.exitCode = await main();
} catch (error) {
  const exitStatus = explain(error);
  // What was interrupted may still be at work in this process.
  if (error instanceof Interrupted) process.exit(exitStatus);
  process.exitCode = exitStatus;
}
