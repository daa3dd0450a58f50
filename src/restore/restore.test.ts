/** A restore as the engine carries it out, judged by content. Deaths at its calls: `kill-matrix.test.ts`. */
import { afterEach, describe, expect, it } from "vitest";
import { Failure } from "../model/failure.ts";
import { killEverywhere } from "../operation/testing/kill-matrix.ts";
import { Life } from "../operation/testing/mortal.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import { aScene, type RestoreScene } from "./testing/scene.ts";

const volume = "media/sonarr-config";
const scenes: RestoreScene[] = [];
const open = async (...of: Parameters<typeof aScene>): Promise<RestoreScene> => {
  const scene = await aScene(...of);
  scenes.push(scene);
  return scene;
};
afterEach(() => {
  for (const scene of scenes.splice(0)) scene.stop();
});

describe("a restore", () => {
  it("replaces the files while no pod uses them, keeps the earlier ones, and gives the app its replicas back", async () => {
    const scene = await open();
    const seen: unknown[] = [];
    scene.volumes.onChange(() => {
      void Promise.all([scene.cluster.pods(), scene.standing()]).then((now) => seen.push(now));
      return undefined;
    });
    const state = await scene.process().operations.start("op-1", scene.plan);
    expect(seen[0]).toEqual([[expect.stringContaining("hold")], [0, "2"]]);
    expect([scene.volumes.content(volume), ...scene.volumes.kept(volume)]).toEqual(["new", ["op-1", "old"]]);
    expect(await scene.standing()).toEqual([2, undefined]);
    expect((await scene.cluster.deployment())?.status?.readyReplicas).toBe(2);
    expect(state.setAside).toEqual([
      expect.objectContaining({ volume, where: "in the volume itself, .holdfast-kept-op-1" }),
    ]);
  });

  it("is taken back after a second one that was taken back first", async () => {
    const scene = await open();
    const { operations } = scene.process();
    await operations.start("op-1", scene.plan);
    scene.volumes.write(volume, "between");
    await operations.start("op-2", scene.plan);
    await operations.undo("op-2");
    expect(scene.volumes.content(volume)).toBe("between");
    const undo = await operations.undo("op-1");
    expect(scene.volumes.content(volume)).toBe("old");
    await operations.undo(undo.id);
    expect(scene.volumes.content(volume)).toBe("between");
  });

  it("stops and starts nothing that is scaled to zero already", async () => {
    const scene = await open({ replicas: 0, keepFor: "7d" });
    await scene.process().operations.start("op-1", scene.plan);
    expect([scene.volumes.content(volume), await scene.standing()]).toEqual(["new", [0, undefined]]);
  });

  it("keeps nothing when it is not to be undone", async () => {
    const scene = await open({ keepFor: undefined });
    const state = await scene.process().operations.start("op-1", scene.plan);
    expect([scene.volumes.content(volume), ...scene.volumes.kept(volume)]).toEqual(["new"]);
    expect(state.setAside).toEqual([]);
    await expect(scene.process().operations.undo("op-1")).rejects.toMatchObject({ code: "OPERATION_NOT_UNDOABLE" });
  });

  it("leaves everything as it was when the copy is bad, and says so", async () => {
    const scene = await open();
    scene.volumes.copies.clear();
    await expect(scene.process().operations.start("op-1", scene.plan)).rejects.toMatchObject({
      code: "COPY_MISSING",
      todo: expect.stringContaining("Everything is as it was before.") as string,
    });
    await scene.demand(false, "after a bad copy");
  });

  it.each([
    ["is bad", "COPY_MISSING"],
    ["does not fit either way", "TARGET_TOO_SMALL"],
  ])("removes no file to make room for a copy that %s", async (_, code) => {
    const scene = await open({ makeRoom: true });
    if (code === "COPY_MISSING") scene.volumes.copies.clear();
    else scene.volumes.contentSizes.set("new", 10_000);
    await expect(scene.process().operations.start("op-1", scene.plan)).rejects.toMatchObject({
      code,
      todo: expect.stringContaining("Everything is as it was before.") as string,
    });
    await scene.demand(false, code);
    expect(await scene.process().operations.read("op-1")).toMatchObject({ status: "as-before" });
  });

  it("cannot go back once it has begun to make room, and goes on when the store is there again", async () => {
    const scene = await open({ makeRoom: true });
    const { copies } = scene.volumes;
    scene.volumes.onChange(() => {
      copies.clear();
      return undefined;
    });
    await expect(scene.process().operations.start("op-1", scene.plan)).rejects.toMatchObject({
      code: "COPY_MISSING",
      todo: expect.stringContaining("holdfast resume op-1") as string,
    });
    expect([scene.volumes.content(volume), await scene.standing()]).toEqual(["", [0, "2"]]);
    await expect(scene.process().operations.undo("op-1")).rejects.toMatchObject({ code: "OPERATION_NOT_UNDOABLE" });
    scene.volumes.onChange(() => undefined);
    copies.set("snap-1", "new");
    await scene.process().operations.resume("op-1");
    await scene.demand(true, "resumed");
  });

  it("needs no agent to go back over what never began, such as a pod that cannot start", async () => {
    const scene = await open();
    scene.agents.play(() => {
      throw new Failure("AGENT_FAILED", { what: "ImagePullBackOff" });
    });
    await expect(scene.process().operations.start("op-1", scene.plan)).rejects.toMatchObject({ code: "AGENT_FAILED" });
    expect(scene.agents.tasks).toHaveLength(1);
    await scene.demand(false, "after an image that cannot be pulled");
  });

  it.each(["stop", "files"])("leaves everything as it was when it is interrupted in the step %s", async (step) => {
    const scene = await open();
    const stop = new AbortController();
    const interrupt = (): undefined => {
      stop.abort(new DOMException("SIGINT", "AbortError"));
      return undefined;
    };
    if (step === "files") scene.volumes.onChange(({ number }) => (number === 4 ? interrupt() : undefined));
    else scene.cluster.outcome = () => (interrupt(), "ready");
    const { operations } = scene.process(new Life(), stop.signal);
    if (step === "stop") interrupt();
    await expect(operations.start("op-1", scene.plan)).rejects.toThrow(/INTERRUPTED|SIGINT/);
    await scene.demand(false, "after an interruption");
  });

  it("goes back when somebody starts the app meanwhile, and says who", async () => {
    const scene = await open();
    scene.volumes.onChange(({ number }) => (number === 4 ? void scene.cluster.scale(2) : undefined));
    const slow = scene.volumes.script;
    scene.agents.play(async (task, say, signal) => {
      await slow(task, say, signal);
      for (let turn = 0; turn < 300 && !signal.aborted; turn += 1)
        await new Promise((resolve) => setImmediate(resolve));
      signal.throwIfAborted();
    });
    const ended = scene.process().operations.start("op-1", scene.plan);
    const failure: unknown = await ended.then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ code: expect.stringMatching(/APP_CAME_BACK|OPERATION_UNFINISHED/) as string });
  });

  it("does not go back when only the app does not become Ready", async () => {
    const scene = await open();
    scene.cluster.outcome = () => "pending";
    await expect(scene.process().operations.start("op-1", scene.plan)).rejects.toMatchObject({
      code: "APP_NOT_READY",
      todo: expect.stringContaining("holdfast resume op-1") as string,
    });
    expect(scene.volumes.content(volume)).toBe("new");
    expect(await scene.standing()).toEqual([2, undefined]);
  });
});

describe("undo of a restore", () => {
  it("brings the earlier files back with the app stopped, keeps what was written since, and can be undone", async () => {
    const scene = await open();
    const { operations } = scene.process();
    await operations.start("op-1", scene.plan);
    scene.volumes.write(volume, "new, and used");
    const undo = await operations.undo("op-1");
    expect([scene.volumes.content(volume), ...scene.volumes.kept(volume)]).toEqual(["old", [undo.id, "new, and used"]]);
    expect(await scene.standing()).toEqual([2, undefined]);
    const again = await operations.undo(undo.id);
    expect([scene.volumes.content(volume), ...scene.volumes.kept(volume)]).toEqual([
      "new, and used",
      [again.id, "old"],
    ]);
  });

  it("leaves an app stopped that its user has stopped since", async () => {
    const scene = await open();
    const { operations } = scene.process();
    await operations.start("op-1", scene.plan);
    await scene.cluster.scale(0);
    await operations.undo("op-1");
    expect([scene.volumes.content(volume), await scene.standing()]).toEqual(["old", [0, undefined]]);
  });

  it("is not possible any more when the kept files were freed", async () => {
    const scene = await open();
    const { operations } = scene.process();
    await operations.start("op-1", scene.plan);
    await operations.settle("op-1");
    expect([...scene.volumes.kept(volume)]).toEqual([]);
    await expect(operations.undo("op-1")).rejects.toMatchObject({ code: "OPERATION_NOT_UNDOABLE" });
    expect(scene.volumes.content(volume)).toBe("new");
  });
});

describe("a restore that is killed", () => {
  it("while its agent works on for minutes: resuming waits for that", async () => {
    const scene = await open();
    const life = new Life();
    scene.volumes.onChange(({ number }) => (number === 4 ? (life.end(), "both-die") : undefined));
    void scene.process(life).operations.start("op-1", scene.plan);
    await life.ended;
    await new Promise((resolve) => setImmediate(resolve));
    const pod = { name: "agent-op-1-1", namespace: "holdfast" };
    const kubelet = scene.cluster.kubernetes.as("kubelet");
    const phase = (to: string) =>
      kubelet.mergePatch(resources.pods, pod, { status: { phase: to } }, { subresource: "status" });
    await phase("Running");
    const { operations, events } = scene.process();
    const resumed = operations.resume("op-1");
    while (!events.some((event) => event.type === "detail" && event.text.startsWith("waiting")))
      await new Promise((resolve) => setImmediate(resolve));
    await phase("Failed");
    expect(await resumed).toMatchObject({ status: "done" });
    await scene.demand(true, "after the wait");
  });

  it.each([
    ["both-die", "resume"],
    ["both-die", "undo"],
    ["caller-dies", "resume"],
    ["caller-dies", "undo"],
  ] as const)("at every change that its agent makes (%s), then %s", async (fate, wish) => {
    let changes = 0;
    let scene: RestoreScene | undefined;
    const matrix = await killEverywhere(
      wish,
      async () => (scene = await open()),
      (at) => {
        const life = new Life();
        scene?.volumes.onChange(({ number }) => {
          if (number !== at) return undefined;
          changes += 1;
          life.end();
          return fate;
        });
        return life;
      },
    );
    expect([...matrix.keys()]).toEqual(["files middle"]);
    expect(changes).toBeGreaterThan(5);
  });
});
