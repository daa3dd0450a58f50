/** The plan that opens one volume's guard for a deletion that is meant, for a while, and the one that closes it. Pure. */
import type { Plan, PlannedStep } from "../../model/plan.ts";
import { Failure } from "../../model/failure.ts";
import { formatTime } from "../../model/units.ts";
import type { KubeObject, Resource } from "../../systems/kubernetes/port.ts";
import { resources } from "../../systems/kubernetes/resources.ts";
import { guardFinalizer } from "../finalizer.ts";
import { keyOf } from "../../systems/kubernetes/object-key.ts";
import { type Marks, marksOf } from "./marks.ts";
import { guardKey, modeOf, openingKey, openingUntilKey } from "./mode.ts";
import { guardLock } from "./plan.ts";
import { marksEntry, type MarksInput } from "./steps/marks.ts";
import { sameMarks, titleOf } from "./steps/set-marks.ts";
import type { GuardView } from "./view.ts";

/** `until`: ms since 1970; absent: it is closed. */
export interface OpeningWish {
  readonly volume: string;
  readonly until?: number;
}

/** The marks of an object that may be deleted until then. */
export const opened = (object: KubeObject, until: number): Marks => {
  const { annotations } = marksOf(object);
  const opening = { [openingKey]: object.metadata.uid ?? "", [openingUntilKey]: formatTime(until) };
  // The deletion is answered: nothing has to wait for one any more.
  return { annotations: { ...annotations, ...opening }, finalizers: [] };
};

const closed = (object: KubeObject): Marks => {
  const { annotations, finalizers } = marksOf(object);
  const rest = Object.entries(annotations).filter(([key]) => key !== openingKey && key !== openingUntilKey);
  const isClaim = object.kind === resources.persistentVolumeClaims.kind;
  const holds = isClaim && ["deny", "hold"].includes(modeOf(object)) && object.metadata.deletionTimestamp === undefined;
  return { annotations: Object.fromEntries(rest), finalizers: holds ? [guardFinalizer] : finalizers };
};

/** Throws TARGET_UNUSABLE for a volume that is not guarded: there is nothing to open. */
export const planOpening = (view: GuardView, { volume, until }: OpeningWish): Plan => {
  const claim = view.objects.claims.find((candidate) => keyOf(candidate) === volume);
  if (claim === undefined || modeOf(claim) === "off")
    throw new Failure("TARGET_UNUSABLE", {
      what: `${volume} is not guarded: nothing of Holdfast's keeps it from being deleted.`,
      todo: "`holdfast guard status` lists what is.",
    });
  const pv = view.objects.persistentVolumes.find(({ metadata }) => metadata.name === claim.spec.volumeName);
  const objects: readonly (readonly [Resource, KubeObject])[] = [
    [resources.persistentVolumeClaims, claim],
    ...(pv?.metadata.annotations?.[guardKey] === undefined ? [] : [[resources.persistentVolumes, pv] as const]),
  ];
  const input = inputFor(objects, (object) => (until === undefined ? closed(object) : opened(object, until)));
  return {
    version: 1,
    verb: "guard",
    title: until === undefined ? `withdraw the permission to delete ${volume}` : `allow ${volume} to be deleted`,
    locks: [volume, guardLock],
    steps: input.objects.length === 0 ? [] : [stepFor(input, volume, until)],
    undo: { kind: "kept", text: "`holdfast undo` brings back what there was." },
    warnings: until === undefined ? [] : openWarnings(volume),
  };
};

const openWarnings = (volume: string): readonly string[] => [
  `From then on anybody who may delete ${volume} can. Its bytes stay on the NAS: the PersistentVolume says Retain.`,
];

/** Of those objects that have other marks than they are to have. */
export const inputFor = (
  objects: readonly (readonly [Resource, KubeObject])[],
  wanted: (object: KubeObject) => Marks,
): MarksInput => ({
  objects: objects
    .map(([resource, object]) => marksEntry(resource, object, marksOf(object), wanted(object)))
    .filter(({ from, to }) => !sameMarks(from, to)),
});

const stepFor = (input: MarksInput, volume: string, until: number | undefined): PlannedStep => {
  const isOpening = until !== undefined;
  return {
    id: "opening",
    kind: "open-guard",
    title: isOpening
      ? `open the guard of ${volume} until ${new Date(until).toISOString().slice(0, 16)}Z`
      : `close the guard of ${volume}`,
    why: isOpening
      ? "for this very claim and its PersistentVolume, by their UIDs: what is made again under the name is not opened"
      : "it is to be kept",
    back: isOpening ? `close the guard of ${volume}` : `open the guard of ${volume} again`,
    touches: input.objects.map(({ object }) => titleOf(object)),
    repeat: "safe",
    does: "apply",
    input,
  };
};
