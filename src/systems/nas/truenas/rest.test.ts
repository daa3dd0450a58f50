/** The way to a TrueNAS over REST, and how its methods are spelled there. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Failure } from "../../../model/failure.ts";
import { failureOf } from "../../../model/testing/failure-of.ts";
import type { Nas } from "../port.ts";
import { restRequests } from "./rest-requests.ts";
import { openTrueNas } from "./open.ts";
import { type Bench, startBench } from "./testing/subject.ts";
import type { Call, Mishap } from "./testing/truenas-server.ts";

const textOf = (failure: Failure): string => {
  const { cause } = failure as { cause?: Error };
  return [failure.message, failure.what, failure.why, failure.todo, failure.stack, cause?.message, cause?.stack].join();
};

let bench: Bench;
beforeEach(async () => {
  bench = await startBench("TrueNAS-SCALE-24.10.2", "https");
});
afterEach(() => bench.close());

const inTurn = (method: string, ...mishaps: readonly (Mishap | undefined)[]) => {
  let count = 0;
  return (call: Call): Mishap | undefined => (call.method === method ? mishaps[(count += 1) - 1] : undefined);
};
const open = async (): Promise<Nas> => await bench.nas();

describe("an https address", () => {
  it("is spoken to by REST where there is no JSON-RPC, and says so", async () => {
    expect(await (await open()).describe()).toEqual({
      product: "truenas",
      version: "24.10.2",
      transport: "rest",
      can: { rename: false, exclude: true, nfs: true, iscsi: true },
    });
  });

  it("is spoken to by JSON-RPC where there is one", async () => {
    await bench.close();
    bench = await startBench("TrueNAS-25.04.2", "https");
    expect(await (await open()).describe()).toMatchObject({ version: "25.04.2", transport: "json-rpc" });
  });

  it("is not trusted with another CA, and no key is sent", async () => {
    const { ca: _, ...withoutCa } = bench.options;
    expect((await failureOf(openTrueNas(withoutCa))).code).toBe("NAS_UNTRUSTED");
    expect(bench.server.calls).toEqual([]);
  });

  it("that does not accept the key is told at once, without the key", async () => {
    bench.server.login = "EXPIRED";
    const failure = await failureOf(open());
    expect(failure.code).toBe("NAS_UNAUTHORIZED");
    expect(textOf(failure)).not.toContain(bench.server.key);
  });

  it("of something else that answers with pages is no TrueNAS", async () => {
    bench.server.mishap = () => ({ rest: [200, "<html>login</html>"] });
    expect((await failureOf(open())).code).toBe("NAS_VERSION_UNKNOWN");
  });

  it("of an unknown version is refused", async () => {
    bench.server.mishap = () => ({ result: "TrueNAS-13.0-U6.1" });
    expect((await failureOf(open())).code).toBe("NAS_VERSION_UNKNOWN");
  });
});

describe("a request", () => {
  it("that reads is sent again when its answer is lost, or the service behind the proxy is away", async () => {
    const nas = await open();
    bench.server.mishap = inTurn("replication.query", { drop: "before" }, { rest: [502, "Bad Gateway"] });
    expect(await nas.replicationTasks()).toEqual([]);
  });

  it("that is never answered is unreachable after its time", async () => {
    await bench.close();
    bench = await startBench("TrueNAS-SCALE-24.10.2", "https", { timeout: 300 });
    const nas = await open();
    bench.server.mishap = inTurn("replication.query", { silent: "before" });
    const failure = await failureOf(nas.replicationTasks());
    expect(failure).toMatchObject({ code: "NAS_UNREACHABLE", why: "There was no answer within 0.3 s." });
    expect(bench.server.methods).toEqual(["replication.query"]);
  });

  it("that is refused for want of a right names the role", async () => {
    const nas = await open();
    bench.server.mishap = inTurn("replication.query", { rest: [403, ""] });
    const failure = await failureOf(nas.replicationTasks());
    expect(failure.code).toBe("NAS_FORBIDDEN");
    expect(failure.todo).toContain("REPLICATION_TASK_READ");
  });

  it("keeps the key out of a text that repeats it", async () => {
    const nas = await open();
    const { key } = bench.server;
    bench.server.mishap = inTurn("replication.query", { rest: [422, `{"message":"Bearer ${key}?","errno":14}`] });
    const failure = await failureOf(nas.replicationTasks());
    expect(failure.why).toContain("Bearer [key]?");
    expect(textOf(failure)).not.toContain(key);
  });

  it("ends with the reason of an interruption", async () => {
    const controller = new AbortController();
    await bench.close();
    bench = await startBench("TrueNAS-SCALE-24.10.2", "https", { signal: controller.signal });
    const nas = await open();
    bench.server.mishap = inTurn("replication.query", { silent: "before" });
    const call = nas.replicationTasks();
    controller.abort(new Error("enough"));
    await expect(call).rejects.toThrow("enough");
  });
});

describe("a method in REST", () => {
  it.each([
    ["system.version", [], [{ verb: "GET", path: "/system/version" }]],
    ["iscsi.global.config", [], [{ verb: "GET", path: "/iscsi/global" }]],
    ["iscsi.global.sessions", [], [{ verb: "GET", path: "/iscsi/global/sessions" }]],
    ["sharing.nfs.query", [[], {}], [{ verb: "GET", path: "/sharing/nfs" }]],
    ["sharing.nfs.create", [{ path: "/x" }], [{ verb: "POST", path: "/sharing/nfs", body: { path: "/x" } }]],
    ["sharing.nfs.delete", [7], [{ verb: "DELETE", path: "/sharing/nfs/id/7" }]],
    ["zfs.snapshot.clone", [{ a: 1 }], [{ verb: "POST", path: "/zfs/snapshot/clone", body: { a: 1 } }]],
    [
      "zfs.snapshot.delete",
      ["tank/a@s t", { recursive: false }],
      [{ verb: "DELETE", path: "/zfs/snapshot/id/tank%2Fa%40s%20t", body: { recursive: false } }],
    ],
    ["pool.dataset.update", ["tank/a", { b: 1 }], [{ verb: "PUT", path: "/pool/dataset/id/tank%2Fa", body: { b: 1 } }]],
    ["pool.dataset.promote", ["tank/a"], [{ verb: "POST", path: "/pool/dataset/id/tank%2Fa/promote" }]],
    [
      "pool.dataset.query",
      [[["id", "=", "tank/a"]], { extra: { flat: false, properties: ["guid"] } }],
      [{ verb: "GET", path: "/pool/dataset?id=tank%2Fa&extra.flat=false&extra.properties=%5B%22guid%22%5D" }],
    ],
    [
      "zfs.snapshot.query",
      [
        [
          [
            "OR",
            [
              ["dataset", "=", "tank/a"],
              ["dataset", "^", "tank/a/"],
            ],
          ],
        ],
        {},
      ],
      [
        { verb: "GET", path: "/zfs/snapshot?dataset=tank%2Fa" },
        { verb: "GET", path: "/zfs/snapshot?dataset__%5E=tank%2Fa%2F" },
      ],
    ],
  ])("%s", (method, params, requests) => {
    expect(restRequests(method, params)).toEqual(requests);
  });

  it("cannot be a query with an OR beside something else", () => {
    expect(() =>
      restRequests("a.query", [
        [
          ["OR", []],
          ["b", "=", 1],
        ],
        {},
      ]),
    ).toThrow(TypeError);
  });
});
