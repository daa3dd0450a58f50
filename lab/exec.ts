/** Runs a command on the lab's laptop, with the cluster's kubeconfig and the lab's holdfast.yaml found. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, delimiter, join } from "node:path";
import { checkout, type Lab, paths } from "./lab.ts";
import { inside } from "./site/inside.ts";
import type { State } from "./state.ts";

/** Environment of commands on the laptop. */
export const laptopEnvironment = (lab: Lab, tools: State["tools"]): NodeJS.ProcessEnv => ({
  ...process.env,
  HOLDFAST_LAB: lab.name,
  KUBECONFIG: paths(lab).kubeconfig,
  HOLDFAST_CONFIG: paths(lab).holdfastConfig,
  XDG_STATE_HOME: paths(lab).laptopState,
  PATH: [
    join(checkout, "node_modules", ".bin"),
    ...Object.values(tools).map((path) => dirname(path)),
    process.env.PATH,
  ].join(delimiter),
});

/** Holdfast as its user runs it there. */
export const holdfastCommand = (...words: readonly string[]): readonly string[] => [
  process.execPath,
  `${checkout}/bin/holdfast.mjs`,
  ...words,
];

/** nsenter forks into the site's pid namespace and does not pass signals on to its child. */
const childrenOf = (pid: number | undefined): readonly number[] =>
  pid === undefined
    ? []
    : readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);

/** Runs with the terminal passed through; gives the exit status. Ctrl-C reaches the command, which decides. */
export const execOnLaptop = (lab: Lab, env: NodeJS.ProcessEnv, words: readonly string[]): Promise<number> => {
  const [command, ...prefix] = inside(lab, "site");
  const child = spawn(command, [...prefix, ...words], { stdio: "inherit", env });
  // The terminal sends SIGINT to the whole group: nsenter and its child get it without us.
  const ignore = (): void => undefined;
  const pass = (signal: NodeJS.Signals): void => childrenOf(child.pid).forEach((pid) => process.kill(pid, signal));
  process.on("SIGINT", ignore).on("SIGTERM", pass);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      process.off("SIGINT", ignore).off("SIGTERM", pass);
      resolve(code ?? (signal === "SIGINT" ? 130 : 143));
    });
  });
};
