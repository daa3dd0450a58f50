import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { jumpingClock } from "../systems/kubernetes/testing/world.ts";
import type { CliContext } from "./cli-context.ts";
import { doctor } from "./doctor-body.ts";
import type { OutputFormat } from "./flags.ts";

/** Nothing listens on port 9 of this machine: the night when everything is down. */
const files = {
  "holdfast.yaml": `
version: 1
cluster: { kubeconfig: kubeconfig }
bucket: { endpoint: "http://127.0.0.1:9", name: backups, prefix: velero, credentials: { file: keys } }
repository: { password: { file: password } }
`,
  keys: "[default]\naws_access_key_id = a\naws_secret_access_key = b\n",
  password: "correct horse\n",
  kubeconfig: `
apiVersion: v1
kind: Config
current-context: x
contexts: [{ name: x, context: { cluster: x, user: x } }]
clusters: [{ name: x, cluster: { server: "http://127.0.0.1:9" } }]
users: [{ name: x, user: { token: t } }]
`,
};

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "holdfast-doctor-"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
});
afterEach(() => rmSync(directory, { recursive: true }));

const run = async (output: OutputFormat) => {
  const written = { stdout: "", stderr: "", status: -1 };
  const into = (name: "stdout" | "stderr") => ({ isTTY: false, write: (text: string) => void (written[name] += text) });
  const context = {
    clock: jumpingClock(),
    randomId: (length: number) => "0".repeat(length),
    env: {},
    cwd: directory,
    stdin: { isTTY: false, readLine: async () => undefined },
    stdout: into("stdout"),
    stderr: into("stderr"),
    signal: new AbortController().signal,
  };
  const cli: CliContext = { process, context, setExitStatus: (status) => (written.status = status) };
  await doctor.call(cli, { output });
  return written;
};

describe("holdfast doctor", () => {
  it("shows every check, what to do, and ends with the first failed one's status, when nothing answers", async () => {
    const { stdout, stderr, status } = await run("table");
    expect(stderr).toBe("");
    expect(status).toBe(1);
    const lines = stdout.split("\n");
    expect(lines[0]).toMatch(/^CHECK +VERDICT +FOUND$/);
    expect(lines).toContainEqual(
      expect.stringMatching(/^kubernetes +failed +Cannot get \/version: 127\.0\.0\.1:9 does not answer/),
    );
    expect(lines).toContainEqual(expect.stringMatching(/^velero +unknown +needs kubernetes$/));
    expect(lines).toContainEqual(expect.stringMatching(/^bucket +failed +http:\/\/127\.0\.0\.1:9 does not answer/));
    expect(lines).toContainEqual(expect.stringMatching(/^\d+ checks: 2 failed, \d+ unknown, \d+ ok\.$/));
    expect(lines).toContainEqual(expect.stringMatching(/^ {2}bucket: .* \(BUCKET_UNREACHABLE\)$/));
    expect(stdout).not.toContain("correct horse");
  });

  it("gives the same as data, and names", async () => {
    const { stdout, status } = await run("json");
    const data = JSON.parse(stdout) as {
      healthy: boolean;
      exitStatus: number;
      checks: { id: string; verdict: string }[];
    };
    expect(data).toMatchObject({ healthy: false, exitStatus: status });
    expect(data.checks).toContainEqual(
      expect.objectContaining({ id: "kubernetes", verdict: "failed", code: "KUBERNETES_UNREACHABLE" }),
    );
    const names = await run("name");
    expect(names.stdout.trim().split("\n")).toEqual(data.checks.map(({ id }) => id));
  });

  it("prints what is wrong with holdfast.yaml instead when it cannot be used", async () => {
    writeFileSync(join(directory, "holdfast.yaml"), "version: 2\n");
    const { stdout, stderr, status } = await run("table");
    expect({ stdout, status }).toEqual({ stdout: "", status: 2 });
    expect(stderr).toContain("CONFIG_INVALID");
  });
});
