/** How Holdfast itself takes away what is guarded, and guards again what it has made in its place. */
import type { KubeObject, Kubernetes, Resource } from "../systems/kubernetes/port.ts";
import { changeObject } from "../systems/kubernetes/changing.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import { guardFinalizer } from "./finalizer.ts";
import { type Marks, marksOf, noMarks } from "./protect/marks.ts";
import { guardKey, isMode, modeOf, openingKey, openingUntilKey } from "./protect/mode.ts";
import { objectInputOf, sameMarks, setMarks } from "./protect/steps/set-marks.ts";

/** Opens the object's guard by its own UID and releases our finalizer, whoever put it there. Does nothing to what is not guarded. */
export const letGo = async (kubernetes: Kubernetes, resource: Resource, live: KubeObject): Promise<void> => {
  const isHeld = live.metadata.finalizers?.includes(guardFinalizer) === true;
  if (modeOf(live) === "off" && !isHeld) return;
  const annotations = { ...marksOf(live).annotations, [openingKey]: live.metadata.uid ?? "" };
  await setMarks(kubernetes, objectInputOf(resource, live), live, { annotations, finalizers: [] });
  if (isHeld && !marksOf(live).finalizers.includes(guardFinalizer)) await release(kubernetes, resource, live);
};

/** A finalizer that came back with a copy of the object, or by hand: no apply of ours takes it away. */
const release = async (kubernetes: Kubernetes, resource: Resource, live: KubeObject): Promise<void> => {
  const { namespace, name, uid } = live.metadata;
  const named = { name, ...(namespace === undefined ? {} : { namespace }) };
  await changeObject({ kubernetes, resource, name: named }, ({ metadata }) => {
    const { finalizers = [] } = metadata;
    if (metadata.uid !== uid || !finalizers.includes(guardFinalizer)) return undefined;
    return { metadata: { finalizers: finalizers.filter((finalizer) => finalizer !== guardFinalizer) } };
  });
};

/** The guard's marks on a claim, for the claim that takes its place: an opening was for the old one alone. */
export const lastingMarks = (claim: KubeObject): Marks => {
  const { annotations, finalizers } = marksOf(claim);
  const { [openingKey]: _, [openingUntilKey]: __, ...rest } = annotations;
  const isOpened = annotations[openingKey] !== undefined;
  const mode = rest[guardKey];
  const holds = isOpened && (mode === "deny" || mode === "hold");
  return { annotations: rest, finalizers: holds ? [guardFinalizer] : finalizers };
};

/** The marks of a claim of which only its PV is left. */
export const marksByVolume = (pv: KubeObject): Marks => {
  const mode = modeOf(pv);
  if (mode === "off") return noMarks;
  return { annotations: { [guardKey]: mode }, finalizers: mode === "bin" ? [] : [guardFinalizer] };
};

const isGuarded = ({ annotations }: Marks): boolean => {
  const mode = annotations[guardKey];
  return isMode(mode) && mode !== "off";
};

/** True once `guardAgain` has nothing left to do on the claim, which it does last. */
export const isGuardedAgain = (marks: Marks, claim: KubeObject): boolean =>
  !isGuarded(marks) || sameMarks(marks, marksOf(claim));

/** Puts a claim's marks on the claim that was made in its place, and the guard's on the PV that it has now, if it has. */
export const guardAgain = async (
  kubernetes: Kubernetes,
  marks: Marks,
  claim: KubeObject,
  pv: KubeObject | undefined,
): Promise<void> => {
  if (!isGuarded(marks)) return;
  const mode = marks.annotations[guardKey];
  const { persistentVolumes, persistentVolumeClaims } = resources;
  const ofVolume = { annotations: { [guardKey]: mode === "bin" ? "bin" : "deny" }, finalizers: [] };
  if (pv !== undefined) await setMarks(kubernetes, objectInputOf(persistentVolumes, pv), pv, ofVolume);
  await setMarks(kubernetes, objectInputOf(persistentVolumeClaims, claim), claim, marks);
};
