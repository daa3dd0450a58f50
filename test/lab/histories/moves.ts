/** What may happen to volumes, as data: a history is a list of moves. */
import fc from "fast-check";
import type { Mode } from "../../../src/guard/protect/mode.ts";

/** Claims of a household: of both drivers, and one that a StatefulSet makes. */
export const claimNames = ["one", "two", "data-db-0"] as const;
export type ClaimName = (typeof claimNames)[number];

type Propagation = "Background" | "Foreground" | "Orphan";

/** What users and tools do to objects, one request each. */
export type OutsideMove =
  /** `grace`: seconds, as `kubectl delete --force` sets 0. */
  | {
      readonly does: "delete-claim";
      readonly claim: ClaimName;
      readonly propagation: Propagation;
      readonly grace: number | undefined;
    }
  | { readonly does: "delete-all-claims" }
  | { readonly does: "delete-volume"; readonly claim: ClaimName }
  | { readonly does: "delete-namespace" }
  | { readonly does: "delete-set"; readonly propagation: Propagation }
  /** A PUT of what git would have: without annotations and finalizers, as with Argo CD's `Replace=true`. */
  | { readonly does: "replace"; readonly what: ClaimName | "namespace" | "set" }
  | { readonly does: "disarm"; readonly claim: ClaimName; readonly takes: "finalizers" | "mark" | "annotations" }
  | { readonly does: "disarm-volume"; readonly claim: ClaimName }
  /** Retain turned to Delete. */
  | { readonly does: "reclaim"; readonly claim: ClaimName };

export type Move =
  | { readonly does: "guard"; readonly mode: Mode; readonly whom: ClaimName | "all" }
  | { readonly does: "allow-delete"; readonly claim: ClaimName; readonly withdraw: boolean }
  | { readonly does: "outside"; readonly move: OutsideMove }
  /** A GitOps tool: what is not in its set is pruned, what is in it is applied, or made. */
  | { readonly does: "sync"; readonly git: readonly ClaimName[] }
  /** The inventory, as every backup writes it. */
  | { readonly does: "record" }
  /** `diesAt`: the process dies with that crossing of its ports, counted from its start. */
  | { readonly does: "undelete"; readonly claims: readonly ClaimName[]; readonly diesAt: number | undefined }
  | { readonly does: "resume" }
  | { readonly does: "wait"; readonly ms: number }
  | { readonly does: "restart-controllers" };

export interface History {
  /** With a StatefulSet, whose pod uses its claim. */
  readonly hasSet: boolean;
  readonly moves: readonly Move[];
}

const claim = fc.constantFrom(...claimNames);
const propagation = fc.constantFrom<Propagation>("Background", "Foreground", "Orphan");
const constant = <const T>(value: T) => fc.constant(value);

const outsideMove: fc.Arbitrary<OutsideMove> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      does: constant("delete-claim"),
      claim,
      propagation,
      grace: fc.constantFrom(undefined, 0, 30),
    }),
  },
  { weight: 3, arbitrary: fc.record({ does: constant("delete-volume"), claim }) },
  {
    weight: 3,
    arbitrary: fc.record({
      does: constant("disarm"),
      claim,
      takes: fc.constantFrom("finalizers" as const, "mark" as const, "annotations" as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      does: constant("replace"),
      what: fc.constantFrom<ClaimName | "namespace" | "set">(...claimNames, "namespace", "set"),
    }),
  },
  { weight: 2, arbitrary: fc.record({ does: constant("reclaim"), claim }) },
  { weight: 1, arbitrary: fc.record({ does: constant("disarm-volume"), claim }) },
  { weight: 1, arbitrary: fc.record({ does: constant("delete-all-claims") }) },
  { weight: 2, arbitrary: fc.record({ does: constant("delete-namespace") }) },
  { weight: 1, arbitrary: fc.record({ does: constant("delete-set"), propagation }) },
);

const guard = fc.record({
  does: constant("guard"),
  mode: fc.constantFrom<Mode>("deny", "deny", "hold", "bin", "bin", "off"),
  whom: fc.constantFrom<ClaimName | "all">("all", "all", ...claimNames),
});
const undelete = fc.record({
  does: constant("undelete"),
  claims: fc.subarray([...claimNames], { minLength: 1 }),
  diesAt: fc.option(fc.integer({ min: 20, max: 90 }), { nil: undefined }),
});

/** `restarts`: weight of a restart of the controller-manager, against 49 of all the rest. */
const moveArbitrary = (restarts: number): fc.Arbitrary<Move> =>
  fc.oneof(
    { weight: 23, arbitrary: fc.record({ does: constant("outside"), move: outsideMove }) },
    { weight: 8, arbitrary: guard },
    { weight: 8, arbitrary: undelete },
    { weight: 4, arbitrary: fc.record({ does: constant("sync"), git: fc.subarray([...claimNames]) }) },
    { weight: 2, arbitrary: fc.record({ does: constant("allow-delete"), claim, withdraw: fc.boolean() }) },
    { weight: 2, arbitrary: fc.record({ does: constant("record") }) },
    { weight: 1, arbitrary: fc.record({ does: constant("resume") }) },
    { weight: 1, arbitrary: fc.record({ does: constant("wait"), ms: fc.integer({ min: 200, max: 1500 }) }) },
    { weight: restarts, arbitrary: fc.record({ does: constant("restart-controllers") }) },
  );

/** Most begin guarded: what happens to unguarded volumes is the smaller part of the question. */
export const histories = ({ restarts }: { readonly restarts: number }): fc.Arbitrary<History> => {
  const guarded = fc.record({
    does: constant("guard"),
    mode: fc.constantFrom<Mode>("deny", "hold", "bin"),
    whom: constant("all"),
  });
  const any = moveArbitrary(restarts);
  const first = fc.oneof({ weight: 3, arbitrary: guarded }, { weight: 1, arbitrary: any });
  return fc.record({
    hasSet: fc.constantFrom(false, false, true),
    moves: fc.tuple(first, fc.array(any, { minLength: 3, maxLength: 9 })).map(([one, others]) => [one].concat(others)),
  });
};

/** One line for people, which is also what to write to have it again. */
export const textOf = (move: Move): string => JSON.stringify(move.does === "outside" ? move.move : move);
