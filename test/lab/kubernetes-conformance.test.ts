import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { openConnection } from "../../src/systems/kubernetes/connect.ts";
import { describeKubernetes } from "../../src/systems/kubernetes/conformance.ts";

const randomId = (length: number): string =>
  Array.from(randomBytes(length), (byte) => (byte % 36).toString(36)).join("");

const context = {
  clock: {
    now: () => Date.now(),
    sleep: (milliseconds: number, signal?: AbortSignal) => sleep(milliseconds, undefined, signal ? { signal } : {}),
  },
  randomId,
  env: process.env,
  cwd: process.cwd(),
};

interface UserEntry {
  readonly user: object;
}

/** The same kubeconfig, but as a user to whom nobody has given a right. */
const impersonating = async (kubeconfig: string, folder: string): Promise<string> => {
  const config = parse(await readFile(kubeconfig, "utf8")) as { users: UserEntry[] };
  const users = config.users.map((entry) => ({ ...entry, user: { ...entry.user, as: "holdfast-nobody" } }));
  const path = join(folder, "nobody.kubeconfig");
  await writeFile(path, stringify({ ...config, users }), { mode: 0o600 });
  return path;
};

describeKubernetes("a real API server", async () => {
  const kubeconfig = process.env["KUBECONFIG"];
  if (kubeconfig === undefined || kubeconfig === "") {
    throw new Error("KUBECONFIG is not set: run this through the lab (npm run lab -- exec -- …)");
  }
  const folder = await mkdtemp(join(tmpdir(), "holdfast-conformance-"));
  const connection = await openConnection({ kubeconfig }, context);
  const restricted = await openConnection({ kubeconfig: await impersonating(kubeconfig, folder) }, context);
  return {
    kubernetes: connection.kubernetes,
    nobody: restricted.kubernetes,
    run: randomId(6),
    close: async () => {
      await Promise.all([connection.close(), restricted.close()]);
      await rm(folder, { recursive: true });
    },
  };
});
