import { beforeEach, describe, expect, it } from "vitest";
import { MemoryAgents } from "../../systems/agent/memory.ts";
import type { KubeObject } from "../../systems/kubernetes/port.ts";
import { resources } from "../../systems/kubernetes/resources.ts";
import { aCluster, type Cluster } from "../testing/cluster.ts";
import { aTask } from "../testing/plans.ts";
import { NodeAgentMover } from "./node-agent.ts";

interface Restore extends KubeObject {
  readonly spec: { readonly cancel?: boolean; readonly snapshotID?: string; readonly sourceNamespace?: string };
  readonly status?: object;
}

const store = { endpoint: "https://nas.lab:9000", bucket: "b", region: "home", prefix: "velero/", privateCa: true };
const name = { namespace: "velero", name: "holdfast-restore-op1-run1-v1" };

let cluster: Cluster;
let agents: MemoryAgents;
/** What node-agent does each time when somebody waits. */
let nodeAgent: (restore: Restore) => object | undefined;
let seen: Restore[];

beforeEach(async () => {
  cluster = await aCluster(0);
  cluster.controllers.stop();
  agents = new MemoryAgents();
  seen = [];
  const template = { spec: { containers: [{ name: "velero", image: "velero/velero:v1.18.3" }] } };
  cluster.kubernetes.put(resources.deployments, {
    metadata: { name: "velero", namespace: "velero" },
    spec: { template },
  } as KubeObject);
});

const tick = async (): Promise<void> => {
  const { kubernetes } = cluster;
  const restore = await kubernetes.as("node-agent").get<Restore>(resources.podVolumeRestores, name);
  if (restore === undefined) return;
  seen.push(restore);
  const status = nodeAgent(restore);
  if (status !== undefined) kubernetes.put(resources.podVolumeRestores, { ...restore, status } as KubeObject);
  const pod = { namespace: "media", name: name.name };
  const helper = await kubernetes.as("kubelet").get(resources.pods, pod);
  const done = { initContainerStatuses: [{ state: { terminated: { exitCode: 0 } } }] };
  if (helper !== undefined) kubernetes.put(resources.pods, { ...helper, status: done } as KubeObject);
};

const aMover = (): NodeAgentMover =>
  new NodeAgentMover({
    agents,
    store,
    kubernetes: cluster.kubernetes,
    clock: {
      now: () => cluster.context.clock.now(),
      sleep: async (milliseconds, signal) => {
        signal?.throwIfAborted();
        await tick();
        await cluster.context.clock.sleep(milliseconds, signal);
      },
    },
    veleroNamespace: "velero",
    storageLocation: "default",
    image: "holdfast:1",
    timeout: 60_000,
    randomId: () => "run1",
  });

const parts = (): readonly unknown[] => agents.tasks.map(({ job }) => ("part" in job ? job.part : job.kind));
const left = async (): Promise<readonly string[]> => {
  const kinds = [resources.pods, resources.configMaps];
  const lists = await Promise.all(
    kinds.map((kind) => cluster.kubernetes.as("test").list(kind, { labels: "holdfast.dev/operation" })),
  );
  return lists.flatMap(({ items }) => items.map(({ metadata }) => metadata.name));
};
const ignore = (): undefined => undefined;

describe("NodeAgentMover", () => {
  it("sets aside, has node-agent restore the copy into a pod that waits, and compares", async () => {
    nodeAgent = () => ({ phase: "Completed" });
    await aMover().replace(aTask, ignore, new AbortController().signal);
    expect(parts()).toEqual(["before", "after"]);
    expect(seen[0]?.spec).toMatchObject({ snapshotID: "snap-1", sourceNamespace: "media", uploaderType: "kopia" });
    expect(await left()).toEqual([]);
  });

  it("says how node-agent ended when it failed, and compares nothing", async () => {
    nodeAgent = () => ({ phase: "Failed", message: "no such snapshot" });
    const mover = aMover();
    await expect(mover.replace(aTask, ignore, new AbortController().signal)).rejects.toMatchObject({
      code: "AGENT_FAILED",
      why: "no such snapshot",
    });
    expect(parts()).toEqual(["before"]);
    expect(await left()).toEqual([]);
  });

  it("writes nothing when an earlier run had decided it", async () => {
    agents.play(({ job }, say) => {
      if ("part" in job && job.part === "before") say({ type: "decided" });
    });
    await aMover().replace(aTask, ignore, new AbortController().signal);
    expect(parts()).toEqual(["before", "after"]);
    expect(seen).toEqual([]);
  });

  it("stops what an earlier run has left writing, and tidies it away when it has ended", async () => {
    const { kubernetes } = cluster;
    const labels = { "holdfast.dev/operation": "op1" };
    const restore = (phase: string) => ({ metadata: { ...name, labels }, spec: {}, status: { phase } }) as KubeObject;
    kubernetes.put(resources.configMaps, {
      metadata: { name: "holdfast-restore-op1-run1", namespace: "velero", labels },
    });
    kubernetes.put(resources.podVolumeRestores, restore("InProgress"));
    await expect(aMover().clear("another")).resolves.toBeUndefined();
    await expect(aMover().clear("op1")).rejects.toMatchObject({ code: "LOCKED" });
    const told = await kubernetes.get<Restore>(resources.podVolumeRestores, name);
    expect(told?.spec.cancel).toBe(true);
    kubernetes.put(resources.podVolumeRestores, restore("Canceled"));
    await aMover().clear("op1");
    expect(await left()).toEqual([]);
  });

  it("when it is interrupted, waits until node-agent has stopped writing", async () => {
    const stop = new AbortController();
    let asked = 0;
    nodeAgent = ({ spec }) => {
      if (spec.cancel !== true) {
        stop.abort();
        return { phase: "InProgress" };
      }
      return { phase: (asked += 1) < 3 ? "Canceling" : "Canceled" };
    };
    await expect(aMover().replace(aTask, ignore, stop.signal)).rejects.toThrow("abort");
    expect(asked).toBe(3);
    expect(await left()).toEqual([]);
  });
});
