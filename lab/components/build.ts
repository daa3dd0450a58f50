/** Builds a component from its pinned Go modules. */
import { rmSync } from "node:fs";
import { run, RunError, tail } from "../shell/run.ts";
import type { Note } from "../shell/report.ts";
import type { Component } from "./catalogue.ts";
import { ComponentError } from "./component-error.ts";

interface BuildOptions {
  /** The program is written here. */
  readonly target: string;
  readonly logFile: string;
  readonly note: Note;
  readonly signal?: AbortSignal;
}

export type Build = (component: Component, options: BuildOptions) => Promise<void>;

/** Older ones cannot fetch the toolchain that a go.mod asks for. */
const oldestGo = 21;

/** What is wrong with the installed Go, if anything. `version` is what `go env GOVERSION` prints. */
export const goProblem = (version: string | undefined): string | undefined => {
  const minor = Number(/^go1\.(\d+)/.exec(version ?? "")?.[1] ?? Number.NaN);
  if (version === undefined) return `Go is not installed. Install Go 1.${oldestGo} or newer from https://go.dev/dl`;
  return minor < oldestGo
    ? `Go is too old (${version}). Install Go 1.${oldestGo} or newer from https://go.dev/dl`
    : undefined;
};

const installedGo = async (): Promise<string | undefined> => {
  try {
    return (await run("go", ["env", "GOVERSION"], { cwd: "/" })).stdout.trim();
  } catch (error) {
    if (error instanceof RunError) return undefined;
    throw error;
  }
};

/** Throws a ComponentError that says what to install when Go cannot be used. */
export const requireGo = async (): Promise<void> => {
  const problem = goProblem(await installedGo());
  if (problem !== undefined) throw new ComponentError(`The lab has to build components. ${problem}`);
};

const advice = (output: string): string => {
  if (output.includes("no space left on device"))
    return "The disk is full. A cold build of everything needs about 15 GB in Go's caches.";
  if (/dial tcp|i\/o timeout|no such host|unexpected EOF/.test(output))
    return "The Go module proxy could not be reached. Check the network, then run the same command again.";
  if (/signal: killed/.test(output))
    return "The compiler was killed, most likely for want of memory (4 GB are needed).";
  return "Run the same command again: packages that are compiled already are not compiled twice.";
};

/** The command's arguments. The flags are part of what Go caches by, so all builds must use the same. */
const buildArguments = (component: Component, target: string): string[] => [
  "build",
  "-v",
  "-trimpath",
  "-buildvcs=false",
  "-ldflags",
  component.ldflags,
  "-o",
  target,
  component.package,
];

/** Builds with `go build`. Throws a ComponentError with the end of the log when it fails. */
export const goBuild: Build = async (component, { target, logFile, note, signal }) => {
  rmSync(logFile, { force: true });
  let packages = 0;
  const onOutput = (text: string): void => {
    packages += text.split("\n").length - 1;
    note(`building, ${packages} packages`);
  };
  const args = buildArguments(component, target);
  try {
    await run("go", args, {
      cwd: component.pins,
      env: { CGO_ENABLED: "0" },
      logFile,
      onOutput,
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    if (!(error instanceof RunError) || signal?.aborted === true) throw error;
    const said = tail(error.stderr);
    const message = `${component.name} ${component.version} could not be built.\n${said}\n${advice(error.stderr)}\nThe whole log: ${logFile}`;
    throw new ComponentError(message, { cause: error });
  }
};
