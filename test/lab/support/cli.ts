/** Runs the CLI as a user on the lab's laptop does. No output may ever hold a secret: every run is looked at. */
import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { checkout } from "../../../lab/lab.ts";
import { s3Keys } from "../../../lab/nas/nas.ts";
import { nasUsers } from "../../../lab/nas/truenas-daemon.ts";
import { repositoryPassword } from "../../../lab/velero/settings.ts";

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface HoldfastOptions {
  /** Laid over the laptop's environment; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** What nobody may find in an output, a log, or an object that is left behind. */
export const secrets: readonly string[] = [
  repositoryPassword,
  s3Keys.secretAccessKey,
  ...Object.values(nasUsers).map(({ key }) => key),
];

/** True for a text with a secret in it, plain or as Kubernetes encodes it. */
export const holdsSecret = (text: string): boolean =>
  secrets.some((secret) => text.includes(secret) || text.includes(Buffer.from(secret).toString("base64")));

/** A holdfast that runs. */
export interface RunningHoldfast {
  readonly child: ChildProcess;
  readonly ended: Promise<Ran>;
  /** Returns when its standard error or output holds the text; throws when it ends before that. */
  until(text: string | RegExp): Promise<void>;
}

export const startHoldfast = (words: readonly string[], { env = {} }: HoldfastOptions = {}): RunningHoldfast => {
  const child = spawn(process.execPath, ["bin/holdfast.mjs", ...words], {
    cwd: checkout,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1", ...env },
  });
  const seen = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (seen.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (seen.stderr += text));
  const ended = new Promise<Ran>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status) => {
      if (holdsSecret(seen.stdout + seen.stderr)) reject(new Error(`holdfast ${words.join(" ")} printed a secret`));
      else resolve({ status, ...seen });
    });
  });
  const said = (text: string | RegExp): boolean => {
    const all = seen.stderr + seen.stdout;
    return typeof text === "string" ? all.includes(text) : text.test(all);
  };
  const until = async (text: string | RegExp): Promise<void> => {
    while (!said(text)) {
      if (child.exitCode !== null || child.signalCode !== null) {
        throw new Error(`holdfast ended without saying ${String(text)}:\n${seen.stderr}${seen.stdout}`);
      }
      await sleep(20);
    }
  };
  return { child, ended, until };
};

/** Runs holdfast to its end. */
export const holdfast = (words: readonly string[], options: HoldfastOptions = {}): Promise<Ran> =>
  startHoldfast(words, options).ended;

/** Runs it and demands success; gives standard output. */
export const succeed = async (words: readonly string[], options: HoldfastOptions = {}): Promise<string> => {
  const { status, stdout, stderr } = await holdfast(words, options);
  if (status !== 0) throw new Error(`holdfast ${words.join(" ")} ended with ${status}:\n${stderr}${stdout}`);
  return stdout;
};

/** A dead process' lock and agent stand for a while: the user tries again. */
export const patiently = async (words: readonly string[]): Promise<Ran> => {
  for (let attempt = 0; ; attempt++) {
    const ran = await holdfast(words);
    if (ran.status !== 11 || attempt > 60) return ran;
    await sleep(1000);
  }
};

/** The JSON that a command prints with -o json, whatever its exit status. */
export const answer = async <T>(words: readonly string[], options: HoldfastOptions = {}): Promise<T> => {
  const { stdout, stderr } = await holdfast([...words, "-o", "json"], options);
  try {
    return JSON.parse(stdout) as T;
  } catch (error) {
    throw new Error(`holdfast ${words.join(" ")} printed no JSON:\n${stdout}${stderr}`, { cause: error });
  }
};

/** The objects that a command with --json prints, one a line. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller knows what the command prints
export const lines = <T extends { readonly type: string }>(stdout: string): readonly T[] =>
  stdout
    .trim()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as T);
