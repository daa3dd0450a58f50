import { describe, expect, it } from "vitest";
import type { Plan } from "../model/plan.ts";
import { Failure } from "../model/failure.ts";
import type { Entry, EntryBody } from "../operation/entry.ts";
import { type OperationState, stateOf } from "../operation/state.ts";
import type { Application, ApplicationSet } from "../systems/gitops/argo-objects.ts";
import { frozenAnnotation, pausePatch, setPatch } from "../systems/gitops/freezing.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import { HealthyWorld } from "./testing/healthy.ts";

const hour = 3_600_000;

const plan: Plan = {
  version: 1,
  verb: "undelete",
  title: "bring media/sonarr back",
  locks: ["media/sonarr"],
  steps: [],
  undo: { kind: "kept", text: "" },
  warnings: [],
};

/** An operation that wrote these entries, one an hour, the last of them an hour ago. */
const operation = (world: HealthyWorld, id: string, ...bodies: readonly EntryBody[]): OperationState => {
  const all: readonly EntryBody[] = [{ type: "planned", plan }, ...bodies];
  const now = world.context.clock.now();
  const entries = all.map((body, index): Entry =>
    Object.assign({ time: now - (all.length - index) * hour, run: "r" }, body),
  );
  return stateOf(id, entries);
};
const done: EntryBody = { type: "finished", outcome: "done", setAside: [] };
const asBefore: EntryBody = { type: "finished", outcome: "as-before", setAside: [] };
const damaged = new Failure("JOURNAL_UNREADABLE", { what: "The journal of the operation op-9 cannot be read." });

describe("operations", () => {
  it("are ok when there is none, and when all have ended", async () => {
    const world = new HealthyWorld();
    expect(await world.result("operations")).toMatchObject({ verdict: "ok", found: "there is none at all" });
    const ended = [operation(world, "op-1", done), operation(world, "op-2", { type: "turned" }, asBefore)];
    world.begun = { operations: ended, unreadable: [] };
    expect(await world.result("operations")).toMatchObject({ verdict: "ok", found: "none of 2" });
  });

  it("are a warning that names each one that has not ended, whichever way it goes, and when it last wrote", async () => {
    const world = new HealthyWorld();
    const operations = [
      operation(world, "op-1", { type: "taken-over" }),
      operation(world, "op-2", done),
      operation(world, "op-3", { type: "turned" }),
    ];
    world.begun = { operations, unreadable: [] };
    expect(await world.result("operations")).toMatchObject({
      verdict: "warning",
      found:
        "begun and not ended: op-1 (bring media/sonarr back), last heard of 60m ago; op-3 (bring media/sonarr back), last heard of 60m ago",
      todo: "One may be running right now. Else `holdfast resume ID` goes on with it, `holdfast undo ID` goes back.",
    });
  });

  it("are a warning when a journal cannot be read, with or without others that have not ended", async () => {
    const world = new HealthyWorld();
    world.begun = { operations: [operation(world, "op-2", done)], unreadable: [damaged] };
    const { verdict, found, todo } = await world.result("operations");
    expect({ verdict, found }).toEqual({ verdict: "warning", found: damaged.what });
    expect(todo).toBe(damaged.todo);
    world.begun = { operations: [operation(world, "op-1")], unreadable: [damaged] };
    expect((await world.result("operations")).found).toMatch(/op-1 .*; The journal of the operation op-9/);
  });
});

describe("gitops", () => {
  const operationId = "20260101t0000-ab12cd";
  const application = { metadata: { namespace: "argocd", name: "sonarr" }, spec: {} } as Application;
  const set = { metadata: { namespace: "argocd", name: "media" }, spec: {} } as ApplicationSet;

  const withArgo = (): HealthyWorld => {
    const world = new HealthyWorld();
    world.cluster.put(resources.applications, application as never);
    world.cluster.put(resources.applicationSets, set as never);
    return world;
  };

  it("is ok without Argo CD, and when nothing is held still", async () => {
    expect(await new HealthyWorld({ groups: ["velero.io"] }).result("gitops")).toMatchObject({
      verdict: "ok",
      found: "no Argo CD in this cluster",
    });
    expect(await withArgo().result("gitops")).toMatchObject({
      verdict: "ok",
      found: "none of 1 Applications and 1 ApplicationSets",
    });
  });

  it("is a warning that names each one that is held, by which operation and for how long, however short", async () => {
    const world = withArgo();
    const now = world.context.clock.now();
    const freezing = (ago: number) => ({ operation: operationId, now: new Date(now - ago).toISOString() });
    await world.cluster.mergePatch(
      resources.applications,
      application.metadata,
      pausePatch(application, freezing(5000)),
    );
    await world.cluster.mergePatch(resources.applicationSets, set.metadata, setPatch(set, freezing(3 * hour)));
    expect(await world.result("gitops")).toMatchObject({
      verdict: "warning",
      found: `Application argocd/sonarr is held still by the operation ${operationId}, for 5s; ApplicationSet argocd/media is held still by the operation ${operationId}, for 3h`,
      todo: `It may be running right now. Else: \`holdfast resume ${operationId}\` goes on, \`holdfast undo ${operationId}\` goes back.`,
    });
  });

  it("is a warning too where the annotation is damaged", async () => {
    const world = withArgo();
    const annotations = { [frozenAnnotation]: "{" };
    await world.cluster.mergePatch(resources.applications, application.metadata, { metadata: { annotations } });
    const { verdict, found, todo } = await world.result("gitops");
    expect({ verdict, found }).toEqual({
      verdict: "warning",
      found: "Application argocd/sonarr is held still by an operation that is not known, nobody knows since when",
    });
    expect(todo).toContain("docs/guard.md");
  });

  it("fails when Applications may not be read, and says which right is missing", async () => {
    const world = withArgo();
    world.cluster.deny({ verb: "list", resource: resources.applications });
    expect(await world.result("gitops")).toMatchObject({ verdict: "failed", code: "KUBERNETES_FORBIDDEN" });
  });
});
