/** Random users and random guards: what is guarded in mode deny is never lost, and off leaves the world as it was. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isFailure } from "../../model/failure.ts";
import { OperationWorld } from "../../operation/testing/process.ts";
import type { MemoryKubernetes } from "../../systems/kubernetes/memory.ts";
import type { ObjectName, Resource } from "../../systems/kubernetes/port.ts";
import { resources } from "../../systems/kubernetes/resources.ts";
import { guardKey, type Mode, modeOf, modes, openingKey } from "./mode.ts";
import { standingOf } from "./standing.ts";
import { readGuardView } from "./view.ts";
import { aGuardCluster, putStatefulSet, putVolume } from "./testing/cluster.ts";
import { kindsFor, planNow, traces } from "./testing/scene.ts";

const names = ["a/one", "a/two", "b/data-db-0"] as const;
const claims = resources.persistentVolumeClaims;

const named = (path: string): ObjectName => {
  const [namespace = "", name = ""] = path.split("/");
  return { namespace, name };
};

type Move =
  | { readonly does: "guard"; readonly mode: Mode; readonly selector: string }
  | { readonly does: "undo" }
  | { readonly does: "delete"; readonly path: string }
  | { readonly does: "delete-namespace"; readonly path: string }
  | { readonly does: "disarm"; readonly path: string; readonly patch: object }
  | { readonly does: "reclaim"; readonly path: string };

const path = fc.constantFrom(...names);
const move: fc.Arbitrary<Move> = fc.oneof(
  fc.record({
    does: fc.constant("guard" as const),
    mode: fc.constantFrom(...modes),
    selector: fc.constantFrom("*", "a/", ...names),
  }),
  fc.record({ does: fc.constant("undo" as const) }),
  fc.record({ does: fc.constant("delete" as const), path }),
  fc.record({ does: fc.constant("delete-namespace" as const), path: fc.constantFrom("a", "b") }),
  fc.record({
    does: fc.constant("disarm" as const),
    path,
    patch: fc.constantFrom(
      { metadata: { finalizers: null } },
      { metadata: { annotations: { [guardKey]: null } } },
      { metadata: { annotations: null } },
      { metadata: { annotations: { [openingKey]: "another object's" } } },
    ),
  }),
  fc.record({ does: fc.constant("reclaim" as const), path }),
);

const open = () => {
  const { clock, kubernetes } = aGuardCluster({ groups: ["velero.io", "argoproj.io"] });
  putStatefulSet(kubernetes, "b/db", "data");
  for (const name of names) putVolume(kubernetes, name, name === "a/two" ? { policy: "Retain" } : {});
  return { kubernetes, world: new OperationWorld(clock, kubernetes) };
};

/** What the outsider tries may be refused; that is the point. */
const trying = async (attempt: Promise<unknown>): Promise<void> => {
  await attempt.catch((error: unknown) => {
    if (!isFailure(error, "KUBERNETES_REFUSED", "KUBERNETES_CONFLICT", "OPERATION_NOT_UNDOABLE")) throw error;
  });
};

class Play {
  readonly kubernetes: MemoryKubernetes;
  readonly world: OperationWorld;
  readonly #done: string[] = [];
  #count = 0;

  constructor() {
    const opened = open();
    this.kubernetes = opened.kubernetes;
    this.world = opened.world;
  }

  get operations() {
    return this.world.process(kindsFor(this.world.clock)).operations;
  }

  async guard(mode: Mode, selector: string): Promise<void> {
    let plan;
    try {
      plan = await planNow(this.kubernetes, mode, selector);
    } catch (error) {
      // What the selector means may be gone by now.
      if (isFailure(error, "NAMESPACE_UNKNOWN", "VOLUME_UNKNOWN")) return;
      throw error;
    }
    if (plan.steps.length === 0) return;
    const { id } = await this.operations.start(`op-${(this.#count += 1)}`, plan);
    this.#done.push(id);
  }

  /** Each claim, as the cluster has it and as `guard status` tells of it. */
  async look() {
    const view = await readGuardView(this.kubernetes.as("test"));
    const { volumes } = standingOf(view, this.world.clock.now());
    return view.objects.claims.map((claim) => {
      const pv = view.objects.persistentVolumes.find(({ metadata }) => metadata.name === claim.spec.volumeName);
      const name = `${claim.metadata.namespace}/${claim.metadata.name}`;
      return {
        uid: claim.metadata.uid,
        mode: modeOf(claim),
        isGoing: claim.metadata.deletionTimestamp !== undefined,
        retains: pv?.spec.persistentVolumeReclaimPolicy === "Retain",
        problems: volumes.find(({ volume }) => volume === name)?.problems ?? [],
      };
    });
  }

  async play(next: Move): Promise<void> {
    const outsider = this.kubernetes.as("outsider");
    const remove = (kind: Resource, name: ObjectName) => trying(outsider.remove(kind, name));
    switch (next.does) {
      case "guard":
        return this.guard(next.mode, next.selector);
      case "undo": {
        const id = this.#done.pop();
        if (id !== undefined) await trying(this.operations.undo(id));
        return;
      }
      case "delete":
        return remove(claims, named(next.path));
      case "delete-namespace":
        return remove(resources.namespaces, { name: next.path });
      case "disarm":
        return trying(outsider.mergePatch(claims, named(next.path), next.patch));
      case "reclaim": {
        const patch = { spec: { persistentVolumeReclaimPolicy: "Delete" } };
        return trying(outsider.mergePatch(resources.persistentVolumes, { name: `pv-${named(next.path).name}` }, patch));
      }
    }
  }
}

describe("whatever happens", () => {
  it("a volume in mode deny stays, what says Retain goes on saying it, and status tells where it does not", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(move, { maxLength: 12 }), async (moves) => {
        const play = new Play();
        for (const next of moves) {
          const before = await play.look();
          await play.play(next);
          const after = await play.look();
          for (const one of before.filter(({ mode, isGoing }) => mode === "deny" && !isGoing))
            expect(after.find(({ uid }) => uid === one.uid)).toMatchObject({ isGoing: false });
          const guarded = after.filter(({ mode }) => mode !== "off");
          const was = new Map(before.filter(({ mode }) => mode !== "off").map((one) => [one.uid, one]));
          expect(guarded.filter(({ uid, retains }) => was.get(uid)?.retains === true && !retains)).toEqual([]);
          const untold = guarded.filter(({ retains, problems }) => !retains && !/not say Retain/.test(problems.join()));
          expect(untold).toEqual([]);
        }
      }),
      { numRuns: 150 },
    );
  });

  it("guard off leaves nothing, as long as nothing was deleted", async () => {
    const guards = fc.array(
      fc.record({ mode: fc.constantFrom(...modes), selector: fc.constantFrom("*", "a/", ...names) }),
      {
        maxLength: 6,
      },
    );
    await fc.assert(
      fc.asyncProperty(guards, async (wishes) => {
        const play = new Play();
        const before = await traces(play.kubernetes);
        for (const { mode, selector } of wishes) await play.guard(mode, selector);
        await play.guard("off", "*");
        expect(await traces(play.kubernetes)).toEqual(before);
      }),
      { numRuns: 60 },
    );
  });
});
