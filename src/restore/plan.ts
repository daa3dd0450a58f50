/** The plan of a restore: what is replaced by what, who stands still meanwhile, and what to know before. Pure. */
import type { Volume } from "../model/volume.ts";
import { volumeName } from "../model/volume.ts";
import { formatBytes } from "../model/units.ts";
import { type Owners, ownersOf, type Scalable, type Unstoppable } from "./owners.ts";
import type { ChosenCopy } from "./scope.ts";

export type Mover = "kopia" | "node-agent";

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

export interface PlanStep {
  readonly title: string;
  readonly why: string;
}

export interface RestorePlan {
  readonly operation: string;
  readonly mover: Mover;
  readonly items: readonly RestoreItem[];
  readonly stops: readonly Stop[];
  readonly blockers: readonly Unstoppable[];
  readonly warnings: readonly string[];
  readonly steps: readonly PlanStep[];
}

export interface PlanInput {
  readonly operation: string;
  readonly mover: Mover;
  readonly items: readonly RestoreItem[];
  /** Present replicas of a workload; undefined when it does not exist any more. */
  readonly replicasOf: (owner: Scalable) => number | undefined;
}

export const planRestore = (input: PlanInput): RestorePlan => {
  const owners: Owners = ownersOf(input.items.map((item) => item.target));
  const stops = owners.scalable.flatMap((owner) => {
    const replicas = input.replicasOf(owner);
    return replicas === undefined ? [] : [{ ...owner, replicas }];
  });
  const warnings = input.items.flatMap(warningsFor);
  return { ...input, stops, blockers: owners.unstoppable, warnings, steps: stepsOf(input, stops) };
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

const workloadText = (stop: Stop): string =>
  `${stop.kind} ${stop.namespace}/${stop.name} (${stop.replicas} ${stop.replicas === 1 ? "replica" : "replicas"})`;

const stepsOf = (input: PlanInput, stops: readonly Stop[]): readonly PlanStep[] => {
  const running = stops.filter((stop) => stop.replicas > 0);
  const names = input.items.map((item) => volumeName(item.target)).join(", ");
  const bytes = input.items.reduce((sum, item) => sum + (item.chosen.copy.bytes ?? 0), 0);
  const stopping = running.map((stop) => ({
    title: `stop ${workloadText(stop)}`,
    why: "it uses the volume, and files must not change while they are replaced",
  }));
  const starting = running.map((stop) => ({
    title: `start ${workloadText(stop)} again and wait until it is Ready`,
    why: "it ran before",
  }));
  return [
    ...stopping,
    {
      title: `mount ${names} for Holdfast`,
      why: "a holder pod without secrets mounts each claim in its own namespace",
    },
    {
      title: "set the present files aside inside the volume",
      why: "until the new ones are verified they can be put back",
    },
    { title: `put the copy's ${formatBytes(bytes)} into the emptied tree`, why: movers[input.mover] },
    {
      title: "compare the result with the copy",
      why: "type, size, mode, owner, time and link target of every entry, and every SQLite file",
    },
    {
      title: "remove the files that were set aside",
      why: "the restored ones are verified; from here there is NO UNDO",
    },
    ...starting,
  ];
};
