/** The guard in memory: volumes, an API server that obeys the policy, GitOps objects, and the engine over them. */
import type { PersistentVolume } from "../../../inventory/raw.ts";
import { Failure } from "../../../model/failure.ts";
import type { Plan } from "../../../model/plan.ts";
import { type StepKinds, stepKinds } from "../../../operation/step-kind.ts";
import type { Scene } from "../../../operation/testing/kill-matrix.ts";
import type { Life } from "../../../operation/testing/mortal.ts";
import { OperationWorld } from "../../../operation/testing/process.ts";
import type { MemoryKubernetes } from "../../../systems/kubernetes/memory.ts";
import type { KubeObject, Kubernetes, Resource } from "../../../systems/kubernetes/port.ts";
import { resources } from "../../../systems/kubernetes/resources.ts";
import { guardKinds } from "../kinds.ts";
import { type Mode, openingKey } from "../mode.ts";
import { planOpening } from "../opening.ts";
import { planGuard } from "../plan.ts";
import { markable } from "../rights.ts";
import { selectVolumes } from "../select.ts";
import { readGuardView } from "../view.ts";
import { aGuardCluster, putApplication, putStatefulSet, putVolume } from "./cluster.ts";

export const kindsFor =
  (clock: OperationWorld["clock"]) =>
  (kubernetes: Kubernetes, life: Life): StepKinds =>
    stepKinds(guardKinds({ kubernetes, clock: life.clock(clock), timeout: 10_000 }));

/** The plan that the user's command makes now. */
export const planNow = async (kubernetes: Kubernetes, mode: Mode, selector?: string): Promise<Plan> => {
  const view = await readGuardView(kubernetes);
  return planGuard(view, { selected: selectVolumes(selector, view.volumes), mode }).plan;
};

/** Everything of the guard's that is to be seen on the cluster. */
export const traces = async (kubernetes: MemoryKubernetes): Promise<Readonly<Record<string, unknown>>> => {
  const test = kubernetes.as("test");
  const found: Record<string, unknown> = {};
  for (const resource of looked) {
    const { items } = await test.list(resource);
    for (const item of items) {
      const seen = traceOf(item);
      if (JSON.stringify(seen) !== "{}")
        found[`${resource.kind} ${item.metadata.namespace ?? ""}/${item.metadata.name}`] = seen;
    }
  }
  for (const { metadata, spec } of (await test.list<PersistentVolume>(resources.persistentVolumes)).items)
    found[`policy of ${metadata.name}`] = spec.persistentVolumeReclaimPolicy;
  return found;
};

const looked: readonly Resource[] = [...markable, resources.admissionPolicies, resources.admissionPolicyBindings];

const isTrace = (key: string): boolean => key.startsWith("holdfast.dev/") || key.startsWith("argocd.argoproj.io/");

const traceOf = (object: KubeObject): object => {
  const { metadata } = object;
  const annotations = Object.entries(metadata.annotations ?? {}).filter(([key]) => isTrace(key));
  const finalizers = (metadata.finalizers ?? []).filter(isTrace);
  const isPolicy = object.apiVersion?.startsWith("admissionregistration") === true;
  const { spec } = object as KubeObject & { spec?: unknown };
  return {
    ...(annotations.length === 0 ? {} : { annotations: Object.fromEntries(annotations) }),
    ...(finalizers.length === 0 ? {} : { finalizers }),
    ...(isPolicy ? { spec } : {}),
  };
};

export interface GuardScene extends Scene {
  readonly kubernetes: MemoryKubernetes;
  readonly world: OperationWorld;
  process(life?: Life): ReturnType<OperationWorld["process"]>;
  traces(): Promise<Readonly<Record<string, unknown>>>;
  stop(): void;
}

/** Two apps, a database with a StatefulSet, and Argo CD with a parent, a child and a generated Application. */
const populated = () => {
  const { clock, kubernetes } = aGuardCluster({ groups: ["velero.io", "argoproj.io"] });
  putVolume(kubernetes, "media/sonarr-config");
  putVolume(kubernetes, "media/radarr-config", { policy: "Retain" });
  putStatefulSet(kubernetes, "db/postgres", "data");
  putVolume(kubernetes, "db/data-postgres-0");
  const claim = (namespace: string, name: string) => ({ kind: "PersistentVolumeClaim", namespace, name });
  putApplication(kubernetes, "media", [claim("media", "sonarr-config")]);
  putApplication(kubernetes, "root", [{ kind: "Application", namespace: "argocd", name: "media" }]);
  const owner = { apiVersion: "argoproj.io/v1alpha1", kind: "ApplicationSet", name: "homelab", uid: "set-1" };
  const set = { metadata: { namespace: "argocd", name: "homelab" } };
  kubernetes.put(resources.applicationSets, set);
  putApplication(kubernetes, "db", [{ kind: "StatefulSet", namespace: "db", name: "postgres" }], {
    ownerReferences: [owner],
  });
  return { clock, kubernetes };
};

/** What a scene's operation finds, and the plan of the command. */
type Opening = (world: OperationWorld) => Promise<Plan>;

const through = async (world: OperationWorld, plan: Plan, id: string): Promise<void> => {
  await world.process(kindsFor(world.clock)).operations.start(id, plan);
};

const openings = {
  on: (world) => planNow(world.kubernetes, "deny"),
  off: async (world) => {
    await through(world, await planNow(world.kubernetes, "deny"), "op-0");
    return planNow(world.kubernetes, "off");
  },
  "another mode": async (world) => {
    await through(world, await planNow(world.kubernetes, "deny"), "op-0");
    return planNow(world.kubernetes, "bin", "media/");
  },
  "allow-delete": async (world) => {
    await through(world, await planNow(world.kubernetes, "deny"), "op-0");
    const view = await readGuardView(world.kubernetes);
    return planOpening(view, { volume: "media/sonarr-config", until: world.clock.now() + 3_600_000 });
  },
} satisfies Record<string, Opening>;

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** What the command leaves when nobody dies, in a world of its own. */
const wholeOf = async (what: keyof typeof openings): Promise<unknown> => {
  const { clock, kubernetes } = populated();
  const world = new OperationWorld(clock, kubernetes);
  await through(world, await openings[what](world), "op-1");
  return uidless(await traces(kubernetes));
};

/** Opens one scene after the other: the same command in fresh worlds. */
export const guardScenes = (what: keyof typeof openings): (() => Promise<GuardScene>) => {
  let whole: Promise<unknown> | undefined;
  return async () => {
    whole ??= wholeOf(what);
    return openScene(what, await whole);
  };
};

export const aGuardScene = (what: keyof typeof openings = "on"): Promise<GuardScene> => guardScenes(what)();

const openScene = async (what: keyof typeof openings, whole: unknown): Promise<GuardScene> => {
  const { clock, kubernetes } = populated();
  const world = new OperationWorld(clock, kubernetes);
  const plan = await openings[what](world);
  const before = await traces(kubernetes);
  const process = (life?: Life) => world.process(kindsFor(clock), life);
  return {
    kubernetes,
    world,
    plan,
    process,
    open: (life) => process(life).operations,
    traces: () => traces(kubernetes),
    demand: async (changed, context) => {
      const is = await traces(kubernetes);
      const fits = changed ? same(uidless(is), whole) : same(is, before);
      if (fits) return;
      const wanted = changed ? whole : before;
      throw new Failure("VERIFICATION_FAILED", {
        what: `${context}: ${JSON.stringify(is)}, not ${JSON.stringify(wanted)}`,
      });
    },
    stop: () => undefined,
  };
};

/** UIDs differ from world to world. */
const uidless = (found: object): unknown =>
  JSON.parse(JSON.stringify(found, (key, value: unknown) => (key === openingKey ? "its uid" : value)));
