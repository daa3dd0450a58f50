import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { listen, type Listening } from "./http.ts";
import { newStanding, type ServerStanding } from "./standing.ts";

let now = 0;
let standing: ServerStanding;
let listening: Listening;
beforeEach(async () => {
  now = 1_000_000;
  standing = newStanding(now);
  listening = await listen({ host: "127.0.0.1", port: 0 }, standing, { now: () => now });
});
afterEach(() => listening.close());

const ask = async (path: string, method = "GET") => {
  const answer = await fetch(`http://${listening.address}${path}`, { method });
  return { status: answer.status, text: await answer.text() };
};
const leading = { isLeader: true, missing: [], lastReconcile: 1_000_000 };

describe("what the server answers", () => {
  it("is alive, unless nothing moves while it leads", async () => {
    expect(await ask("/healthz")).toEqual({ status: 200, text: "ok\n" });
    now += 3_600_000;
    expect((await ask("/healthz")).status).toBe(200);
    Object.assign(standing, leading);
    expect(await ask("/healthz")).toEqual({ status: 503, text: "nothing has moved for 3600 s\n" });
  });

  it.each([
    [{}, 503, "not leading: it has just begun"],
    [
      { waitsFor: "another one leads: holdfast serve on a" },
      200,
      "not leading: another one leads: holdfast serve on a",
    ],
    [leading, 200, "leading"],
    [{ ...leading, missing: ["persistentvolumes"] }, 503, "has not read yet: persistentvolumes"],
    [{ ...leading, lastReconcile: undefined }, 503, "has not looked at the volumes yet"],
    [{ ...leading, fenced: "it is of another cluster" }, 503, "fenced: it is of another cluster"],
    [{ ...leading, failing: new Map([["guard media/a", "no"]]) }, 200, "leading\nguard media/a: no"],
  ])("is ready by how it stands: %j", async (part, status, text) => {
    Object.assign(standing, part);
    expect(await ask("/readyz")).toEqual({ status, text: `${text}\n` });
  });

  it("has metrics in Prometheus' format", async () => {
    Object.assign(standing, leading, { retained: 2 });
    standing.volumes = { guarded: 12, incomplete: 1, unguarded: 0, excepted: 3, deleting: 0 };
    const { status, text } = await ask("/metrics?x=1");
    expect(status).toBe(200);
    const lines = text.split("\n");
    expect(lines).toContain('holdfast_guard_volumes{state="guarded"} 12');
    expect(lines).toContain("# TYPE holdfast_guard_retained_total counter");
    expect(lines).toContain("holdfast_guard_retained_total 2");
    expect(lines).toContain("holdfast_guard_last_reconcile_timestamp_seconds 1000");
    expect(lines).toContain("holdfast_leader 1");
    for (const line of lines) expect(line).toMatch(/^(?:|# (?:HELP|TYPE) \S+ .+|[a-z_]+(?:\{\w+="\w+"\})? [\d.]+)$/);
  });

  it("has a line for each freeze, whatever its names have in them", async () => {
    const deployer = { kind: "Application", namespace: "argocd", name: 'a"b' } as const;
    standing.freezes = [
      { deployer, operation: "c\\d\ne", since: 2000 },
      { deployer, operation: undefined, since: undefined },
    ];
    const { text } = await ask("/metrics");
    const name = "holdfast_gitops_frozen_timestamp_seconds";
    expect(text.split("\n").filter((line) => line.includes(name))).toEqual([
      `# HELP ${name} Since when an operation holds an Application or ApplicationSet still.`,
      `# TYPE ${name} gauge`,
      `${name}{kind="Application",namespace="argocd",name="a\\"b",operation="c\\\\d\\ne"} 2`,
      `${name}{kind="Application",namespace="argocd",name="a\\"b",operation=""} 0`,
    ]);
  });

  it("names a freeze that is overdue below its first line, and is ready all the same", async () => {
    const deployer = { kind: "Application", namespace: "argocd", name: "sonarr" } as const;
    Object.assign(standing, leading, { freezes: [{ deployer, operation: "op-1", since: now }] });
    expect(await ask("/readyz")).toEqual({ status: 200, text: "leading\n" });
    now += 1_200_000;
    expect(await ask("/readyz")).toEqual({
      status: 200,
      text: "leading\nApplication argocd/sonarr is held still by the operation op-1, for 20m: `holdfast resume op-1` goes on, `holdfast undo op-1` goes back\n",
    });
  });

  it("has nothing else, and takes nothing", async () => {
    expect((await ask("/")).status).toBe(404);
    expect((await ask("/metrics", "POST")).status).toBe(405);
  });

  it("says which address it cannot have", async () => {
    const [host = "", port = ""] = listening.address.split(":");
    await expect(listen({ host, port: Number(port) }, standing, { now: () => now })).rejects.toMatchObject({
      code: "USAGE",
      what: `Cannot listen on ${listening.address}.`,
      why: "EADDRINUSE",
    });
  });
});
