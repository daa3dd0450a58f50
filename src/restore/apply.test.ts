import { afterEach, describe, expect, it } from "vitest";
import { Failure } from "../model/failure.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import { aVolume } from "../inventory/sample.ts";
import { applyRestore, type DataMover, type RestoreEvent } from "./apply.ts";
import type { RestorePlan } from "./plan.ts";
import { readReplicas, replicasAnnotation } from "./standstill.ts";
import { aCluster, type Cluster, type Deployment, mounting } from "./testing/cluster.ts";
import { anItem, aPlan, aStop } from "./testing/plans.ts";

let cluster: Cluster;
afterEach(() => cluster.controllers.stop());

/** Data that is "old" until a mover has put the copy in. */
class Data implements DataMover {
  state: "old" | "moving" | "new" = "old";
  readonly seen: string[] = [];
  during: (signal: AbortSignal) => void | Promise<void> = () => undefined;
  putBackFails: Error | undefined;

  async replace(_plan: RestorePlan, onLine: Parameters<DataMover["replace"]>[1], signal: AbortSignal): Promise<void> {
    this.seen.push(`replace with ${(await cluster.pods()).length} pods`);
    this.state = "moving";
    onLine({ type: "touching" });
    await this.during(signal);
    signal.throwIfAborted();
    this.state = "new";
  }

  async putBack(): Promise<"as-before" | "restored"> {
    this.seen.push("put back");
    if (this.putBackFails !== undefined) throw this.putBackFails;
    if (this.state === "new") return "restored";
    this.state = "old";
    return "as-before";
  }
}

/** Lets some turns of the loop pass, so that whoever watches has looked. */
const turns = async (signal: AbortSignal): Promise<void> => {
  for (let turn = 0; turn < 200 && !signal.aborted; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

const events: RestoreEvent[] = [];
const run = (
  data: DataMover,
  plan = aPlan({ stops: [aStop({ replicas: 2 })] }),
  onEvent: (event: RestoreEvent) => void = () => undefined,
): Promise<void> => {
  events.length = 0;
  return applyRestore(plan, {
    context: cluster.context,
    kubernetes: cluster.kubernetes,
    mover: data,
    timeout: 10_000,
    onEvent: (event) => {
      events.push(event);
      onEvent(event);
    },
  });
};

const failureOf = async (work: Promise<void>): Promise<Failure> => {
  const error: unknown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (error instanceof Failure) return error;
  throw error instanceof Error ? error : new Error("it did not fail");
};

/** Replicas asked for, and what is remembered of them. */
const standing = async (name?: string): Promise<readonly unknown[]> => {
  const deployment = await cluster.deployment(name);
  return [deployment?.spec.replicas, deployment?.metadata.annotations?.[replicasAnnotation]];
};

describe("applyRestore", () => {
  it("replaces the files while no pod uses them, and gives the app its replicas back", async () => {
    cluster = await aCluster(2);
    const data = new Data();
    data.during = async () => void data.seen.push(JSON.stringify(await standing()));
    await run(data);
    expect(data).toMatchObject({ state: "new", seen: ["replace with 0 pods", '[0,"2"]'] });
    expect(await standing()).toEqual([2, undefined]);
    expect((await cluster.deployment())?.status?.readyReplicas).toBe(2);
    expect(events).toContainEqual({ type: "agent", line: { type: "touching" } });
  });

  it("stops and starts nothing that is scaled to zero already", async () => {
    cluster = await aCluster(0);
    const data = new Data();
    await run(data, aPlan({ stops: [aStop({ replicas: 0 })] }));
    expect([data.state, await standing()]).toEqual(["new", [0, undefined]]);
  });

  it("puts the files back and gives the replicas back when the replacement fails, and says so", async () => {
    cluster = await aCluster(2);
    const data = new Data();
    data.during = () => {
      throw new Failure("COPY_CORRUPT", { what: "bad", why: "blob not found", todo: "Take another." });
    };
    const failure = await failureOf(run(data));
    expect(failure).toMatchObject({
      code: "COPY_CORRUPT",
      what: "bad",
      why: "blob not found",
      todo: "The files are as they were, and these have their replicas again: Deployment media/sonarr (2). Take another.",
    });
    expect([data.state, await standing()]).toEqual(["old", [2, undefined]]);
  });

  it("does not say that files are as before when the mover died after all were verified", async () => {
    cluster = await aCluster(2);
    const data = new Data();
    data.during = () => {
      data.state = "new";
      throw new Failure("AGENT_FAILED", { what: "the pod is gone" });
    };
    const { todo } = await failureOf(run(data));
    expect(todo).toContain("The files are the restored ones, all verified, and these have their replicas again");
    expect([data.state, await standing()]).toEqual(["new", [2, undefined]]);
  });

  it("leaves everything as it was when it is interrupted at any step, and says so", async () => {
    const titles: string[] = [];
    for (let at = 0; at < 2; at += 1) {
      cluster = await aCluster(2);
      const data = new Data();
      let steps = 0;
      const failure = await failureOf(
        run(data, undefined, (event) => {
          if (event.type !== "step") return;
          if (steps === at) cluster.stop.abort();
          if (steps === at) titles.push(event.title);
          steps += 1;
        }),
      );
      expect(failure).toMatchObject({
        code: "INTERRUPTED",
        todo: expect.stringContaining(
          "The files are as they were, and these have their replicas again: Deployment media/sonarr (2)",
        ) as string,
      });
      expect([data.state, await standing()]).toEqual(["old", [2, undefined]]);
      cluster.controllers.stop();
    }
    expect(titles).toEqual(["stopping Deployment media/sonarr", "replacing the files"]);
  });

  it("leaves everything as it was when it is interrupted in the middle of the replacement", async () => {
    cluster = await aCluster(1);
    const data = new Data();
    data.during = () => cluster.stop.abort();
    expect(await failureOf(run(data, aPlan()))).toMatchObject({ code: "INTERRUPTED", exitCode: 130 });
    expect([data.state, await standing()]).toEqual(["old", [1, undefined]]);
  });

  it("starts the app although it is interrupted when the data is good already", async () => {
    cluster = await aCluster(1);
    const data = new Data();
    const work = run(data, aPlan(), (event) => {
      if (event.type === "step" && event.title.startsWith("starting")) cluster.stop.abort();
    });
    expect(await failureOf(work)).toMatchObject({
      code: "INTERRUPTED",
      todo: "The data is restored and verified, and the app is starting.",
    });
    expect([data.state, await standing()]).toEqual(["new", [1, undefined]]);
  });

  it("says that the data is good and how to start the app when that is refused", async () => {
    cluster = await aCluster(1);
    const data = new Data();
    const work = run(data, aPlan(), (event) => {
      if (event.type === "step" && event.title.startsWith("starting"))
        cluster.kubernetes.deny({ verb: "patch", resource: resources.deployments });
    });
    const failure = await failureOf(work);
    expect([failure.code, data.state]).toEqual(["KUBERNETES_FORBIDDEN", "new"]);
    expect(failure.todo).toContain(
      "The data is restored and verified, but the app is not started: kubectl -n media scale deployment/sonarr --replicas=1",
    );
  });

  it("breaks off with APP_CAME_BACK when somebody starts the app meanwhile", async () => {
    cluster = await aCluster(1);
    const data = new Data();
    data.during = async (signal) => {
      await cluster.scale(1);
      await turns(signal);
      // What an agent says that is asked to end.
      throw new Failure("INTERRUPTED", { what: "The agent was told to stop." });
    };
    const failure = await failureOf(run(data, aPlan()));
    expect(failure).toMatchObject({ code: "APP_CAME_BACK", why: expect.stringContaining("GitOps") as string });
    expect(failure.todo).toContain("The files are as they were");
    expect(data.state).toBe("old");
  });

  it("minds a pod that only mounts the volume, and not the pods that hold it for us", async () => {
    cluster = await aCluster(1);
    const pod = (name: string, labels = {}) =>
      cluster.kubernetes.put(resources.pods, {
        metadata: { name, namespace: "media", labels },
        spec: mounting("sonarr-config"),
      } as never);
    const data = new Data();
    data.during = async (signal) => {
      pod("holder", { "holdfast.dev/operation": "op1" });
      await turns(signal);
      data.seen.push(`unmoved: ${!signal.aborted}`);
      pod("debug");
      await turns(signal);
    };
    expect(await failureOf(run(data, aPlan()))).toMatchObject({
      code: "APP_CAME_BACK",
      what: "The pod media/debug started during the restore.",
    });
    expect(data.seen).toContain("unmoved: true");
  });

  it("keeps the app stopped when the files could not be put back, and says how it goes on", async () => {
    cluster = await aCluster(2);
    const data = new Data();
    data.during = () => {
      throw new Failure("AGENT_FAILED", { what: "the node is gone" });
    };
    data.putBackFails = new Failure("TARGET_UNUSABLE", { what: "cannot be mounted" });
    const failure = await failureOf(run(data));
    expect(failure).toMatchObject({
      code: "AGENT_FAILED",
      what: expect.stringContaining("could not be put back yet: media/sonarr-config") as string,
      why: "AGENT_FAILED: the node is gone; then TARGET_UNUSABLE: cannot be mounted",
    });
    expect(failure.todo).toContain("kubectl -n media scale deployment/sonarr --replicas=2");
    expect(await standing()).toEqual([0, "2"]);
  });

  it("lets the next restore give back the replicas that a dead one has taken", async () => {
    cluster = await aCluster(3);
    const dead = new Data();
    dead.during = () => {
      throw new Error("killed");
    };
    dead.putBackFails = new Error("killed");
    await failureOf(run(dead, aPlan({ stops: [aStop({ replicas: 3 })] })));
    const replicas = await readReplicas(cluster.kubernetes, aStop());
    expect(replicas).toBe(3);
    await run(new Data(), aPlan({ stops: [aStop({ replicas: replicas ?? 0 })] }));
    expect(await standing()).toEqual([3, undefined]);
  });

  it("names the commands when the replicas could not be given back", async () => {
    cluster = await aCluster(2);
    const data = new Data();
    data.during = () => {
      cluster.kubernetes.deny({ verb: "patch", resource: resources.deployments });
      throw new Failure("COPY_CORRUPT", { what: "bad" });
    };
    const failure = await failureOf(run(data));
    expect(failure.code).toBe("COPY_CORRUPT");
    expect(failure.todo).toContain("The files are as they were, but the replicas could not be given back");
    expect(failure.todo).toContain("kubectl -n media scale deployment/sonarr --replicas=2");
  });

  it("gives back what it had stopped when the next workload cannot be stopped", async () => {
    cluster = await aCluster(1, ["sonarr", "radarr"]);
    const items = [anItem(), anItem({ key: "v2", target: aVolume({ claim: "radarr-config" }) })];
    cluster.kubernetes.fail(
      { verb: "patch", resource: resources.deployments, name: "radarr" },
      new Failure("KUBERNETES_REFUSED", { what: "a webhook" }),
      { times: 1 },
    );
    const data = new Data();
    expect(await failureOf(run(data, aPlan({ items, stops: [aStop(), aStop({ name: "radarr" })] })))).toMatchObject({
      code: "KUBERNETES_REFUSED",
    });
    expect([await standing("sonarr"), await standing("radarr"), data.seen]).toEqual([
      [1, undefined],
      [1, undefined],
      ["put back"],
    ]);
  });

  it("fails with TARGET_IN_USE when a pod does not end, before any file is touched", async () => {
    cluster = await aCluster(1);
    cluster.kubernetes.put(resources.pods, {
      metadata: { name: "debug", namespace: "media" },
      spec: mounting("sonarr-config"),
    } as never);
    const data = new Data();
    expect(await failureOf(run(data, aPlan()))).toMatchObject({
      code: "TARGET_IN_USE",
      what: "Pods still use the volume: media/debug.",
    });
    expect([data.seen, await standing()]).toEqual([["put back"], [1, undefined]]);
  });

  it("says that the data is good when the app does not become Ready", async () => {
    cluster = await aCluster(1);
    const data = new Data();
    data.during = () => {
      cluster.outcome = () => "pending";
    };
    expect(await failureOf(run(data, aPlan()))).toMatchObject({
      code: "APP_NOT_READY",
      what: expect.stringContaining("restored and verified, but Deployment media/sonarr") as string,
    });
    expect([data.state, ((await cluster.deployment()) as Deployment).spec.replicas]).toEqual(["new", 1]);
  });
});
