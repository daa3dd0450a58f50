/** What needs no pool: login, roles, limits, faults, addresses. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { parseConfig, type StandInConfigInput } from "./config.ts";
import { type StandIn, startStandIn } from "./server.ts";
import { Refused, TestClient } from "./testing/client.ts";
import { testKey } from "./testing/site.ts";

const open: { close(): unknown }[] = [];
const dirs: string[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close();
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true });
});

const start = async (version = "25.10.1", more: Partial<StandInConfigInput> = {}): Promise<StandIn> => {
  const dir = mkdtempSync(join(tmpdir(), "hf-stand-in-"));
  dirs.push(dir);
  const standIn = await startStandIn(
    parseConfig({
      version,
      http: { host: "127.0.0.1", port: 0 },
      stateDir: dir,
      exportsDir: dir,
      // There is no pool: whatever asks zfs fails.
      commandPrefix: ["false"],
      users: [
        { username: "admin", roles: ["FULL_ADMIN"], password: "secret", keys: [{ key: testKey(1) }] },
        { username: "reader", roles: ["READONLY_ADMIN"], keys: [{ key: testKey(2) }] },
        { username: "late", roles: ["READONLY_ADMIN"], keys: [{ key: testKey(3), expiresAt: 1 }] },
        {
          username: "picky",
          roles: [],
          keys: [{ key: testKey(5), allow: [{ method: "GET", resource: "/system/*" }] }],
        },
      ],
      ...more,
    }),
  );
  open.push(standIn);
  return standIn;
};

const address = (standIn: StandIn, path = "/api/current", scheme = "ws"): string =>
  `${scheme}://127.0.0.1:${standIn.http?.port}${path}`;

const client = async (standIn: StandIn, path?: string): Promise<TestClient> => {
  const made = await TestClient.open(address(standIn, path));
  open.push(made);
  return made;
};

const login = async (standIn: StandIn, user = "admin", key = testKey(1)): Promise<TestClient> => {
  const made = await TestClient.loggedIn(address(standIn), user, key);
  open.push(made);
  return made;
};

const keyLogin = (username: string, key: string) => ({ mechanism: "API_KEY_PLAIN", username, api_key: key });

const rest = (standIn: StandIn, path: string, key?: string, init: RequestInit = {}): Promise<Response> =>
  fetch(address(standIn, `/api/v2.0${path}`, "http"), {
    ...init,
    headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
  });

const fault = async (standIn: StandIn, planned: object): Promise<number> => {
  const body = JSON.stringify(planned);
  return (await fetch(address(standIn, "/lab/faults", "http"), { method: "POST", body })).status;
};

const refusal = async (call: Promise<unknown>): Promise<Refused> => {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Refused)) throw new Error(`not refused: ${String(error)}`);
  return error;
};

describe("where it answers", () => {
  it("is /api/current and the versions that it lists", async () => {
    const standIn = await start();
    expect(await (await fetch(address(standIn, "/api/versions", "http"))).json()).toContain("v25.10.0");
    expect(await (await client(standIn, "/api/v25.04.0")).call("core.ping")).toBe("pong");
    await expect(client(standIn, "/api/v26.0.0")).rejects.toThrow("404");
  });

  it("is REST only for 24.10, and no REST for 26", async () => {
    const old = await start("24.10.2");
    await expect(client(old)).rejects.toThrow("404");
    expect((await fetch(address(old, "/api/versions", "http"))).status).toBe(404);
    expect(await (await rest(old, "/system/version", testKey(1))).json()).toBe("TrueNAS-SCALE-24.10.2");
    expect((await rest(await start("26.0.0"), "/system/version", testKey(1))).status).toBe(404);
  });
});

describe("login", () => {
  it("answers with a result, good or bad", async () => {
    const standIn = await start();
    const one = await client(standIn);
    const ask = (data: object) => one.call("auth.login_ex", data);
    expect(await ask(keyLogin("admin", testKey(9)))).toEqual({ response_type: "AUTH_ERR" });
    expect(await ask(keyLogin("reader", testKey(1)))).toEqual({ response_type: "AUTH_ERR" });
    expect(await ask(keyLogin("late", testKey(3)))).toEqual({ response_type: "EXPIRED" });
    expect(await ask({ mechanism: "PASSWORD_PLAIN", username: "admin", password: "no" })).toMatchObject({
      response_type: "AUTH_ERR",
    });
    expect(await one.call("auth.login_with_api_key", testKey(9))).toBe(false);
    expect((await refusal(one.call("system.version"))).errname).toBe("ENOTAUTHENTICATED");
    expect(await ask({ ...keyLogin("admin", testKey(1)), login_options: { user_info: false } })).toEqual({
      response_type: "SUCCESS",
      user_info: null,
      authenticator: "LEVEL_1",
    });
    expect(await one.call("auth.me")).toMatchObject({ pw_name: "admin" });
    expect(await one.call("auth.logout")).toBe(true);
    expect((await refusal(one.call("auth.me"))).errname).toBe("ENOTAUTHENTICATED");
  });

  it("without TLS revokes the key for good", async () => {
    const standIn = await start("25.10.1", { loopbackIsSecure: false });
    const one = await client(standIn);
    for (const _again of [1, 2])
      expect(await one.call("auth.login_ex", keyLogin("admin", testKey(1)))).toEqual({ response_type: "EXPIRED" });
    // A wrong key tells nothing, and another key is not touched.
    expect(await one.call("auth.login_ex", keyLogin("admin", testKey(9)))).toEqual({ response_type: "AUTH_ERR" });
    expect((await rest(standIn, "/system/version", testKey(1))).status).toBe(401);
    expect((await standIn.world.state.read()).revokedKeys).toEqual({ 1: "Attempt to use over an insecure transport" });
  });

  it("cannot ask for mechanisms before it has happened, in the releases where that is broken", async () => {
    const one = await client(await start());
    expect((await refusal(one.call("auth.mechanism_choices"))).reason).toContain("may_create_auth_token");
    expect(await (await client(await start("26.0.0"))).call("auth.mechanism_choices")).toContain("API_KEY_PLAIN");
  });
});

describe("a role that is missing", () => {
  it("is EACCES, and nothing is tried", async () => {
    const one = await login(await start(), "reader", testKey(2));
    const calls = [
      ["pool.snapshot.create", { dataset: "tank/a", name: "s" }],
      ["pool.snapshot.delete", "tank/a@s"],
      ["pool.dataset.delete", "tank/a"],
      ["sharing.nfs.delete", 1],
      // Private, so FULL_ADMIN only.
      ["zfs.snapshot.query"],
    ] as const;
    for (const [method, ...params] of calls) {
      const { errname, reason } = await refusal(one.call(method, ...params));
      expect([method, errname, reason]).toEqual([method, "EACCES", "[EACCES] Not authorized"]);
    }
  });

  it("is 403 over REST for everybody but FULL_ADMIN, but for what a key of 24.10 is for", async () => {
    expect((await rest(await start(), "/system/version", testKey(2))).status).toBe(403);
    const old = await start("24.10.2");
    expect((await rest(old, "/system/version", testKey(5))).status).toBe(200);
    expect((await rest(old, "/pool/dataset", testKey(5))).status).toBe(403);
    expect((await rest(old, "/system/version")).status).toBe(401);
  });
});

describe("a message", () => {
  it("may have 8 KiB before login and 64 KiB after it", async () => {
    const standIn = await start();
    const anonymous = await client(standIn);
    anonymous.send({ jsonrpc: "2.0", id: 1, method: "core.ping", params: ["x".repeat(8192)] });
    await expect.poll(() => anonymous.closedWith).toBe(1007);
    const known = await login(standIn);
    expect((await refusal(known.call("core.ping", "x".repeat(60_000)))).code).toBe(-32602);
    known.send({ jsonrpc: "2.0", id: 1, method: "core.ping", params: ["x".repeat(65_536)] });
    await expect.poll(() => known.closedWith).toBe(1009);
  });

  it.each([
    ["{", -32700],
    ["[]", -32700],
    [{ id: 7, method: "core.ping" }, -32600],
    [{ jsonrpc: "2.0", id: 7, method: "core.ping", params: {} }, -32600],
    [{ jsonrpc: "2.0", id: 7, method: "core.pong" }, -32601],
  ])("of a wrong form is refused: %j", async (message, code) => {
    const one = await client(await start());
    one.send(message);
    expect((await one.message(({ error }) => error !== undefined)).error?.code).toBe(code);
  });

  it("without an id gets no answer", async () => {
    const one = await client(await start());
    one.send({ jsonrpc: "2.0", method: "core.ping" });
    one.send({ jsonrpc: "2.0", method: "no.such" });
    expect(await one.call("core.ping")).toBe("pong");
    expect(one.messages).toHaveLength(1);
  });
});

it("runs ten calls of a connection at once, lets ten more wait, and refuses the next", async () => {
  const standIn = await start();
  await fault(standIn, { method: "core.ping", times: 20, fault: { kind: "late", ms: 150 } });
  const one = await client(standIn);
  const started = performance.now();
  const answers = await Promise.all(Array.from({ length: 21 }, () => one.answer("core.ping")));
  expect(answers.map(({ error }) => error?.code ?? 0).filter((code) => code !== 0)).toEqual([-32000]);
  expect(performance.now() - started).toBeGreaterThan(290);
  expect(await one.call("core.ping")).toBe("pong");
});

it("answers what is ready first", async () => {
  const standIn = await start();
  await fault(standIn, { method: "core.ping", fault: { kind: "late", ms: 100 } });
  const one = await login(standIn);
  const slow = one.answer("core.ping");
  await one.call("system.version");
  const { id } = await slow;
  expect(one.messages.at(-1)?.id).toBe(id);
});

describe("on request", () => {
  it("drops the connection before and after the work", async () => {
    const standIn = await start();
    for (const kind of ["drop-before", "drop-after"]) {
      await fault(standIn, { method: "system.version", fault: { kind } });
      await expect((await login(standIn)).call("system.version")).rejects.toThrow("closed");
    }
    expect(await (await login(standIn)).call("system.version")).toBe("TrueNAS-25.10.1");
  });

  it.each([
    [{ kind: "no-space" }, "ENOSPC"],
    [{ kind: "read-only" }, "EROFS"],
    [{ kind: "suspended" }, "EIO"],
    [{ kind: "without-role", role: "SYSTEM_GENERAL_READ" }, "EACCES"],
  ])("refuses with %j as often as it was told", async (planned, errname) => {
    const standIn = await start();
    await fault(standIn, { method: "system.info", times: 2, fault: planned });
    const one = await login(standIn);
    for (const _time of [1, 2]) expect((await refusal(one.call("system.info"))).errname).toBe(errname);
    expect(await one.call("system.info")).toMatchObject({ version: "TrueNAS-25.10.1" });
  });

  it("does so over REST too, and refuses a fault that it does not know", async () => {
    const standIn = await start();
    await fault(standIn, { method: "*", fault: { kind: "drop-before" } });
    await expect(rest(standIn, "/system/version", testKey(1))).rejects.toThrow("fetch failed");
    expect(await fault(standIn, { method: "x", fault: { kind: "explode" } })).toBe(400);
  });
});

describe("a job", () => {
  it("answers with its number, or with its end when the client asks for that", async () => {
    const one = await login(await start());
    expect(await one.call("core.subscribe", "core.get_jobs")).toBeTypeOf("string");
    // Waiting for a job that is not there is a job, which fails.
    const number = await one.call("core.job_wait", 99);
    expect(number).toBeTypeOf("number");
    await sleep(10);
    expect(await one.call("core.get_jobs", [["id", "=", number]])).toMatchObject([{ state: "FAILED" }]);
    expect(one.messages.find(({ method }) => method === "collection_update")?.params).toMatchObject({
      msg: "added",
      collection: "core.get_jobs",
      id: number,
    });
    await one.call("core.set_options", { legacy_jobs: false });
    expect((await refusal(one.call("core.job_wait", 99))).errname).toBe("ENOENT");
  });

  it("is always a number in 25.04, whose set_options answers nothing", async () => {
    const one = await login(await start("25.04.2"));
    expect(await one.call("core.set_options", { legacy_jobs: false })).toBeNull();
    expect(await one.call("core.job_wait", 99)).toBeTypeOf("number");
  });
});
