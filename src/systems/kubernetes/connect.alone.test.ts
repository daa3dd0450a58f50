import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import { stringify } from "yaml";
import { connect, openConnection } from "./connect.ts";
import { resources } from "./resources.ts";
import { sendJson, sendStatus, startScriptedServer, type Script } from "./testing/scripted-server.ts";
import { realWorld } from "./testing/world.ts";

const loaded = vi.hoisted(() => vi.fn<() => void>());
vi.mock("@kubernetes/client-node", async (original) => {
  loaded();
  return await original();
});

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

const start = async (script: Script) => {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-connect-"));
  const server = await startScriptedServer(script);
  ends.push(
    () => server.close(),
    () => rm(folder, { recursive: true }),
  );
  const config = {
    clusters: [{ name: "a", cluster: { server: `${server.address}/prefix/` } }],
    users: [{ name: "a", user: { token: "t" } }],
    contexts: [{ name: "a", context: { cluster: "a", user: "a", namespace: "media" } }],
    "current-context": "a",
  };
  await writeFile(join(folder, "config"), stringify(config));
  return { server, context: { ...realWorld, env: { KUBECONFIG: "config" }, cwd: folder } };
};

it("speaks to the cluster of the kubeconfig, below its path, without loading client-node", async () => {
  const { server, context } = await start((_seen, response) => sendJson(response, { gitVersion: "v1.34.4" }));
  const connection = await openConnection({}, context);
  expect(connection).toMatchObject({ host: new URL(server.address).host, contextName: "a", namespace: "media" });
  expect(await connection.kubernetes.version()).toBe("v1.34.4");
  expect(server.seen[0]).toMatchObject({ path: "/prefix/version", headers: { authorization: "Bearer t" } });
  await connection.close();
  await expect.poll(() => server.openSockets()).toBe(0);
  expect(loaded).not.toHaveBeenCalled();
});

it("tries reads again when the server is busy", async () => {
  const { server, context } = await start((_seen, response, index) =>
    index === 0
      ? sendStatus(response, { code: 503, reason: "ServiceUnavailable", message: "busy" })
      : sendJson(response, { metadata: { resourceVersion: "1" }, items: [] }),
  );
  const kubernetes = await connect({}, context);
  expect((await kubernetes.list(resources.pods)).items).toEqual([]);
  expect(server.seen.length).toBe(2);
});

it("says which contexts there are when the wanted one is not", async () => {
  const { context } = await start(() => undefined);
  await expect(connect({ contextName: "b" }, context)).rejects.toMatchObject({
    code: "KUBECONFIG_INVALID",
    why: 'Contexts in it: "a".',
  });
});
