/** What must be on every object for the volumes to be guarded as they should. Pure. */
import type { Claim, PersistentVolume, PodMaker } from "../../inventory/raw.ts";
import type { KubeObject, Resource } from "../../systems/kubernetes/port.ts";
import { resources } from "../../systems/kubernetes/resources.ts";
import { type Application, manages, reaching, setOf } from "./argo.ts";
import { keyOf } from "../../systems/kubernetes/object-key.ts";
import { type GitLine, noToolKeys, toolKeysOf, type ToolKeys } from "./gitops.ts";
import { type Marks, marksOf } from "./marks.ts";
import { guardFinalizer } from "../finalizer.ts";
import { guardKey, isOpen, type Mode, modeOf, openingKey, openingUntilKey } from "./mode.ts";
import { type Reclaim, reclaimOf } from "./steps/retain.ts";
import { sameMarks } from "./steps/set-marks.ts";
import type { GuardView } from "./view.ts";

/** One object and the marks that it should have. */
export interface WantedMarks {
  readonly resource: Resource;
  readonly object: KubeObject;
  /** "PersistentVolumeClaim media/sonarr-config". */
  readonly title: string;
  readonly from: Marks;
  readonly to: Marks;
  readonly git: readonly GitLine[];
}

/** Those that are not there as they should be; finalizers are a layer of their own. */
export const unmarked = (marks: readonly WantedMarks[]): readonly WantedMarks[] =>
  marks.filter(({ from, to }) => !sameMarks({ ...from, finalizers: [] }, { ...to, finalizers: [] }));

export interface WantedReclaim {
  readonly pv: PersistentVolume;
  readonly volume: string;
  readonly from: Reclaim;
  readonly to: Reclaim;
}

export interface Wanted {
  /** Every claim, with its mode and what leads to it. */
  readonly volumes: readonly Guarded[];
  readonly marks: readonly WantedMarks[];
  readonly reclaim: readonly WantedReclaim[];
  /** Generated Applications for the policy's list; undefined when no policy is needed. */
  readonly generated: readonly string[] | undefined;
}

export type Modes = ReadonlyMap<string, Mode>;

/** The modes that claims carry now, by volume name. */
export const presentModes = ({ objects }: Pick<GuardView, "objects">): Modes =>
  new Map(objects.claims.map((claim) => [keyOf(claim), modeOf(claim)]));

/** Everything about one volume that the guard touches. */
export interface Guarded {
  readonly name: string;
  readonly mode: Mode;
  readonly claim: Claim;
  readonly pv: PersistentVolume | undefined;
  readonly statefulSets: readonly PodMaker[];
  readonly reached: ReturnType<typeof reaching>;
}

/** StatefulSets whose templates made the claim, also while they have no pods. */
export const statefulSetsOf = (claim: Claim, makers: readonly PodMaker[]): readonly PodMaker[] =>
  makers.filter(
    (maker) =>
      maker.kind === "StatefulSet" &&
      maker.metadata.namespace === claim.metadata.namespace &&
      (maker.spec.volumeClaimTemplates ?? []).some((template) => {
        const prefix = `${template.metadata.name}-${maker.metadata.name}-`;
        return claim.metadata.name.startsWith(prefix) && /^\d+$/.test(claim.metadata.name.slice(prefix.length));
      }),
  );

const guardedVolumes = (view: GuardView, modes: Modes): readonly Guarded[] => {
  const pvs = new Map(view.objects.persistentVolumes.map((pv) => [pv.metadata.name, pv]));
  return view.objects.claims.map((claim) => {
    const statefulSets = statefulSetsOf(claim, view.objects.makers);
    const names = statefulSets.map(({ metadata }) => metadata.name);
    return {
      name: keyOf(claim),
      mode: modes.get(keyOf(claim)) ?? "off",
      claim,
      pv: pvs.get(claim.spec.volumeName ?? ""),
      statefulSets,
      reached: reaching(view.argo, { claim, statefulSets: names }),
    };
  });
};

/** `touched`: names of the volumes whose own objects may change; what several volumes share is looked at for all. */
export const wantedFor = (view: GuardView, modes: Modes, touched: ReadonlySet<string>): Wanted => {
  const all = guardedVolumes(view, modes);
  const own = all.filter(({ name }) => touched.has(name));
  const generated = generatedBy(view, all);
  const isOn = all.some(({ mode }) => mode !== "off");
  return {
    volumes: all,
    marks: [...own.flatMap((volume) => ownMarks(view, volume)), ...sharedMarks(view, all)],
    reclaim: own.flatMap(wantedReclaim),
    generated: isOn ? generated : undefined,
  };
};

const refused = (mode: Mode): boolean => mode === "deny";
/** What has no finalizer of ours to wait, or takes everything around the claim along, is refused in its place. */
const keptWhole = (mode: Mode): boolean => mode === "deny" || mode === "hold";

const ownMarks = (view: GuardView, volume: Guarded): readonly WantedMarks[] => {
  const { claim, pv, mode, name } = volume;
  const title = `PersistentVolumeClaim ${name}`;
  const ours = marksOf(claim);
  const tools = keptWhole(mode) ? claimTools(view, title, claim) : noToolKeys;
  const held = isOpen(claim) || claim.metadata.deletionTimestamp !== undefined ? ours.finalizers : [guardFinalizer];
  const wanted = { mode, tools, finalizers: keptWhole(mode) ? held : [] };
  const marks = [marked(resources.persistentVolumeClaims, claim, title, wanted)];
  if (pv !== undefined) {
    const pvMode = keptWhole(mode) ? "deny" : mode;
    const pvTitle = `PersistentVolume ${pv.metadata.name}`;
    marks.push(marked(resources.persistentVolumes, pv, pvTitle, { mode: pvMode, tools: noToolKeys, finalizers: [] }));
  }
  return marks;
};

/** While its deletion is allowed, tools go on being told what they were told then: it may be theirs to delete. */
const claimTools = (view: GuardView, title: string, claim: Claim): ToolKeys => {
  const tools = toolKeysOf(title, claim, { argo: view.argo !== undefined });
  const present = marksOf(claim).annotations;
  if (!isOpen(claim) || present[openingUntilKey] === undefined) return tools;
  const write = Object.entries(tools.write).filter(([key]) => present[key] !== undefined);
  return { write: Object.fromEntries(write), git: [] };
};

interface Wish {
  readonly mode: Mode;
  readonly tools: ToolKeys;
  readonly finalizers: readonly string[];
}

/** An opening that has an end stays as it is. One without was announced for a change, or made by hand. */
const opening = ({ annotations }: Marks): Readonly<Record<string, string>> => {
  const { [openingKey]: open, [openingUntilKey]: until } = annotations;
  return open === undefined || until === undefined ? {} : { [openingKey]: open, [openingUntilKey]: until };
};

const marked = (
  resource: Resource,
  object: KubeObject,
  title: string,
  { mode, tools, finalizers }: Wish,
): WantedMarks => {
  const from = marksOf(object);
  const annotations = mode === "off" ? {} : { [guardKey]: mode, ...tools.write, ...opening(from) };
  return { resource, object, title, from, to: { annotations, finalizers }, git: mode === "off" ? [] : tools.git };
};

const sharedMarks = (view: GuardView, all: readonly Guarded[]): readonly WantedMarks[] => {
  const { objects, argo } = view;
  const namespaces = new Set(all.filter(({ mode }) => keptWhole(mode)).map(({ claim }) => claim.metadata.namespace));
  const denied = all.filter(({ mode }) => refused(mode));
  const sets = new Set(denied.flatMap(({ statefulSets }) => statefulSets.map(keyOf)));
  const applications = new Set(denied.flatMap(({ reached }) => reached.applications));
  const appSets = new Set(denied.flatMap(({ reached }) => reached.sets));
  const mark = (resource: Resource, object: KubeObject, isWanted: boolean): WantedMarks => {
    const title = `${resource.kind} ${resource.namespaced ? keyOf(object) : object.metadata.name}`;
    const tools = isWanted ? toolKeysOf(title, object, { argo: manages(argo, resource.kind, object) }) : noToolKeys;
    return marked(resource, object, title, { mode: isWanted ? "deny" : "off", tools, finalizers: [] });
  };
  const makers = objects.makers.filter(({ kind }) => kind === "StatefulSet");
  const isMarkable = (application: Application): boolean => setOf(application) === undefined;
  return [
    ...objects.namespaces.map((item) => mark(resources.namespaces, item, namespaces.has(item.metadata.name))),
    ...makers.map((item) => mark(resources.statefulSets, item, sets.has(keyOf(item)))),
    ...(argo?.applications ?? [])
      .filter(isMarkable)
      .map((item) => mark(resources.applications, item, applications.has(keyOf(item)))),
    ...(argo?.sets ?? []).map((item) => mark(resources.applicationSets, item, appSets.has(keyOf(item)))),
  ];
};

const generatedBy = ({ argo }: GuardView, all: readonly Guarded[]): readonly string[] => {
  const reached = new Set(all.filter(({ mode }) => refused(mode)).flatMap(({ reached }) => reached.applications));
  return (argo?.applications ?? [])
    .filter((application) => setOf(application) !== undefined && reached.has(keyOf(application)))
    .map(keyOf)
    .toSorted();
};

const wantedReclaim = ({ name, mode, pv, claim }: Guarded): readonly WantedReclaim[] => {
  if (pv === undefined) return [];
  const from = reclaimOf(pv);
  const { policy, before } = from;
  // What is being deleted keeps Retain: it is what the bytes live by.
  const canGiveBack = claim.metadata.deletionTimestamp === undefined && before !== "";
  if (mode === "off") return canGiveBack ? [{ pv, volume: name, from, to: { policy: before, before: "" } }] : [];
  const to = policy === "Retain" ? from : { policy: "Retain", before: policy };
  return [{ pv, volume: name, from, to }];
};
