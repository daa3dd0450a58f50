/** The steps that mark objects: what they say to the policy and to GitOps tools, and the finalizers of claims. */
import { z } from "zod";
import {
  type PartSeen,
  type Presence,
  presenceOfParts,
  type StepContext,
  type StepKind,
} from "../../../operation/step-kind.ts";
import { isMissed } from "../../../systems/kubernetes/changing.ts";
import type { KubeObject, Kubernetes, Resource } from "../../../systems/kubernetes/port.ts";
import { type Marks, marksOf } from "../marks.ts";
import {
  demandSame,
  marksInput,
  objectInput,
  objectInputOf,
  readObject,
  sameMarks,
  setMarks,
  titleOf,
  withoutAnnouncement,
} from "./set-marks.ts";

const input = z.strictObject({
  objects: z.array(z.strictObject({ object: objectInput, from: marksInput, to: marksInput })),
});
export type MarksInput = z.output<typeof input>;
type Entry = MarksInput["objects"][number];

const plain = ({ annotations, finalizers }: Marks): Entry["to"] => ({
  annotations: { ...annotations },
  finalizers: [...finalizers],
});

/** One object, with its marks now and later. */
export const marksEntry = (resource: Resource, object: KubeObject, from: Marks, to: Marks): Entry => ({
  object: objectInputOf(resource, object),
  from: plain(from),
  to: plain(to),
});

/** The part of an object's marks that a step sets; the rest stays as it is found. */
type Part = (present: Marks, wanted: Marks) => Marks;

const part: Readonly<Record<"mark-objects" | "hold-claims" | "open-guard", Part>> = {
  "mark-objects": ({ finalizers }, { annotations }) => ({ annotations, finalizers }),
  "hold-claims": (present, { finalizers }) => ({ ...withoutAnnouncement(present), finalizers }),
  "open-guard": (_, wanted) => wanted,
};

const seenOf = async (kubernetes: Kubernetes, { object, from, to }: Entry, set: Part): Promise<PartSeen> => {
  const live = await readObject(kubernetes, object);
  if (live === undefined) return { isDone: true, isUntouched: true };
  const present = marksOf(live);
  return { isDone: sameMarks(present, set(present, to)), isUntouched: sameMarks(present, set(present, from)) };
};

const presenceOf = async (kubernetes: Kubernetes, { objects }: MarksInput, set: Part): Promise<Presence> =>
  presenceOfParts(await Promise.all(objects.map((entry) => seenOf(kubernetes, entry, set))));

const isGoing = ({ metadata }: KubeObject): boolean => metadata.deletionTimestamp !== undefined;

const addsFinalizer = (present: Marks, wanted: Marks): boolean =>
  wanted.finalizers.some((name) => !present.finalizers.includes(name));

const setOne = async (kubernetes: Kubernetes, entry: Entry, wanted: Marks, context: Acting): Promise<void> => {
  const { object } = entry;
  const look = (): Promise<KubeObject | undefined> => (context.isBack ? readObject : demandSame)(kubernetes, object);
  const live = await look();
  if (live === undefined) return;
  const present = marksOf(live);
  const next = context.set(present, wanted);
  if (isGoing(live) && addsFinalizer(present, next)) {
    context.say(`${titleOf(object)} is being deleted: a finalizer cannot be added any more`);
    return;
  }
  try {
    await setMarks(kubernetes, object, live, next);
  } catch (error) {
    // Namespaces, StatefulSets and Applications are not ours alone: one may go between our look and our write.
    if (!isMissed(error) || (await look()) !== undefined) throw error;
  }
};

interface Acting extends Pick<StepContext, "say"> {
  readonly set: Part;
  readonly isBack: boolean;
}

const setAll = async (kubernetes: Kubernetes, wanted: MarksInput, to: "from" | "to", acting: Acting & StepContext) => {
  for (const entry of wanted.objects) {
    acting.signal.throwIfAborted();
    await setOne(kubernetes, entry, entry[to], acting);
  }
  return null;
};

/**
 * "mark-objects": annotations. "hold-claims": finalizers. "open-guard": both at once, for objects whose deletion is allowed.
 */
export const marksStep = (kubernetes: Kubernetes, kind: keyof typeof part): StepKind<MarksInput, null> => {
  const set = part[kind];
  const forth = (wanted: MarksInput, context: StepContext): Promise<null> =>
    setAll(kubernetes, wanted, "to", { ...context, say: (text) => context.say(text), set, isBack: false });
  return {
    kind,
    input,
    check: (wanted) => presenceOf(kubernetes, wanted, set),
    apply: forth,
    undo: (wanted, _, context) =>
      setAll(kubernetes, wanted, "from", { ...context, say: (text) => context.say(text), set, isBack: true }),
    redo: (wanted, _, context) => forth(wanted, context),
  };
};
