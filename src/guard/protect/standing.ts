/** How each volume is guarded, by what is on the cluster now. Pure. */
import { volumeName } from "../../model/volume.ts";
import type { Claim } from "../../inventory/raw.ts";
import { keyOf } from "../../systems/kubernetes/object-key.ts";
import { aroundIn, type Exception, exceptionOf } from "./decide.ts";
import type { GitLine } from "./gitops.ts";
import { guardFinalizer } from "../finalizer.ts";
import { guardKey, type Mode, openingUntilKey, openUntil } from "./mode.ts";
import { isCurrent, policyFor } from "./policy.ts";
import type { GuardView } from "./view.ts";
import { policyHindrance } from "./warnings.ts";
import { type Guarded, presentModes, unmarked, type Wanted, wantedFor, type WantedMarks } from "./wanted.ts";

/**
 * "yes": there. "no": missing. "git": as it should be, owned by git. "change-git": owned by git, which says otherwise.
 * "open": let go for a deletion that is allowed. "-": not wanted here.
 */
export type LayerState = "yes" | "no" | "git" | "change-git" | "open" | "-";

export interface Opening {
  /** RFC 3339; absent: it was opened by hand, without an end. */
  readonly until?: string;
  readonly isExpired: boolean;
}

export interface VolumeStanding {
  readonly volume: string;
  readonly mode: Mode;
  readonly exception: Exception | undefined;
  readonly persistentVolume: string | undefined;
  readonly layers: {
    readonly retain: LayerState;
    /** Holdfast's own annotation, on the claim and on everything whose deletion leads to it. */
    readonly marks: LayerState;
    /** What GitOps tools are told. */
    readonly gitops: LayerState;
    readonly finalizer: LayerState;
    readonly policy: LayerState;
  };
  readonly opening: Opening | undefined;
  /** What keeps the volume from being guarded as its mode says. */
  readonly problems: readonly string[];
  readonly notes: readonly string[];
  readonly git: readonly GitLine[];
}

export interface PolicyStanding {
  readonly state: "current" | "outdated" | "absent" | "unneeded" | "impossible";
  readonly why?: string;
}

export interface GuardStanding {
  readonly policy: PolicyStanding;
  readonly volumes: readonly VolumeStanding[];
}

/** True when the volume is guarded as it should be, or rightly not at all. */
export const isGuarded = ({ problems }: VolumeStanding): boolean => problems.length === 0;

export const standingOf = (view: GuardView, now: number): GuardStanding => {
  const wanted = wantedFor(view, presentModes(view), new Set(view.volumes.map(volumeName)));
  const policy = policyStanding(view, wanted);
  const known = new Map(wanted.volumes.map((volume) => [volume.name, volume]));
  const looking: Looking = { wanted, policy, now, around: aroundIn(view.objects) };
  const volumes = view.volumes.flatMap((volume) => {
    const guarded = known.get(volumeName(volume));
    return guarded === undefined ? [] : [volumeStanding(looking, guarded)];
  });
  return { policy, volumes };
};

const policyStanding = (view: GuardView, { generated }: Wanted): PolicyStanding => {
  const { policy } = view;
  const hindrance = policyHindrance(view);
  if (!policy.possible) return { state: "impossible", ...(hindrance === undefined ? {} : { why: hindrance }) };
  if (generated === undefined) return { state: "unneeded" };
  const because = hindrance === undefined ? {} : { why: hindrance };
  if (policy.policy === undefined || policy.binding === undefined) return { state: "absent", ...because };
  const wanted = policyFor(generated);
  const isSame = isCurrent(wanted.policy, policy.policy) && isCurrent(wanted.binding, policy.binding);
  return isSame ? { state: "current" } : { state: "outdated", ...because };
};

interface Looking {
  readonly wanted: Wanted;
  readonly policy: PolicyStanding;
  readonly now: number;
  readonly around: ReturnType<typeof aroundIn>;
}

/** Everything marked whose deletion leads to the volume. */
const leadsTo = ({ wanted }: Looking, { name, claim, statefulSets, reached }: Guarded): readonly WantedMarks[] => {
  const titles = new Set([
    `PersistentVolumeClaim ${name}`,
    `PersistentVolume ${claim.spec.volumeName}`,
    `Namespace ${claim.metadata.namespace}`,
    ...statefulSets.map((set) => `StatefulSet ${keyOf(set)}`),
    ...reached.applications.map((key) => `Application ${key}`),
    ...reached.sets.map((key) => `ApplicationSet ${key}`),
  ]);
  return wanted.marks.filter(({ title }) => titles.has(title));
};

const openingOf = (claim: Claim, now: number): Opening | undefined => {
  const end = openUntil(claim);
  if (end === undefined) return undefined;
  const until = claim.metadata.annotations?.[openingUntilKey];
  return { ...(until === undefined ? {} : { until }), isExpired: end <= now };
};

const gitopsState = (marks: readonly WantedMarks[], missing: readonly WantedMarks[]): LayerState => {
  const lines = marks.flatMap(({ git }) => git);
  if (lines.some(({ done }) => !done)) return "change-git";
  const tools = ({ to }: WantedMarks): readonly string[] =>
    Object.keys(to.annotations).filter((key) => !key.startsWith("holdfast.dev/"));
  const lacks = ({ from, to }: WantedMarks): boolean =>
    Object.entries(to.annotations).some(
      ([key, value]) => !key.startsWith("holdfast.dev/") && from.annotations[key] !== value,
    );
  if (missing.some(lacks)) return "no";
  if (marks.some((mark) => tools(mark).length > 0)) return "yes";
  return lines.length > 0 ? "git" : "-";
};

const policyLayer = ({ state }: PolicyStanding): LayerState => {
  if (state === "current") return "yes";
  return state === "unneeded" ? "-" : "no";
};

const volumeStanding = (looking: Looking, guarded: Guarded): VolumeStanding => {
  const { wanted, policy, now } = looking;
  const { name, mode, claim } = guarded;
  const around = looking.around(claim);
  const { pv } = around;
  const exception = exceptionOf(claim, around);
  const common = { volume: name, mode, exception, persistentVolume: pv?.metadata.name, opening: openingOf(claim, now) };
  if (mode === "off")
    return {
      ...common,
      layers: {
        retain: pv === undefined ? "-" : pv.spec.persistentVolumeReclaimPolicy === "Retain" ? "yes" : "no",
        marks: "-",
        gitops: "-",
        finalizer: "-",
        policy: "-",
      },
      problems: exception === undefined ? ["it is not guarded"] : [],
      notes: [],
      git: [],
    };
  const marks = leadsTo(looking, guarded);
  const missing = unmarked(marks);
  const retain = wanted.reclaim.every((item) => item.volume !== name || item.from.policy === "Retain");
  const isHeld = claim.metadata.finalizers?.includes(guardFinalizer) === true;
  const layers = {
    retain: retain ? "yes" : "no",
    marks: missing.some(({ from, to }) => from.annotations[guardKey] !== to.annotations[guardKey]) ? "no" : "yes",
    gitops: gitopsState(marks, missing),
    finalizer: finalizerState(mode, isHeld, common.opening),
    policy: common.opening === undefined ? policyLayer(policy) : "open",
  } as const satisfies VolumeStanding["layers"];
  return {
    ...common,
    layers,
    problems: problemsOf({ pv: pv?.metadata.name, missing, layers, policy, opening: common.opening }),
    notes: notesOf(claim, policy, common.opening, exception),
    git: marks.flatMap(({ git }) => git),
  };
};

const finalizerState = (mode: Mode, isHeld: boolean, opening: Opening | undefined): LayerState => {
  if (isHeld) return "yes";
  if (mode === "bin") return "-";
  return opening === undefined ? "no" : "open";
};

interface Seen {
  readonly pv: string | undefined;
  readonly missing: readonly WantedMarks[];
  readonly layers: VolumeStanding["layers"];
  readonly policy: PolicyStanding;
  readonly opening: Opening | undefined;
}

const problemsOf = ({ pv, missing, layers, policy, opening }: Seen): readonly string[] => [
  ...(layers.retain === "yes"
    ? []
    : [`PersistentVolume ${pv ?? "?"} does not say Retain: the bytes go with the claim`]),
  ...missing.map(({ title }) => `${title} is not marked as it should be`),
  ...(layers.finalizer === "no" ? ["its finalizer is missing"] : []),
  ...(policy.state === "absent" && policy.why === undefined ? ["the admission policy is missing"] : []),
  ...(policy.state === "outdated" ? ["the admission policy is not as Holdfast writes it"] : []),
  ...(opening?.isExpired === true
    ? [`the permission to delete it ended at ${opening.until}, and still stands: withdraw it`]
    : []),
];

const notesOf = (
  claim: Claim,
  policy: PolicyStanding,
  opening: Opening | undefined,
  exception: Exception | undefined,
): readonly string[] => [
  ...(claim.metadata.deletionTimestamp === undefined ? [] : ["it is being deleted, and held by its finalizers"]),
  ...(policy.why === undefined || policy.state === "current" ? [] : [`no admission policy: ${policy.why}`]),
  ...(opening === undefined || opening.isExpired
    ? []
    : [opening.until === undefined ? "it may be deleted" : `it may be deleted until ${opening.until}`]),
  ...(exception === undefined || exception.code === "deleting"
    ? []
    : [`it would not be guarded anew: ${exception.why}`]),
];
