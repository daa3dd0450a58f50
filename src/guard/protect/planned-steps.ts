/** The guard's layers as steps of a plan. Pure. */
import { isDeepStrictEqual } from "node:util";
import type { Json, PlannedStep } from "../../model/plan.ts";
import { keyOf } from "../../systems/kubernetes/object-key.ts";
import { guardKey } from "./mode.ts";
import { isLookedAt, policyFor } from "./policy.ts";
import { marksEntry, type MarksInput } from "./steps/marks.ts";
import type { PolicyInput } from "./steps/policy.ts";
import { type RetainInput, sameReclaim } from "./steps/retain.ts";
import { objectInputOf, sameMarks } from "./steps/set-marks.ts";
import type { GuardView } from "./view.ts";
import { unmarked, type Wanted, type WantedMarks } from "./wanted.ts";

const common = { does: "apply", repeat: "safe" } as const;
const few = (names: readonly string[]): string =>
  names.length > 3 ? `${names.slice(0, 2).join(", ")} and ${names.length - 2} more` : names.join(", ");
const plural = (count: number, one: string): string => `${count} ${one}${count === 1 ? "" : "s"}`;

export const retainStep = ({ reclaim }: Pick<Wanted, "reclaim">): readonly PlannedStep[] => {
  const changed = reclaim.filter(({ from, to }) => !sameReclaim(from, to));
  if (changed.length === 0) return [];
  const names = changed.map(({ pv }) => pv.metadata.name);
  const isBack = changed.every(({ to }) => to.policy !== "Retain");
  const volumes = changed.map(({ pv, volume, from, to }) => ({
    name: pv.metadata.name,
    uid: pv.metadata.uid ?? "",
    volume,
    from: { ...from },
    to: { ...to },
  }));
  return [
    {
      ...common,
      id: "retain",
      kind: "retain-volumes",
      title: isBack
        ? `give the PersistentVolumes of ${plural(changed.length, "volume")} the reclaim policy of before: ${few(changed.map(({ volume }) => volume))}`
        : `set the PersistentVolumes of ${plural(changed.length, "volume")} to Retain: ${few(changed.map(({ volume }) => volume))}`,
      why: isBack
        ? "it is what they said before they were guarded"
        : "it is what keeps the bytes, whatever deletes the claim",
      back: isBack ? "set them to Retain again" : "give them the reclaim policy of before",
      touches: names.map((name) => `PersistentVolume ${name}`),
      input: { volumes } satisfies RetainInput,
    },
  ];
};

const marksInputOf = (marks: readonly WantedMarks[]): Json =>
  ({
    objects: marks.map(({ resource, object, from, to }) => marksEntry(resource, object, from, to)),
  }) satisfies MarksInput;

const kindsText = (marks: readonly WantedMarks[]): string => {
  const counts = new Map<string, number>();
  for (const { resource } of marks) counts.set(resource.kind, (counts.get(resource.kind) ?? 0) + 1);
  return [...counts].map(([kind, count]) => plural(count, kind)).join(", ");
};

const isOff = ({ to }: WantedMarks): boolean => to.annotations[guardKey] === undefined;

export const markStep = ({ marks }: Wanted): readonly PlannedStep[] => {
  const changed = unmarked(marks);
  if (changed.length === 0) return [];
  const taken = changed.every(isOff);
  return [
    {
      ...common,
      id: "mark",
      kind: "mark-objects",
      title: taken ? `take the marks off ${kindsText(changed)}` : `mark ${kindsText(changed)}`,
      why: taken
        ? "nothing of Holdfast's stays on them"
        : "they tell the policy what is guarded, and GitOps tools what not to prune",
      back: taken ? "mark them again" : "give them the annotations of before",
      touches: changed.map(({ title }) => title),
      input: marksInputOf(changed),
    },
  ];
};

export const holdStep = ({ marks }: Wanted): readonly PlannedStep[] => {
  const changed = marks.filter(({ from, to }) => !sameMarks({ ...from, annotations: {} }, { ...to, annotations: {} }));
  if (changed.length === 0) return [];
  const released = changed.every(({ to }) => to.finalizers.length === 0);
  const names = changed.map(({ object }) => keyOf(object));
  return [
    {
      ...common,
      id: "hold",
      kind: "hold-claims",
      title: `${released ? "release" : "hold"} ${plural(names.length, "claim")} ${released ? "from the" : "with a"} finalizer: ${few(names)}`,
      why: released
        ? "nothing of Holdfast's stays on them"
        : "a claim that is deleted all the same does not end unseen",
      back: released ? "hold them again" : "release them",
      touches: changed.map(({ title }) => title),
      input: marksInputOf(changed),
    },
  ];
};

/** What of an object was written by somebody; null for none. */
const manifest = (object: object | undefined): PolicyInput["from"]["policy"] => {
  if (object === undefined) return null;
  const { apiVersion, kind, metadata, spec } = object as Manifest;
  const labels = metadata.labels === undefined ? {} : { labels: metadata.labels };
  return { apiVersion, kind, metadata: { name: metadata.name, ...labels }, spec };
};

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Record<string, string> };
  readonly spec: PolicyInput["from"]["policy"];
}

export const policyStep = (view: GuardView, wanted: Wanted): readonly PlannedStep[] => {
  const { policy } = view;
  if (!policy.possible || policy.lacks.length > 0) return [];
  const pair = wanted.generated === undefined ? undefined : policyFor(wanted.generated);
  const from = { policy: manifest(policy.policy), binding: manifest(policy.binding) };
  const to = { policy: manifest(pair?.policy), binding: manifest(pair?.binding) };
  if (isDeepStrictEqual(from, to)) return [];
  const input: PolicyInput = { from, to, witness: witnessOf(wanted) };
  const texts = pair === undefined ? policyTexts.away : policyTexts.there;
  return [{ ...common, ...texts, id: "policy", kind: "guard-policy", touches: policyTouches, input }];
};

const policyTouches = ["ValidatingAdmissionPolicy holdfast-guard", "ValidatingAdmissionPolicyBinding holdfast-guard"];
const policyTexts = {
  there: {
    title: "let the API server refuse to delete what is guarded",
    why: "by a ValidatingAdmissionPolicy, which needs nothing of Holdfast to run",
    back: "give the API server the policy of before",
  },
  away: {
    title: "take the admission policy away",
    why: "nothing is guarded any more",
    back: "let the API server refuse again",
  },
} as const;

/** A marked object that the policy must refuse to delete when all is in place. */
const witnessOf = ({ marks }: Wanted): PolicyInput["witness"] => {
  const witness = marks.find(({ object, to }) => to.annotations[guardKey] === "deny" && isLookedAt(object));
  return witness === undefined ? null : objectInputOf(witness.resource, witness.object);
};
