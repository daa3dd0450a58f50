/** A folder with a holdfast.yaml and the secrets that it names, and the kit commands run in it as a user would. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import type { CliContext } from "../cli-context.ts";
import { type FakeTerminal, fakeContext } from "./fake-context.ts";

export interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
  /** What a terminal would have shown of what was typed. */
  readonly echoed: string;
}

type Command<F, A extends readonly string[]> = (this: CliContext, flags: F, ...args: A) => Promise<void>;

/** Nothing listens on port 9 of this machine: the cluster does not answer. */
const files = {
  "holdfast.yaml": `
version: 1
cluster: { kubeconfig: kubeconfig }
bucket: { endpoint: "http://127.0.0.1:9", name: homelab, prefix: velero, credentials: { file: keys } }
repository: { password: { file: password } }
holdfast: { cluster: home }
`,
  keys: "[default]\naws_access_key_id = s3-id\naws_secret_access_key = s3-secret\n",
  password: "open sesame\n",
  kubeconfig: `
apiVersion: v1
kind: Config
current-context: x
contexts: [{ name: x, context: { cluster: x, user: x } }]
clusters: [{ name: x, cluster: { server: "http://127.0.0.1:9" } }]
users: [{ name: x, user: { token: t } }]
`,
};

export interface KitWorld {
  path(name: string): string;
  write(name: string, text: string): string;
  run<F, A extends readonly string[]>(command: Command<F, A>, flags: F, args: A, terminal?: FakeTerminal): Promise<Ran>;
}

/** Call it at the top of a test file: the folder is a new one for each test. */
export const kitWorld = (): KitWorld => {
  let directory = "";
  const path = (name: string): string => join(directory, name);
  const write = (name: string, text: string): string => {
    writeFileSync(path(name), text, { mode: 0o600 });
    return path(name);
  };
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "holdfast-kit-"));
    for (const [name, text] of Object.entries(files)) write(name, text);
  });
  afterEach(() => rmSync(directory, { recursive: true }));
  return {
    path,
    write,
    run: async (command, flags, args, terminal = {}) => {
      const context = fakeContext({ cwd: directory, ...terminal });
      let status = 0;
      const silent = { write: () => undefined };
      const cli: CliContext = {
        process: { stdout: silent, stderr: silent },
        context,
        setExitStatus: (value) => (status = value),
      };
      await command.call(cli, flags, ...args);
      return { status, out: context.out(), err: context.err(), echoed: context.echoed() };
    },
  };
};
