/** The plan of an undelete: in which order what is left of deleted volumes becomes volumes again. Pure (design §7). */
import type { PersistentVolume } from "../../inventory/raw.ts";
import type { Plan, PlannedStep, UndoPromise } from "../../model/plan.ts";
import type { Volume } from "../../model/volume.ts";
import { type Owners, ownersOf, type Scalable } from "../../restore/owners.ts";
import { planRestore, standstill, stopsOf, type RestoreItem } from "../../restore/plan.ts";
import type { WorkloadsInput } from "../../restore/steps/workloads.ts";
import { deployerText } from "../../systems/gitops/deployers.ts";
import type { Deployer, ManagedObject } from "../../systems/gitops/port.ts";
import { claimToMake, claimToMakeEmpty, volumeToMake } from "./manifests.ts";
import { outOfTrash } from "../retire/trash-steps.ts";
import type { DeletedVolume } from "./deleted.ts";
import type { GitOpsInput } from "./steps/gitops.ts";
import { type Bound, bindStep, exportStep, makeClaimStep, namespaceStep, volumeStep } from "./volume-steps.ts";

export interface UndeleteItem {
  readonly deleted: DeletedVolume;
  /** As the inventory has the claim that there is; undefined without one. */
  readonly present: Volume | undefined;
  /** What its files come from; exactly when `deleted.remains` is "copy". */
  readonly copy: RestoreItem | undefined;
}

export interface UndeleteInput {
  readonly items: readonly UndeleteItem[];
  readonly gitops: { readonly deployers: readonly Deployer[]; readonly objects: readonly ManagedObject[] };
  readonly replicasOf: (owner: Scalable) => number | undefined;
  /** Whether it is being deleted: its pods end by that, and it is not started again. */
  readonly isGoing: (owner: Scalable) => boolean;
  /** Whether a claim of the class is bound before a pod uses it. */
  readonly bindsAtOnce: (storageClass: string | undefined) => boolean;
  /** Whether an owner of a claim is there still: another one's deletion would take the new claim along. */
  readonly ownerLives: (uid: string) => boolean;
}

export interface UndeletePlan {
  readonly plan: Plan;
  readonly blockers: Owners["unstoppable"];
}

const nameOf = ({ deleted }: UndeleteItem): string => `${deleted.namespace}/${deleted.claim}`;
const isReplaced = ({ deleted }: UndeleteItem): boolean => deleted.successor !== undefined;

export const planUndelete = (input: UndeleteInput): UndeletePlan => {
  const { items } = input;
  const names = items.map(nameOf);
  const owners = ownersOf(inNeedOfStandstill(items).flatMap(({ present }) => present ?? []));
  const plan: Plan = {
    version: 1,
    verb: "undelete",
    title: `bring back ${names.join(", ")}`,
    locks: names,
    steps: stepsOf(input, owners),
    undo: undoOf(items),
    warnings: items.flatMap(warningsFor),
  };
  return { plan, blockers: owners.unstoppable };
};

const undoOf = (items: readonly UndeleteItem[]): UndoPromise =>
  items.every(isReplaced)
    ? {
        kind: "kept",
        text: "The volumes that have the names now stay, with Retain: `holdfast undo` gives the names back to them.",
      }
    : {
        kind: "nothing",
        text: "What comes back is what was deleted; there is nothing else to go back to.",
      };

const warningsFor = ({ deleted }: UndeleteItem): readonly string[] => {
  const name = `${deleted.namespace}/${deleted.claim}`;
  return [
    ...(deleted.knownFrom === "pv"
      ? [`${name}: no inventory knows its labels and annotations: it comes back without`]
      : []),
    ...(deleted.successor === undefined
      ? []
      : [`${name}: the volume that has this name now (${deleted.successor.spec.volumeName ?? "not bound"}) is kept`]),
    ...(deleted.lostSince === undefined
      ? []
      : [
          `${name}: the bytes of ${deleted.lostSince}, which it had last, are gone: what comes back is older. Where a copy has newer files, \`holdfast restore ${name}\` brings them afterwards`,
        ]),
    ...(deleted.namespaceIs === "there"
      ? []
      : [`${name}: its namespace is ${deleted.namespaceIs}: what else was in it comes back from git, or from Velero`]),
  ];
};

/** Volumes that something uses, or may use at any moment. */
const inNeedOfStandstill = (items: readonly UndeleteItem[]): readonly UndeleteItem[] =>
  items.filter((item) => item.deleted.remains === "claim" || isReplaced(item));

const stepsOf = (input: UndeleteInput, owners: Owners): readonly PlannedStep[] => {
  const { items } = input;
  const [freeze, thaw] = gitopsSteps(input);
  const [stop, start] = standstillSteps(input, owners);
  const back = backSteps(input);
  const files = fileSteps(items);
  const last = files.length === 0 ? back.at(-1) : undefined;
  return [
    ...freeze,
    ...keepSteps(items),
    ...stop,
    ...releaseSteps(items),
    ...namespaceSteps(items),
    ...(last === undefined ? back : [...back.slice(0, -1), { ...last, decides: true }]),
    ...files,
    ...start,
    ...thaw,
  ];
};

type Steps = readonly PlannedStep[];
const common = { repeat: "safe", does: "apply" } as const;

const gitopsSteps = ({ gitops: { deployers, objects } }: UndeleteInput): readonly [Steps, Steps] => {
  if (deployers.length === 0) return [[], []];
  const input: GitOpsInput = {
    deployers: deployers.map((deployer) => ({ ...deployer })),
    objects: objects.map((object) => ({
      ...object,
      labels: { ...object.labels },
      annotations: { ...object.annotations },
    })),
  };
  const names = deployers.map(({ kind, name }) => `${kind} ${name}`).join(", ");
  const touches = deployers.map(deployerText);
  const freeze = {
    ...common,
    id: "freeze",
    kind: "freeze-gitops",
    title: `make ${names} stand still`,
    why: "it would delete again, make anew or start what is worked on",
    back: `let ${names} go on`,
    touches,
    input,
  };
  const thaw = {
    ...common,
    id: "thaw",
    kind: "thaw-gitops",
    title: `let ${names} go on`,
    why: "exactly what was set before is set again",
    back: `make ${names} stand still`,
    touches,
    input,
  };
  return [[freeze], [thaw]];
};

const keepSteps = (items: readonly UndeleteItem[]): Steps => {
  const pvs = items.flatMap(({ deleted: { pv, isPvThere } }) =>
    isPvThere && pv !== undefined ? [pv.metadata.name] : [],
  );
  const beside = items.flatMap(({ deleted: { successor } }) => successor?.spec.volumeName ?? []);
  const both = [...pvs, ...beside];
  if (both.length === 0) return [];
  return [
    {
      ...common,
      id: "keep",
      kind: "keep-volumes",
      title: `set ${both.map((name) => `PersistentVolume ${name}`).join(", ")} to Retain`,
      why: "whatever happens to the claims, the bytes stay",
      back: "nothing: they stay at Retain",
      touches: both.map((name) => `PersistentVolume ${name}`),
      input: { pvs, beside },
    },
  ];
};

const standstillSteps = (input: UndeleteInput, owners: Owners): readonly [Steps, Steps] => {
  const items = inNeedOfStandstill(input.items);
  if (items.length === 0) return [[], []];
  const claims: WorkloadsInput["claims"] = items.map(({ deleted: { namespace, claim } }) => ({ namespace, claim }));
  const going = new Set(items.flatMap(({ deleted }) => (deleted.namespaceIs === "there" ? [] : [deleted.namespace])));
  const running = stopsOf(owners, input.replicasOf).filter(
    (stop) => stop.replicas > 0 && !going.has(stop.namespace) && !input.isGoing(stop),
  );
  const [stop, start] = standstill(running, claims, "a claim does not go while a pod uses it");
  if (running.length > 0) return [[stop], [start]];
  const wait = {
    ...stop,
    title: `wait until no pod uses ${items.map(nameOf).join(", ")}`,
    back: "nothing",
  };
  return [[wait], []];
};

const releaseSteps = (items: readonly UndeleteItem[]): Steps => {
  const going = items.filter(({ deleted }) => deleted.remains === "claim");
  if (going.length === 0) return [];
  const claims = going.map(({ deleted: { namespace, claim, object } }) => ({
    namespace,
    claim,
    uid: object.metadata.uid ?? "",
  }));
  const names = going.map(nameOf);
  return [
    {
      ...common,
      id: "release",
      kind: "release-claims",
      title: `let the claims ${names.join(", ")} go`,
      why: "Kubernetes takes no deletion back: they are made again, on the same bytes",
      back: "nothing: they were being deleted before",
      touches: names.map((name) => `PersistentVolumeClaim ${name}`),
      // Half way an app would find no claim, and GitOps make an empty one: from here on only forward.
      decides: true,
      input: { claims },
    },
  ];
};

const namespaceSteps = (items: readonly UndeleteItem[]): Steps => {
  const gone = items.filter(({ deleted }) => deleted.namespaceIs !== "there");
  const first = new Map(gone.map(({ deleted }) => [deleted.namespace, deleted]));
  return [...first.values()].map(namespaceStep);
};

const backSteps = ({ items, ownerLives, bindsAtOnce }: UndeleteInput): Steps => {
  const prepared: PlannedStep[] = [];
  const bound: Bound[] = [];
  const empty: PlannedStep[] = [];
  for (const [index, { deleted }] of items.entries()) {
    const { pv } = deleted;
    if (deleted.remains === "copy" || pv === undefined) {
      const manifest = claimToMakeEmpty(deleted, ownerLives);
      const bindsNow = bindsAtOnce(deleted.object.spec.storageClassName);
      empty.push(makeClaimStep(deleted, index, { manifest, bindsAtOnce: bindsNow }));
    } else {
      prepared.push(...preparing(deleted, pv, index));
      bound.push({ deleted, pv, manifest: claimToMake(deleted, ownerLives) });
    }
  }
  return [...prepared, ...(bound.length === 0 ? [] : [bindStep(bound)]), ...empty];
};

/** What a claim needs before it can be bound to its PV. */
const preparing = (deleted: DeletedVolume, pv: PersistentVolume, index: number): Steps => [
  ...(deleted.missingExport === undefined ? [] : [exportStep(deleted, index, deleted.missingExport)]),
  ...(deleted.isPvThere ? [] : [volumeStep(index, volumeToMake(deleted, pv))]),
  ...(deleted.isPvThere ? outOfTrash([pv], { id: `untrash-${index}`, leavesClaimed: true }) : []),
];

/** The files of all volumes whose bytes are gone, in one go; what is in the new volumes meanwhile is nothing. */
const fileSteps = (items: readonly UndeleteItem[]): Steps => {
  const copies = items.flatMap(({ copy }) => copy ?? []);
  if (copies.length === 0) return [];
  const { plan } = planRestore({
    mover: "kopia",
    items: copies,
    keepFor: undefined,
    makeRoom: false,
    replicasOf: () => undefined,
  });
  return plan.steps.map(asOfNewVolume);
};

/** What a restore would call the earlier files was never anybody's. */
const asOfNewVolume = (step: PlannedStep): PlannedStep =>
  step.id === "free"
    ? { ...step, title: "remove what the new volume came with", why: "nobody has written there" }
    : step;
