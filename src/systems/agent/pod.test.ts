import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AgentLine } from "../../agent/lines.ts";
import type { Context } from "../../context.ts";
import { MemoryControllers } from "../kubernetes/memory-controllers.ts";
import { MemoryKubernetes } from "../kubernetes/memory.ts";
import type { KubeObject } from "../kubernetes/port.ts";
import { resources } from "../kubernetes/resources.ts";
import { jumpingClock } from "../kubernetes/testing/world.ts";
import { PodAgents } from "./pod.ts";

let kubernetes: MemoryKubernetes;
let controllers: MemoryControllers;
let context: Context;
/** What the program prints, and what happens meanwhile. */
let logs: () => AsyncIterable<string>;

beforeEach(() => {
  const clock = jumpingClock();
  let count = 0;
  const randomId = (length: number): string => String((count += 1)).padStart(length, "r");
  kubernetes = new MemoryKubernetes({ clock, randomId }, { logs: () => logs() });
  controllers = new MemoryControllers(kubernetes, { clock, randomId, outcome: () => "ready" });
  const output = { isTTY: false, write: () => undefined };
  const stdin = { isTTY: false, readLine: async () => undefined };
  const { signal } = new AbortController();
  context = { clock, randomId, env: {}, cwd: "/", stdin, stdout: output, stderr: output, signal };
  kubernetes.put(resources.namespaces, { metadata: { name: "media" } });
  kubernetes.put(resources.persistentVolumeClaims, {
    metadata: { name: "a", namespace: "media" },
    spec: { volumeName: "pv-a" },
  } as KubeObject);
  kubernetes.put(resources.persistentVolumes, { metadata: { name: "pv-a" }, spec: { csi: {} } } as KubeObject);
});
afterEach(() => controllers.stop());

const run = (onLine: (line: AgentLine) => void = () => undefined): Promise<void> =>
  new PodAgents({
    kubernetes,
    context,
    namespace: "holdfast",
    image: "holdfast:1",
    kubeletDir: "/var/lib/kubelet",
    timeout: 5000,
    secretFiles: {},
  }).run(
    {
      operation: "op1",
      job: { kind: "look", targets: [{ key: "v1", volume: "media/a" }] },
      mounts: [{ key: "v1", namespace: "media", claim: "a" }],
    },
    onLine,
    context.signal,
  );

const ours = async (): Promise<readonly string[]> => {
  const lists = await Promise.all(
    [resources.pods, resources.secrets].map((resource) => kubernetes.as("test").list(resource, {})),
  );
  return lists.flatMap(({ items }) => items.map(({ metadata }) => metadata.name));
};

describe("PodAgents", () => {
  it("passes on what the program says, and leaves nothing of the run behind", async () => {
    const during: (readonly string[])[] = [];
    logs = async function* () {
      during.push(await ours());
      yield '{"type":"touching"}';
      yield '{"type":"result"}';
    };
    const lines: AgentLine[] = [];
    await run((line) => lines.push(line));
    expect(lines).toEqual([{ type: "touching" }]);
    expect(during[0]).toHaveLength(3);
    expect(await ours()).toEqual([]);
  });

  it("removes nothing of the run that has taken its operation over while it slept", async () => {
    const second: (readonly string[])[] = [];
    logs = async function* () {
      yield "falling asleep";
      const slept = await ours();
      logs = async function* () {
        second.push((await ours()).filter((name) => !slept.includes(name)));
        // The first one wakes, and finds its program without a word.
        await first;
        second.push(await ours());
        yield '{"type":"result"}';
      };
      for (const pod of ["media", "holdfast"])
        for (const { metadata } of (await kubernetes.list(resources.pods, { namespace: pod })).items)
          await kubernetes.as("other").remove(resources.pods, { namespace: pod, name: metadata.name });
      taker = run();
      while (second.length === 0) await new Promise((resolve) => setImmediate(resolve));
    };
    let taker = Promise.resolve();
    const first = run().then(
      () => "ended",
      (error: unknown) => String(error),
    );
    expect(await first).toContain("ended without a result");
    await taker;
    expect(second[0]).toHaveLength(3);
    expect(second[1]).toEqual(second[0]);
    expect(await ours()).toEqual([]);
  });
});
