/** The way to a TrueNAS over JSON-RPC: getting in, staying in, and what is said when that fails. */
import { createServer as createPlainServer, type Server } from "node:net";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Failure } from "../../../model/failure.ts";
import { failureOf } from "../../../model/testing/failure-of.ts";
import { handClock, realWorld } from "../../kubernetes/testing/world.ts";
import { openTrueNas, type TrueNasOptions } from "./open.ts";
import { type Bench, startBench } from "./testing/subject.ts";
import type { Call, Mishap } from "./testing/truenas-server.ts";

let bench: Bench;
const start = async (change: Partial<TrueNasOptions> = {}, version = "TrueNAS-25.10.1"): Promise<Bench> => {
  bench = await startBench(version, "wss", change);
  return bench;
};
beforeEach(() => start());
afterEach(() => bench.close());

/** All that a user may see of it, causes included. */
const textOf = (failure: Failure): string => {
  const { cause } = failure as { cause?: Error & { cause?: Error } };
  const texts = [failure.message, failure.what, failure.why, failure.todo, failure.stack];
  return [...texts, cause?.message, cause?.stack, cause?.cause?.message, JSON.stringify(cause)].join("\n");
};

/** Mishaps for the calls of one method, in turn; `undefined` lets one pass. */
const inTurn = (method: string, ...mishaps: readonly (Mishap | undefined)[]) => {
  let count = 0;
  return (call: Call): Mishap | undefined => (call.method === method ? mishaps[(count += 1) - 1] : undefined);
};

describe("an address without encryption", () => {
  let plain: Server;
  let arrived: number;
  beforeEach(async () => {
    arrived = 0;
    plain = createPlainServer((socket) => {
      arrived += 1;
      socket.on("error", () => undefined);
    });
    await new Promise<void>((resolve) => {
      plain.listen(0, "127.0.0.1", resolve);
    });
  });
  afterEach(() => new Promise((resolve) => void plain.close(resolve)));

  it.each(["ws", "http", "ftp"])("of the scheme %s is refused, and nobody is even connected to", async (scheme) => {
    const { port } = plain.address() as AddressInfo;
    const failure = await failureOf(openTrueNas({ ...bench.options, url: `${scheme}://127.0.0.1:${port}` }));
    expect(failure.code).toBe("NAS_INSECURE");
    expect(failure.why).toContain("Nothing was sent");
    expect(textOf(failure)).not.toContain(bench.server.key);
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
    expect(arrived).toBe(0);
  });

  it("of no scheme at all is refused too", async () => {
    expect((await failureOf(openTrueNas({ ...bench.options, url: "nas" }))).code).toBe("NAS_INSECURE");
  });
});

describe("getting in", () => {
  it.each([
    ["AUTH_ERR", "NAS_UNAUTHORIZED", "wrong"],
    ["EXPIRED", "NAS_KEY_REVOKED", "expired or was revoked"],
    ["OTP_REQUIRED", "NAS_UNAUTHORIZED", "one-time password"],
    ["REDIRECT", "NAS_UNAUTHORIZED", "another controller"],
    ["DENIED", "NAS_UNAUTHORIZED", "locked"],
    ["SOMETHING_NEW", "NAS_UNAUTHORIZED", "SOMETHING_NEW"],
  ])("fails after %s as %s, at once and without the key in any text", async (answer, code, reason) => {
    bench.server.login = answer;
    const failure = await failureOf(bench.nas());
    expect(failure.code).toBe(code);
    expect(failure.why).toContain(reason);
    expect(failure.todo).toBeDefined();
    expect(textOf(failure)).not.toContain(bench.server.key);
    expect(bench.server.connections).toBe(1);
  });

  it("sends user and key by auth.login_ex before anything else", async () => {
    await bench.nas();
    expect(bench.server.calls.map(({ method }) => method)).toEqual(["system.version"]);
    expect((await failureOf(openTrueNas({ ...bench.options, user: "another" }))).code).toBe("NAS_UNAUTHORIZED");
  });

  it.each(["TrueNAS-27.0.0", "TrueNAS-SCALE-24.04.2", "FreeBSD", 7])("refuses the version %j", async (version) => {
    bench.server.mishap = inTurn("system.version", { result: version });
    const failure = await failureOf(bench.nas());
    expect(failure.code).toBe("NAS_VERSION_UNKNOWN");
    expect(textOf(failure)).toContain(String(version).replace(/^\D+/, ""));
  });

  it("does not trust a certificate of another CA, nor one for another name, and sends no key", async () => {
    const { ca: _, ...withoutCa } = bench.options;
    expect((await failureOf(openTrueNas(withoutCa))).code).toBe("NAS_UNTRUSTED");
    const url = bench.options.url.replace("127.0.0.1", "localhost");
    const other = await failureOf(openTrueNas({ ...bench.options, url }));
    expect(other.code).toBe("NAS_UNTRUSTED");
    expect(other.what).toContain("localhost");
    expect(bench.server.connections).toBe(0);
  });

  it("is unreachable after a few tries where nothing listens", async () => {
    const { server, options } = bench;
    await server.close();
    const slept: number[] = [];
    const clock = {
      ...realWorld.clock,
      sleep: async (milliseconds: number, signal?: AbortSignal) => {
        if (milliseconds >= 5000) return await realWorld.clock.sleep(milliseconds, signal);
        slept.push(milliseconds);
      },
    };
    const failure = await failureOf(openTrueNas({ ...options, clock }));
    expect(failure).toMatchObject({
      code: "NAS_UNREACHABLE",
      why: "The connection was refused: nothing listens there.",
    });
    expect(slept).toEqual([250, 1000, 4000]);
    await start();
  });

  it("tells a TrueNAS without JSON-RPC how it is reached", async () => {
    await bench.close();
    const failure = await failureOf((await start({}, "TrueNAS-SCALE-24.10.2")).nas());
    expect(failure.code).toBe("NAS_VERSION_UNKNOWN");
    expect(failure.todo).toContain(`https://${bench.server.host}`);
  });

  it("ends when it is interrupted", async () => {
    const controller = new AbortController();
    bench.server.mishap = inTurn("system.version", { silent: "before" });
    const opening = openTrueNas({ ...bench.options, signal: controller.signal });
    controller.abort(new Error("enough"));
    await expect(opening).rejects.toThrow("enough");
  });
});

describe("a connection", () => {
  it("is one for all calls, and answers may come in any order", async () => {
    const nas = await bench.nas();
    bench.server.middleware.zfs.create("tank/k8s/b");
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    bench.server.mishap = (call) => (JSON.stringify(call.params).includes("tank/k8s/b") ? { until: gate } : undefined);
    const slow = nas.dataset("tank/k8s/b");
    expect((await nas.dataset("tank/k8s"))?.name).toBe("tank/k8s");
    release();
    expect((await slow)?.name).toBe("tank/k8s/b");
    expect(bench.server.connections).toBe(1);
  });

  it("carries at most 8 calls at once", async () => {
    const nas = await bench.nas();
    bench.server.mishap = () => ({
      until: new Promise((resolve) => {
        setTimeout(resolve, 20);
      }),
    });
    await Promise.all(Array.from({ length: 30 }, () => nas.snapshotTasks()));
    expect(bench.server.mostAtOnce).toBe(8);
  });

  it("is made anew, with a new login, when it breaks, and reads go on", async () => {
    const nas = await bench.nas();
    bench.server.mishap = inTurn("replication.query", { drop: "before" }, { drop: "after" });
    expect(await nas.replicationTasks()).toEqual([]);
    expect(bench.server.connections).toBe(3);
    bench.server.breakAll();
    expect(await nas.replicationTasks()).toEqual([]);
  });

  it("that breaks under many calls is made anew once", async () => {
    const nas = await bench.nas();
    let isBroken = false;
    bench.server.mishap = ({ connection }) => (connection === 1 && !isBroken ? { silent: "before" } : undefined);
    const reads = Array.from({ length: 5 }, () => nas.replicationTasks());
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
    isBroken = true;
    bench.server.breakAll();
    await Promise.all(reads);
    expect(bench.server.connections).toBe(2);
  });

  it("that breaks at every read is unreachable in the end", async () => {
    const nas = await bench.nas();
    bench.server.mishap = ({ method }) => (method === "replication.query" ? { drop: "before" } : undefined);
    const failure = await failureOf(nas.replicationTasks());
    expect(failure.code).toBe("NAS_UNREACHABLE");
    expect(bench.server.methods).toHaveLength(4);
  });

  it("that TrueNAS has logged out logs in again, once", async () => {
    const loggedOut = {
      error: { code: -32_001, data: { error: 207, reason: "[ENOTAUTHENTICATED] Not authenticated" } },
    };
    const nas = await bench.nas();
    bench.server.mishap = inTurn("replication.query", loggedOut, undefined, loggedOut, loggedOut);
    expect(await nas.replicationTasks()).toEqual([]);
    expect(bench.server.connections).toBe(2);
    expect((await failureOf(nas.replicationTasks())).code).toBe("NAS_UNAUTHORIZED");
  });

  it("says that the key was revoked when a new login is refused", async () => {
    const nas = await bench.nas();
    bench.server.login = "EXPIRED";
    bench.server.breakAll();
    expect((await failureOf(nas.replicationTasks())).code).toBe("NAS_KEY_REVOKED");
  });

  it("waits when TrueNAS has too much to do, for changes too", async () => {
    const busy = { error: { code: -32_000, message: "Too many concurrent calls" } };
    const nas = await bench.nas();
    bench.server.mishap = inTurn("pool.snapshot.create", busy, busy);
    const made = await nas.createSnapshot({ dataset: "tank/k8s", snapshot: "s" });
    expect(made.name).toBe("tank/k8s@s");
  });

  it("has no answer after its time, and says so", async () => {
    const nas = await (await start({ timeout: 200 })).nas();
    bench.server.mishap = inTurn("replication.query", { silent: "before" });
    const failure = await failureOf(nas.replicationTasks());
    expect(failure).toMatchObject({ code: "NAS_UNREACHABLE", why: "There was no answer within 0.2 s." });
    expect(await nas.replicationTasks()).toEqual([]);
  });

  it("that is dead is left for a new one after the first call that noticed it", async () => {
    const clock = handClock();
    const nas = await (await start({ clock })).nas();
    bench.server.mishap = ({ connection }) => (connection === 1 ? { silent: "before" } : undefined);
    const waiting = failureOf(nas.replicationTasks());
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
    await clock.advance(5000);
    expect((await waiting).code).toBe("NAS_UNREACHABLE");
    expect(await nas.replicationTasks()).toEqual([]);
    expect(bench.server.connections).toBe(2);
  });

  it("ends calls with the reason of an interruption", async () => {
    const controller = new AbortController();
    const nas = await (await start({ signal: controller.signal })).nas();
    bench.server.mishap = inTurn("replication.query", { silent: "before" });
    const call = nas.replicationTasks();
    controller.abort(new Error("enough"));
    await expect(call).rejects.toThrow("enough");
  });

  it("may be closed twice, and is not opened again by a call", async () => {
    const nas = await bench.nas();
    await nas.close();
    await nas.close();
    await expect(nas.replicationTasks()).rejects.toThrow(TypeError);
    expect(bench.server.connections).toBe(1);
  });

  it("does not send what TrueNAS would end it for", async () => {
    const nas = await bench.nas();
    const exclude = Array.from({ length: 2000 }, (_, index) => `tank/k8s/pvc-0123456789-0123456789-${index}`);
    const failure = await failureOf(
      nas.createSnapshot({ dataset: "tank/k8s", snapshot: "s", recursive: true, exclude }),
    );
    expect(failure).toMatchObject({ code: "NAS_REFUSED", what: "A request is larger than TrueNAS takes." });
    expect(bench.server.connections).toBe(1);
  });

  it("refuses an answer that is not of the expected shape", async () => {
    const nas = await bench.nas();
    bench.server.mishap = inTurn("replication.query", { result: "nothing" }, { result: [{ id: "x" }] });
    expect((await failureOf(nas.replicationTasks())).code).toBe("NAS_REFUSED");
    expect((await failureOf(nas.replicationTasks())).code).toBe("NAS_REFUSED");
  });

  it("keeps the key out of a text that repeats it", async () => {
    const nas = await bench.nas();
    const { key } = bench.server;
    const error = { code: -32_001, data: { error: 14, reason: `[EFAULT] login ${key} failed`, extra: null } };
    bench.server.mishap = inTurn("replication.query", { error });
    const failure = await failureOf(nas.replicationTasks());
    expect(failure.why).toContain("login [key] failed");
    expect(textOf(failure)).not.toContain(key);
  });
});
