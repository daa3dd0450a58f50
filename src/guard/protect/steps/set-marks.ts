/** Puts Holdfast's marks on an object, and takes them back, as the only writer of just those fields. */
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { Failure } from "../../../model/failure.ts";
import type { KubeObject, Kubernetes, ObjectName, Resource } from "../../../systems/kubernetes/port.ts";
import { type Marks, marksOf, otherOwners } from "../marks.ts";
import { guardFinalizer } from "../../finalizer.ts";
import { guardKey, isOpen, modeOf, openingKey, openingUntilKey } from "../mode.ts";

export const marksInput = z.strictObject({
  annotations: z.record(z.string(), z.string()),
  finalizers: z.array(z.string()),
});

/** One object, by its kind, name and uid. */
export const objectInput = z.strictObject({
  apiVersion: z.string(),
  kind: z.string(),
  plural: z.string(),
  /** "" for what has none. */
  namespace: z.string(),
  name: z.string(),
  uid: z.string(),
});
export type ObjectInput = z.output<typeof objectInput>;

export const objectInputOf = ({ apiVersion, kind, plural }: Resource, { metadata }: KubeObject): ObjectInput => ({
  apiVersion,
  kind,
  plural,
  namespace: metadata.namespace ?? "",
  name: metadata.name,
  uid: metadata.uid ?? "",
});

export const resourceOf = ({ apiVersion, kind, plural, namespace }: ObjectInput): Resource => ({
  apiVersion,
  kind,
  plural,
  namespaced: namespace !== "",
});

export const nameOf = ({ namespace, name }: ObjectInput): ObjectName => ({
  name,
  ...(namespace === "" ? {} : { namespace }),
});

export const titleOf = ({ kind, namespace, name }: ObjectInput): string =>
  `${kind} ${namespace === "" ? name : `${namespace}/${name}`}`;

/** The object, when it is still the one that was meant. */
export const readObject = async (kubernetes: Kubernetes, object: ObjectInput): Promise<KubeObject | undefined> => {
  const live = await kubernetes.get(resourceOf(object), nameOf(object));
  return live?.metadata.uid === object.uid ? live : undefined;
};

/** Throws KUBERNETES_CONFLICT when another object has the name by now. One that is gone needs nothing any more. */
export const demandSame = async (kubernetes: Kubernetes, object: ObjectInput): Promise<KubeObject | undefined> => {
  const live = await kubernetes.get(resourceOf(object), nameOf(object));
  if (live === undefined || live.metadata.uid === object.uid) return live;
  throw new Failure("KUBERNETES_CONFLICT", {
    what: `${titleOf(object)} is not the one that the plan was made for.`,
    why: `it was deleted and made again: its UID is ${live.metadata.uid}, not ${object.uid}`,
    todo: "Run the command again: it makes a new plan.",
  });
};

const normal = ({ annotations, finalizers }: Marks): Marks => ({ annotations, finalizers: finalizers.toSorted() });
export const sameMarks = (a: Marks, b: Marks): boolean => isDeepStrictEqual(normal(a), normal(b));

/** True when the policy would call the change a disarming. */
const weakens = (live: KubeObject, to: Marks): boolean => {
  if (modeOf(live) === "off") return false;
  const guard = to.annotations[guardKey];
  const losesFinalizer = marksOf(live).finalizers.includes(guardFinalizer) && !to.finalizers.includes(guardFinalizer);
  return losesFinalizer || guard !== live.metadata.annotations?.[guardKey];
};

/**
 * The marks without the opening that announces a change and goes with it: whoever finds one has come after a process that
 * died between the two. A user's opening has an end.
 */
export const withoutAnnouncement = (marks: Marks): Marks => {
  const { [openingKey]: open, ...annotations } = marks.annotations;
  if (open === undefined || annotations[openingUntilKey] !== undefined) return marks;
  return { ...marks, annotations };
};

/** Opening keys that others have written: server-side apply without force would neither change nor remove them. */
const foreignKeys = (live: KubeObject): readonly string[] =>
  [openingKey, openingUntilKey].filter((key) => otherOwners(live, key).length > 0);

const removeKeys = async (kubernetes: Kubernetes, object: ObjectInput, keys: readonly string[]): Promise<void> => {
  if (keys.length === 0) return;
  const annotations = Object.fromEntries(keys.map((key) => [key, null]));
  await kubernetes.mergePatch(resourceOf(object), nameOf(object), { metadata: { uid: object.uid, annotations } });
};

const announced = ({ annotations, finalizers }: Marks, uid: string): Marks => {
  const { [openingUntilKey]: _, ...rest } = annotations;
  return { annotations: { ...rest, [openingKey]: uid }, finalizers };
};

const write = (kubernetes: Kubernetes, object: ObjectInput, marks: Marks): Promise<KubeObject> => {
  const { annotations, finalizers } = marks;
  const metadata = {
    ...nameOf(object),
    uid: object.uid,
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    ...(finalizers.length === 0 ? {} : { finalizers }),
  };
  return kubernetes.apply(resourceOf(object), { metadata });
};

/**
 * Sets all of Holdfast's marks. What the guard's policy refuses is announced first: the object is opened by its own UID,
 * and that goes with the change. Never by force: KUBERNETES_CONFLICT names the owner of a key.
 */
export const setMarks = async (
  kubernetes: Kubernetes,
  object: ObjectInput,
  live: KubeObject,
  to: Marks,
): Promise<void> => {
  const present = marksOf(live);
  if (sameMarks(present, to)) return;
  const foreign = foreignKeys(live);
  const wanted: Readonly<Record<string, string | undefined>> = { ...to.annotations, [openingKey]: object.uid };
  const isWrong = (key: string): boolean => live.metadata.annotations?.[key] !== wanted[key];
  await removeKeys(kubernetes, object, foreign.filter(isWrong));
  if (weakens(live, to) && !isOpen(live)) await write(kubernetes, object, announced(present, object.uid));
  await write(kubernetes, object, to);
  // What is being deleted may have ended with its finalizer.
  if (live.metadata.deletionTimestamp !== undefined) return;
  const outlasting = foreign.filter((key) => !isWrong(key) && to.annotations[key] === undefined);
  await removeKeys(kubernetes, object, outlasting);
};
