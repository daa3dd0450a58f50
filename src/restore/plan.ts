/** The plan of a restore: what is replaced by what, who stands still meanwhile, and what to know before. Pure. */
import type { Plan, PlannedStep, UndoPromise } from "../model/plan.ts";
import { formatBytes } from "../model/units.ts";
import type { Volume } from "../model/volume.ts";
import { volumeName } from "../model/volume.ts";
import { type Owners, ownersOf, type Scalable, type Unstoppable } from "./owners.ts";
import type { Mover } from "./movers/replacement.ts";
import type { ChosenCopy } from "./scope.ts";
import type { FilesInput } from "./steps/files-input.ts";
import type { WorkloadsInput } from "./steps/workloads.ts";

export interface RestoreItem {
  /** Unique within the plan; names directories and pods. */
  readonly key: string;
  readonly source: string;
  readonly chosen: ChosenCopy;
  readonly target: Volume;
  readonly inPlace: boolean;
}

/** A workload to stop, with the replicas that it gets back. */
export interface Stop extends Scalable {
  readonly replicas: number;
}

export interface RestorePlan {
  readonly mover: Mover;
  readonly items: readonly RestoreItem[];
  readonly stops: readonly Stop[];
  readonly blockers: readonly Unstoppable[];
  /** What is carried out. */
  readonly plan: Plan;
}

export interface PlanInput {
  readonly mover: Mover;
  readonly items: readonly RestoreItem[];
  /** "7d": how long what is there now is kept for the undo; undefined for NO UNDO. */
  readonly keepFor: string | undefined;
  /** Whether the present files go before the copy comes: nothing is kept then, and nothing leads back. */
  readonly makeRoom: boolean;
  /** Present replicas of a workload; undefined when it does not exist any more. */
  readonly replicasOf: (owner: Scalable) => number | undefined;
}

/** What stands still, with what it gets back; a workload that does not exist any more is left out. */
export const stopsOf = ({ scalable }: Owners, replicasOf: PlanInput["replicasOf"]): readonly Stop[] =>
  scalable.flatMap((owner) => {
    const replicas = replicasOf(owner);
    return replicas === undefined ? [] : [{ ...owner, replicas }];
  });

export const planRestore = (input: PlanInput): RestorePlan => {
  const { mover, items } = input;
  const owners: Owners = ownersOf(items.map((item) => item.target));
  const stops = stopsOf(owners, input.replicasOf);
  const names = items.map(({ target }) => volumeName(target));
  const points = [...new Set(items.map(({ chosen }) => chosen.copy.point))];
  const plan: Plan = {
    version: 1,
    verb: "restore",
    title: `restore ${names.join(", ")} from ${points.join(", ")}`,
    locks: names,
    steps: stepsOf(input, stops),
    undo: undoOf(input),
    warnings: items.flatMap(warningsFor),
  };
  return { mover, items, stops, blockers: owners.unstoppable, plan };
};

const undoOf = ({ keepFor, makeRoom }: PlanInput): UndoPromise => {
  if (makeRoom)
    return {
      kind: "none",
      text: "NO UNDO: the present files of the volume are gone before the copy is put in, and nothing stops the restore but its end.",
    };
  if (keepFor === undefined)
    return {
      kind: "none",
      text: "NO UNDO: once the restored files are verified and the app runs again, the present files of the volume are gone.",
    };
  return {
    kind: "kept",
    text: `The present files stay in the volume for ${keepFor}: \`holdfast undo\` brings them back.`,
  };
};

const warningsFor = (item: RestoreItem): readonly string[] => {
  const { copy, evidence } = item.chosen;
  const name = volumeName(item.target);
  return [
    ...(evidence === undefined ? [`${name}: this copy was never verified; it is checked while it is restored`] : []),
    ...(evidence?.leftOut ?? []).map((text) => `${name}: the copy does not hold everything: ${text}`),
    ...(copy.bytes === 0 ? [`${name}: the copy is empty: the volume will be empty`] : []),
    ...(item.target.deleting ? [`${name}: the claim is being deleted`] : []),
  ];
};

const movers: Readonly<Record<Mover, string>> = {
  kopia: "a short-lived pod of Holdfast reads Velero's repository directly and needs no Velero",
  "node-agent": "Velero's node-agent writes the files, from a PodVolumeRestore made for this volume alone",
};

/** "Deployment media/sonarr (1 replica)" */
export const workloadText = ({ kind, namespace, name, replicas }: Stop): string =>
  `${kind} ${namespace}/${name} (${replicas} ${replicas === 1 ? "replica" : "replicas"})`;

const stepsOf = (input: PlanInput, stops: readonly Stop[]): readonly PlannedStep[] => {
  const claims = input.items.map(({ target }) => ({ namespace: target.namespace, claim: target.claim }));
  const files = filesStep(input);
  const clear = input.makeRoom ? clearSteps(files, input) : [];
  const free = input.makeRoom || input.keepFor === undefined ? [freeStep(files, input)] : [];
  const running = stops.filter((stop) => stop.replicas > 0);
  if (running.length === 0) return [...clear, files, ...free];
  const why = "it uses the volume, and files must not change while they are replaced";
  const [stop, start] = standstill(running, claims, why);
  return [stop, ...clear, files, start, ...free];
};

const namesOf = ({ items }: PlanInput): string => items.map(({ target }) => volumeName(target)).join(", ");

const clearSteps = (files: PlannedStep, input: PlanInput): readonly PlannedStep[] => {
  const both = { repeat: "safe", input: files.input } as const;
  return [
    {
      ...both,
      id: "prove",
      kind: "prove-copies",
      title: `read the copy of ${namesOf(input)} through, to its last byte`,
      why: "it will be all that there is",
      back: "nothing: it only reads",
      touches: [],
      does: "apply",
    },
    {
      ...both,
      id: "clear",
      kind: "clear-files",
      title: `remove the present files of ${namesOf(input)}`,
      why: "there is no room for both (--make-room)",
      back: "NO UNDO",
      touches: files.touches,
      does: "settle",
    },
  ];
};

/** Last, when the app runs again: until then there is a way back. */
const freeStep = (files: PlannedStep, input: PlanInput): PlannedStep => ({
  id: "free",
  kind: files.kind,
  title: `remove ${input.makeRoom ? "what is left" : "the earlier files"} of ${namesOf(input)}`,
  why: input.makeRoom ? "nothing is kept (--make-room)" : "no undo is wanted (--no-undo)",
  back: "NO UNDO",
  touches: files.touches,
  repeat: "safe",
  does: "settle",
  input: files.input,
});

type Claims = WorkloadsInput["claims"];

/** The steps around one that needs the claims for itself, for the reason `why`. */
export const standstill = (
  running: readonly Stop[],
  claims: Claims,
  why: string,
): readonly [PlannedStep, PlannedStep] => {
  const input = { workloads: running.map((stop) => ({ ...stop })), claims: claims.map((claim) => ({ ...claim })) };
  const names = running.map(workloadText).join(", ");
  const touches = running.map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`);
  const stopTitle = `stop ${names}`;
  const startTitle = `start ${names} again and wait until everything is Ready`;
  return [
    {
      id: "stop",
      kind: "stop-workloads",
      title: stopTitle,
      why,
      back: startTitle,
      touches,
      repeat: "safe",
      does: "apply",
      input,
    },
    {
      id: "start",
      kind: "start-workloads",
      title: startTitle,
      why: "it ran before",
      back: stopTitle,
      touches,
      repeat: "safe",
      does: "apply",
      input,
    },
  ];
};

const filesStep = (input: PlanInput): PlannedStep => {
  const { items, mover } = input;
  const names = namesOf(input);
  const bytes = items.reduce((sum, { chosen }) => sum + (chosen.copy.bytes ?? 0), 0);
  const task: FilesInput = {
    mover,
    items: items.map(({ key, target, chosen }) => ({
      key,
      namespace: target.namespace,
      claim: target.claim,
      repository: chosen.copy.repository,
      // A copy without a snapshot is never chosen (scope.ts); an empty id is refused by the agent as COPY_MISSING.
      snapshotId: chosen.copy.snapshotId ?? "",
    })),
  };
  return {
    id: "files",
    kind: "replace-files",
    title: `replace the files of ${names} by the copy's ${formatBytes(bytes)}`,
    why: `${movers[mover]}; the present files are set aside in the volume, and the result is compared entry by entry`,
    back: `bring the earlier files of ${names} back`,
    touches: items.map(({ target }) => `files of ${volumeName(target)}`),
    repeat: "safe",
    decides: true,
    does: "apply",
    input: task,
  };
};
