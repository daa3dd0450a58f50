/** What the server tells of GitOps that stands still, against the twin. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Application, ApplicationSet } from "../systems/gitops/argo-objects.ts";
import { frozenAnnotation, pausePatch, setPatch, thawPatch } from "../systems/gitops/freezing.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import { metricsText, readiness } from "./standing.ts";
import { type Server, ServerScene } from "./testing/scene.ts";

const minute = 60_000;
const operation = "20260101t0000-ab12cd";
const sonarr = { namespace: "argocd", name: "sonarr" };

let scene: ServerScene;
beforeEach(() => {
  scene = new ServerScene();
  scene.kubernetes.put(resources.applications, application as never);
});
afterEach(() => scene.close());

const application = { metadata: sonarr, spec: { syncPolicy: { automated: {} } } } as Application;
const media = { metadata: { ...sonarr, name: "media" }, spec: {} } as ApplicationSet;

const freezing = (ago: number) => ({ operation, now: new Date(scene.clock.now() - ago).toISOString() });
/** As an operation that has begun so many ms ago left it. */
const freeze = (ago: number) =>
  scene.kubernetes.mergePatch(resources.applications, sonarr, pausePatch(application, freezing(ago)));
const thaw = async () => {
  const found = await scene.kubernetes.get<Application>(resources.applications, sonarr);
  const patch = found === undefined ? undefined : thawPatch(found, operation);
  await scene.kubernetes.mergePatch(resources.applications, sonarr, patch ?? {});
};

const toldBy = ({ lines }: Server) => lines.filter(({ event }) => event === "frozen" || event === "thawed");
const frozenMetrics = ({ standing }: Server) =>
  metricsText(standing)
    .split("\n")
    .filter((line) => line.startsWith("holdfast_gitops_frozen"));
const leading = async (): Promise<Server> => {
  const server = scene.start("a");
  await scene.until(() => server.standing.lastReconcile !== undefined, 3000);
  return server;
};

/** Somebody else writes to the Application, and the server looks again. */
const anotherPass = async ({ standing }: Server): Promise<void> => {
  const seen = standing.freezes;
  await scene.kubernetes.mergePatch(resources.applications, sonarr, {
    metadata: { labels: { at: String(scene.clock.now()) } },
  });
  await scene.until(() => standing.freezes !== seen, 3000);
};

describe("a freeze", () => {
  it("that is overdue is told once, in time though nothing changes, and so is its end", async () => {
    const server = await leading();
    await freeze(15 * minute - 30_000);
    await scene.pass(29_000);
    expect(toldBy(server)).toEqual([]);
    await scene.pass(3000);
    const text = `Application argocd/sonarr is held still by the operation ${operation}, for 15m: \`holdfast resume ${operation}\` goes on, \`holdfast undo ${operation}\` goes back`;
    expect(toldBy(server)).toEqual([{ level: "error", event: "frozen", text }]);
    expect(readiness(server.standing, scene.clock.now())).toEqual({ ok: true, text: `leading\n${text}` });
    await anotherPass(server);
    expect(toldBy(server)).toHaveLength(1);
    await thaw();
    await scene.pass(3000);
    expect(toldBy(server).at(-1)).toEqual({
      level: "info",
      event: "thawed",
      text: `Application argocd/sonarr is not held still by the operation ${operation} any more`,
    });
    expect(readiness(server.standing, scene.clock.now())).toEqual({ ok: true, text: "leading" });
    await anotherPass(server);
    expect(toldBy(server)).toHaveLength(2);
  });

  it("that ends in time is a metric as long as it lasts, and no alarm", async () => {
    const server = await leading();
    await freeze(0);
    const since = scene.clock.now() / 1000;
    await scene.pass(3000);
    expect(frozenMetrics(server)).toEqual([
      `holdfast_gitops_frozen_timestamp_seconds{kind="Application",namespace="argocd",name="sonarr",operation="${operation}"} ${since}`,
    ]);
    await thaw();
    await scene.pass(3000);
    expect([frozenMetrics(server), toldBy(server)]).toEqual([[], []]);
  });

  it("is told of an ApplicationSet too, and by every one that comes to lead", async () => {
    scene.kubernetes.put(resources.applicationSets, media as never);
    await scene.kubernetes.mergePatch(
      resources.applicationSets,
      media.metadata,
      setPatch(media, freezing(20 * minute)),
    );
    const first = await leading();
    await scene.until(() => toldBy(first).length === 1, 3000);
    expect(toldBy(first)[0]?.text).toContain("ApplicationSet argocd/media is held still");
    first.end();
    await first.ended;
    expect(first.standing.freezes).toEqual([]);
    const second = scene.start("b");
    await scene.until(() => toldBy(second).length === 1, 20_000);
  });

  it("whose annotation is damaged is told at once", async () => {
    const server = await leading();
    const annotations = { [frozenAnnotation]: "damaged" };
    await scene.kubernetes.mergePatch(resources.applications, sonarr, { metadata: { annotations } });
    await scene.until(() => toldBy(server).length === 1, 3000);
    expect(toldBy(server)[0]?.text).toMatch(/held still by an operation that is not known.*docs\/guard\.md/);
    expect(frozenMetrics(server)).toEqual([
      'holdfast_gitops_frozen_timestamp_seconds{kind="Application",namespace="argocd",name="sonarr",operation=""} 0',
    ]);
  });

  it("is told also while the guard waits for a kind that it may not read", async () => {
    await freeze(20 * minute);
    const server = scene.start("a");
    server.kubernetes.deny({ resource: resources.statefulSets });
    await scene.until(() => toldBy(server).length === 1, 5000);
    expect(server.standing.missing).toEqual(["statefulsets"]);
  });
});
