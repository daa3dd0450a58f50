/** How the server stands: what /readyz and /metrics tell, from one value. The texts are pure. */
import { type Freeze, freezeText, isOverdue, wayOut } from "../systems/gitops/freezes.ts";
import type { VolumeState } from "./decide.ts";
import { volumeStates } from "./decide.ts";

/** Written by the loops, read by HTTP. Times in ms since 1970. */
export interface ServerStanding {
  isLeader: boolean;
  /** Why it does not lead. */
  waitsFor: string;
  /** Kinds that are not known yet. */
  missing: readonly string[];
  /** Why the bucket is another cluster's. */
  fenced: string | undefined;
  volumes: Readonly<Record<VolumeState, number>>;
  /** PVs set to Retain because their claim was going. */
  retained: number;
  failures: number;
  /** Things that have failed and are tried again, by what they are about. */
  readonly failing: Map<string, string>;
  /** What of GitOps is held still. */
  freezes: readonly Freeze[];
  lastReconcile: number | undefined;
  lastRecorded: number | undefined;
  /** When a loop that must turn has last turned. */
  lastTurn: number;
}

export const newStanding = (now: number): ServerStanding => ({
  isLeader: false,
  waitsFor: "it has just begun",
  missing: [],
  fenced: undefined,
  volumes: { guarded: 0, incomplete: 0, unguarded: 0, excepted: 0, deleting: 0 },
  retained: 0,
  failures: 0,
  failing: new Map(),
  freezes: [],
  lastReconcile: undefined,
  lastRecorded: undefined,
  lastTurn: now,
});

export interface Answer {
  readonly ok: boolean;
  readonly text: string;
}

/** One that stands by is ready: it would take over. What fails, or stands still for too long, is told and keeps nobody from acting. */
export const readiness = (standing: ServerStanding, now: number): Answer => {
  if (standing.fenced !== undefined) return { ok: false, text: `fenced: ${standing.fenced}` };
  if (!standing.isLeader)
    return { ok: standing.waitsFor.startsWith(anotherLeads), text: `not leading: ${standing.waitsFor}` };
  if (standing.missing.length > 0) return { ok: false, text: `has not read yet: ${standing.missing.join(", ")}` };
  if (standing.lastReconcile === undefined) return { ok: false, text: "has not looked at the volumes yet" };
  const failing = [...standing.failing].map(([what, why]) => `${what}: ${why}`);
  const frozen = standing.freezes.filter((freeze) => isOverdue(freeze, now));
  const held = frozen.map((freeze) => `${freezeText(freeze, now)}: ${wayOut(freeze)}`);
  return { ok: true, text: ["leading", ...failing, ...held].join("\n") };
};

export const anotherLeads = "another one leads";

/** Longer than any operation of the guard waits. */
const longestTurn = 900_000;

/** Not alive when a loop hangs. */
export const liveness = ({ isLeader, lastTurn }: ServerStanding, now: number): Answer =>
  isLeader && now - lastTurn > longestTurn
    ? { ok: false, text: `nothing has moved for ${Math.round((now - lastTurn) / 1000)} s` }
    : { ok: true, text: "ok" };

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: "gauge" | "counter";
  readonly values: readonly (readonly [labels: string, value: number])[];
}

const one = (value: number): Metric["values"] => [["", value]];
const seconds = (time: number | undefined): Metric["values"] => (time === undefined ? [] : one(time / 1000));

/** A label's value may have anything in it but these three as they are. */
const escaped = (value: string): string =>
  value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");

const labelsText = (labels: Readonly<Record<string, string>>): string =>
  `{${Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(",")}}`;

/** 0 where it is not known since when: an alarm by its age then rings. */
const frozenMetric = (freezes: readonly Freeze[]): Metric => ({
  name: "holdfast_gitops_frozen_timestamp_seconds",
  help: "Since when an operation holds an Application or ApplicationSet still.",
  type: "gauge",
  values: freezes.map(({ deployer: { kind, namespace, name }, operation = "", since = 0 }) => [
    labelsText({ kind, namespace, name, operation }),
    since / 1000,
  ]),
});

const metricsOf = (standing: ServerStanding): readonly Metric[] => [
  {
    name: "holdfast_guard_volumes",
    help: "Volumes by how they are guarded.",
    type: "gauge",
    values: volumeStates.map((state) => [labelsText({ state }), standing.volumes[state]]),
  },
  {
    name: "holdfast_guard_retained_total",
    help: "PersistentVolumes set to Retain because their claim was being deleted.",
    type: "counter",
    values: one(standing.retained),
  },
  {
    name: "holdfast_guard_failures_total",
    help: "Attempts that failed.",
    type: "counter",
    values: one(standing.failures),
  },
  {
    name: "holdfast_guard_failing",
    help: "Things that have failed and are tried again.",
    type: "gauge",
    values: one(standing.failing.size),
  },
  {
    name: "holdfast_guard_last_reconcile_timestamp_seconds",
    help: "When all volumes were last looked at.",
    type: "gauge",
    values: seconds(standing.lastReconcile),
  },
  {
    name: "holdfast_inventory_last_recorded_timestamp_seconds",
    help: "When the bucket was last known to have the present inventory.",
    type: "gauge",
    values: seconds(standing.lastRecorded),
  },
  frozenMetric(standing.freezes),
  {
    name: "holdfast_leader",
    help: "1 for the one that acts.",
    type: "gauge",
    values: one(Number(standing.isLeader)),
  },
  {
    name: "holdfast_fenced",
    help: "1 while the bucket is another cluster's.",
    type: "gauge",
    values: one(Number(standing.fenced !== undefined)),
  },
];

const linesOf = ({ name, help, type, values }: Metric): readonly string[] => [
  `# HELP ${name} ${help}`,
  `# TYPE ${name} ${type}`,
  ...values.map(([labels, value]) => `${name}${labels} ${value}`),
];

/** Prometheus' text format. */
export const metricsText = (standing: ServerStanding): string => `${metricsOf(standing).flatMap(linesOf).join("\n")}\n`;
