import type { ServerResponse } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { isFailure } from "../../model/failure.ts";
import { KubernetesClient, type ClientOptions } from "./client.ts";
import type { KubeObject, ObjectList, WatchEvent, WatchFrom } from "./port.ts";
import { resources } from "./resources.ts";
import {
  accessTo,
  sendJson,
  sendStatus,
  startScriptedServer,
  type ScriptedServer,
  type Seen,
} from "./testing/scripted-server.ts";
import { jumpingClock, realWorld } from "./testing/world.ts";
import { following } from "./watch/conformance.ts";
import { watching, type StreamEvent } from "./watching.ts";

const { pods } = resources;

const pod = (name: string, resourceVersion: string): KubeObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: "media", uid: `uid-${name}`, resourceVersion },
});

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** How a scripted API server answers one list or one watch, in turn. */
type Turn = (response: ServerResponse, seen: Seen) => void;

const listing =
  (resourceVersion: string, ...items: readonly KubeObject[]): Turn =>
  (response) =>
    sendJson(response, { kind: "PodList", metadata: { resourceVersion }, items });

const write = (response: ServerResponse, ...events: readonly object[]): void => {
  response.write(events.map((event) => `${JSON.stringify(event)}\n`).join(""));
};

/** A stream that stays open after these events. */
const streaming =
  (...events: readonly object[]): Turn =>
  (response) =>
    write(response, ...events);

/** A stream that the server ends after these events, as it does when its time is over. */
const ending =
  (...events: readonly object[]): Turn =>
  (response) => {
    write(response, ...events);
    response.end();
  };

const status =
  (code: number, reason: string, headers: object = {}): Turn =>
  (response) =>
    sendStatus(response, { code, reason, message: `the server says ${reason}` }, headers);

const expiredInside = { type: "ERROR", object: { kind: "Status", code: 410, reason: "Expired", message: "too old" } };

interface Script {
  readonly lists?: readonly Turn[];
  readonly watches: readonly Turn[];
}

/** Starts a server for one watch; what is asked beyond the script stays silent. */
const start = async (
  { lists = [], watches }: Script,
  from: WatchFrom<KubeObject> = {},
  options: ClientOptions = {},
) => {
  const turns = { lists: [...lists], watches: [...watches] };
  const server = await startScriptedServer((seen, response) => {
    const turn = (seen.query.get("watch") === "true" ? turns.watches : turns.lists).shift();
    turn?.(response, seen);
  });
  const access = accessTo(server.address, () => ({ tls: { rejectUnauthorized: true }, headers: {} }));
  const client = new KubernetesClient(access, { ...realWorld, randomId: () => "0000" }, options);
  const watch = following((signal) => client.watch(pods, { namespace: "media", ...from }, signal));
  ends.push(
    () => watch.stop().catch(() => undefined),
    () => client.close(),
    () => server.close(),
  );
  return { server, watch };
};

const versionsAsked = (server: ScriptedServer): (string | null)[] =>
  server.seen.filter(({ query }) => query.has("watch")).map(({ query }) => query.get("resourceVersion"));

describe("a watch on a scripted server", () => {
  it("lists first, and watches after the list's version", async () => {
    const { server, watch } = await start({
      lists: [listing("10", pod("a", "5"))],
      watches: [streaming({ type: "MODIFIED", object: pod("a", "11") })],
    });
    expect(await watch.first(2)).toEqual(["ADDED a", "MODIFIED a"]);
    expect(versionsAsked(server)).toEqual(["10"]);
    const { query, path } = server.seen[1]!;
    expect(path).toBe("/api/v1/namespaces/media/pods");
    expect(query.get("allowWatchBookmarks")).toBe("true");
    expect(Number(query.get("timeoutSeconds"))).toBeGreaterThanOrEqual(261);
    expect(Number(query.get("timeoutSeconds"))).toBeLessThanOrEqual(319);
  });

  it("continues where it was when the server ends the stream, and bookmarks advance that place", async () => {
    const { server, watch } = await start(
      {
        watches: [
          ending({ type: "ADDED", object: pod("a", "11") }),
          ending({ type: "BOOKMARK", object: { metadata: { resourceVersion: "20" } } }),
          streaming({ type: "ADDED", object: pod("b", "21") }),
        ],
      },
      { resourceVersion: "10" },
    );
    expect(await watch.first(2)).toEqual(["ADDED a", "ADDED b"]);
    expect(versionsAsked(server)).toEqual(["10", "11", "20"]);
  });

  it("connects anew when the socket goes silent", async () => {
    const { server, watch } = await start(
      {
        watches: [
          streaming({ type: "ADDED", object: pod("a", "11") }),
          streaming({ type: "ADDED", object: pod("b", "12") }),
        ],
      },
      { resourceVersion: "10" },
      { watchSilence: 150 },
    );
    expect(await watch.first(2)).toEqual(["ADDED a", "ADDED b"]);
    expect(versionsAsked(server).slice(0, 2)).toEqual(["10", "11"]);
    await expect.poll(() => server.openAnswers()).toBe(1);
  });

  it("does not take a slow reader for a silent server", async () => {
    const server = await startScriptedServer((_seen, response) => {
      write(response, { type: "ADDED", object: pod("a", "11") }, { type: "ADDED", object: pod("b", "12") });
      const beat = setInterval(
        () => write(response, { type: "BOOKMARK", object: { metadata: { resourceVersion: "13" } } }),
        30,
      );
      response.on("close", () => clearInterval(beat));
    });
    const access = accessTo(server.address, () => ({ tls: { rejectUnauthorized: true }, headers: {} }));
    const client = new KubernetesClient(access, realWorld, { watchSilence: 200 });
    ends.push(
      () => client.close(),
      () => server.close(),
    );
    const controller = new AbortController();
    const names: string[] = [];
    for await (const { object } of client.watch(
      pods,
      { namespace: "media", resourceVersion: "10" },
      controller.signal,
    )) {
      names.push(object.metadata.name);
      await new Promise((resolve) => setTimeout(resolve, 400));
      if (names.length === 2) controller.abort();
    }
    expect(names).toEqual(["a", "b"]);
    expect(server.seen.length).toBe(1);
  });

  it.each([
    ["as the answer", status(410, "Expired")],
    ["inside the stream", streaming(expiredInside)],
  ])("lists again on a 410 %s, and tells what vanished, changed and came meanwhile", async (_name, expired) => {
    const { server, watch } = await start({
      lists: [
        listing("10", pod("same", "1"), pod("gone", "2"), pod("changed", "3")),
        listing("30", pod("same", "1"), pod("changed", "25"), pod("new", "26")),
      ],
      watches: [expired, streaming({ type: "MODIFIED", object: pod("new", "31") })],
    });
    expect(await watch.first(7)).toEqual([
      "ADDED same",
      "ADDED gone",
      "ADDED changed",
      "DELETED gone",
      "MODIFIED changed",
      "ADDED new",
      "MODIFIED new",
    ]);
    expect(watch.events[3]?.object).toEqual(pod("gone", "2"));
    expect(versionsAsked(server)).toEqual(["10", "30"]);
  });

  it("tells of vanished objects that the caller knew, when its version has expired", async () => {
    const { watch } = await start(
      { lists: [listing("30", pod("b", "2"))], watches: [status(410, "Expired"), streaming()] },
      { resourceVersion: "10", known: [pod("a", "1"), pod("b", "2")] },
    );
    expect(await watch.first(1)).toEqual(["DELETED a"]);
  });

  it.each([
    ["a server error", status(500, "InternalError")],
    ["an overloaded server", status(429, "TooManyRequests", { "retry-after": "0" })],
    [
      "an error inside the stream",
      streaming({ type: "ERROR", object: { kind: "Status", code: 500, message: "etcd" } }),
    ],
    ["a broken connection", (response: ServerResponse) => void response.destroy()],
    ["half an event", (response: ServerResponse) => void response.write('{"type":"ADD', () => response.destroy())],
  ])("goes on after %s", async (_name, trouble) => {
    const { watch } = await start({
      lists: [listing("10")],
      watches: [trouble, trouble, streaming({ type: "ADDED", object: pod("a", "11") })],
    });
    expect(await watch.first(1)).toEqual(["ADDED a"]);
  });

  it("joins events that arrive in pieces", async () => {
    const line = `${JSON.stringify({ type: "ADDED", object: pod("zwölf", "11") })}\n`;
    const bytes = Buffer.from(line);
    const cut = bytes.indexOf(0xc3) + 1; // in the middle of the letter
    const { watch } = await start(
      {
        watches: [
          (response) => {
            response.write(bytes.subarray(0, cut));
            setTimeout(() => response.write(bytes.subarray(cut)), 20);
          },
        ],
      },
      { resourceVersion: "10" },
    );
    expect(await watch.first(1)).toEqual(["ADDED zwölf"]);
  });

  it.each([
    ["KUBERNETES_REFUSED", status(404, "NotFound")],
    ["KUBERNETES_UNAUTHORIZED", status(401, "Unauthorized")],
    ["KUBERNETES_REFUSED", streaming({ type: "ERROR", object: { kind: "Status", code: 400, message: "bad" } })],
  ])("ends with %s, which waiting does not mend", async (code, turn) => {
    const { watch } = await start({ watches: [turn, turn] }, { resourceVersion: "10" });
    await expect(watch.end).rejects.toMatchObject({ code });
  });

  it("ends when a right is taken away in the middle", async () => {
    const { watch } = await start({
      lists: [listing("10")],
      watches: [ending({ type: "ADDED", object: pod("a", "11") }), (response) => response.writeHead(403).end()],
    });
    await expect(watch.end).rejects.toMatchObject({ code: "KUBERNETES_FORBIDDEN" });
    expect(watch.names()).toEqual(["ADDED a"]);
  });

  it("does not wait for a server that has never answered", async () => {
    const access = accessTo("http://127.0.0.1:1", () => ({ tls: { rejectUnauthorized: true }, headers: {} }));
    const watch = following((signal) => new KubernetesClient(access, realWorld).watch(pods, {}, signal));
    await expect(watch.end).rejects.toMatchObject({ code: "KUBERNETES_UNREACHABLE" });
  });

  it.each([
    ["while it streams", { lists: [listing("10", pod("a", "1"))], watches: [streaming()] }],
    ["while the stream does not begin", { lists: [listing("10")], watches: [] }],
  ])("ends in order and leaves no socket when the signal aborts %s", async (_name, script: Script) => {
    const { server, watch } = await start(script);
    await expect.poll(() => server.seen.length).toBe((script.lists ?? []).length + 1);
    await watch.stop();
    await expect.poll(() => server.openAnswers()).toBe(0);
  });

  it("ends at once when the signal aborts while the list does not come", async () => {
    const { server, watch } = await start({ watches: [] });
    await expect.poll(() => server.seen.length).toBe(1);
    await expect(watch.stop()).resolves.toBeUndefined();
  });

  it("leaves no stream behind when the reader leaves", async () => {
    const server = await startScriptedServer((_seen, response) =>
      write(response, { type: "ADDED", object: pod("a", "11") }),
    );
    const access = accessTo(server.address, () => ({ tls: { rejectUnauthorized: true }, headers: {} }));
    const client = new KubernetesClient(access, realWorld);
    ends.push(
      () => client.close(),
      () => server.close(),
    );
    for await (const { type } of client.watch(pods, { resourceVersion: "1" }, new AbortController().signal)) {
      expect(type).toBe("ADDED");
      break;
    }
    await expect.poll(() => server.openAnswers()).toBe(0);
  });
});

describe("watching", () => {
  const list: ObjectList<KubeObject> = { items: [], resourceVersion: "10" };

  /** Runs a watch whose streams behave as told, until it has slept so many times. */
  const sleeps = async (times: number, open: (attempt: number) => AsyncIterable<StreamEvent<KubeObject>>) => {
    const clock = jumpingClock();
    const controller = new AbortController();
    let attempt = 0;
    const source = { list: async () => list, open: () => open((attempt += 1)) };
    const events: WatchEvent<KubeObject>[] = [];
    const world = {
      clock: {
        ...clock,
        sleep: async (milliseconds: number, signal?: AbortSignal) => {
          await clock.sleep(milliseconds, signal);
          if (clock.slept.length >= times) controller.abort();
        },
      },
      signal: controller.signal,
      randomId: () => "zzzzzzzz", // the most that jitter can be
    };
    for await (const event of watching(source, {}, world)) events.push(event);
    return { slept: clock.slept, events };
  };

  it("waits longer and longer, up to half a minute, while nothing comes", async () => {
    const { slept } = await sleeps(9, async function* () {});
    expect(slept).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  });

  it("waits little again once something has come", async () => {
    const { slept } = await sleeps(6, async function* (attempt) {
      if (attempt === 4) yield { type: "ADDED", object: pod("a", "11") };
    });
    expect(slept).toEqual([500, 1000, 2000, 500, 500, 1000]);
  });

  it("never spins, even when each stream brings something and breaks", async () => {
    const { slept } = await sleeps(4, async function* () {
      yield { type: "BOOKMARK", object: pod("a", "11") };
    });
    expect(slept).toEqual([500, 500, 500, 500]);
  });

  it("spreads its waiting", async () => {
    const clock = jumpingClock();
    const controller = new AbortController();
    const open = async function* (): AsyncGenerator<StreamEvent<KubeObject>> {
      if (clock.slept.length === 100) controller.abort();
      yield* [];
    };
    const source = { list: async () => list, open };
    for await (const event of watching(
      source,
      {},
      { clock, signal: controller.signal, randomId: realWorld.randomId },
    )) {
      expect(event).toBeUndefined();
    }
    expect(new Set(clock.slept).size).toBeGreaterThan(50);
  });

  it("lets a failure that is no Failure through", async () => {
    const open = async function* (): AsyncGenerator<StreamEvent<KubeObject>> {
      yield* [];
      throw new TypeError("defect");
    };
    const source = { list: async () => list, open };
    const watch = watching(
      source,
      {},
      { clock: jumpingClock(), signal: new AbortController().signal, randomId: () => "0" },
    );
    await expect(watch.next()).rejects.toSatisfy((error) => error instanceof TypeError && !isFailure(error));
  });
});
