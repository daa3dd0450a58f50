/** Who owns an annotation, a label or a finalizer of an object, by its managedFields. Pure. */
import { openingKey, openingUntilKey } from "./mode.ts";
import type { KubeObject, ManagedFields } from "../../systems/kubernetes/port.ts";

/** What Holdfast's own server-side apply holds on an object: it may be changed and taken back without asking anybody. */
export interface Marks {
  readonly annotations: Readonly<Record<string, string>>;
  readonly finalizers: readonly string[];
}

export const noMarks: Marks = { annotations: {}, finalizers: [] };

const manager = "holdfast";
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

type FieldTree = Readonly<Record<string, unknown>>;

const below = (fields: unknown, ...keys: readonly string[]): FieldTree =>
  keys.reduce<FieldTree>((tree, key) => (tree[key] ?? {}) as FieldTree, (fields ?? {}) as FieldTree);

const keysBelow = (fields: unknown, group: string): readonly string[] =>
  Object.keys(below(fields, "f:metadata", `f:${group}`)).filter((key) => key !== ".");

const isOurs = (entry: ManagedFields): boolean => entry.manager === manager && entry.operation === "Apply";

const openings: ReadonlySet<string> = new Set([openingKey, openingUntilKey]);

/** What server-side apply as Holdfast holds now; and an opening, whoever has written it: that is Holdfast's to close. */
export const marksOf = ({ metadata }: KubeObject): Marks => {
  const ours = (metadata.managedFields ?? []).filter(isOurs).map(({ fieldsV1 }) => fieldsV1);
  const keys = new Set(ours.flatMap((fields) => keysBelow(fields, "annotations").map((key) => key.slice(2))));
  const annotations = Object.entries(metadata.annotations ?? {}).filter(([key]) => keys.has(key) || openings.has(key));
  const members = new Set(ours.flatMap((fields) => keysBelow(fields, "finalizers")));
  const finalizers = (metadata.finalizers ?? []).filter((name) => members.has(`v:${JSON.stringify(name)}`));
  return { annotations: Object.fromEntries(annotations), finalizers };
};

const appliedByKubectl = ({ metadata }: KubeObject, key: string): boolean => {
  const text = metadata.annotations?.[lastApplied];
  if (text === undefined) return false;
  try {
    const config = JSON.parse(text) as { metadata?: { annotations?: Readonly<Record<string, string>> } };
    return config.metadata?.annotations?.[key] !== undefined;
  } catch (error) {
    // Anybody may write anything there; then it says nothing about who owns what.
    if (error instanceof SyntaxError) return false;
    throw error;
  }
};

/** Others who own an annotation: their names, or "an unknown writer" for one that nobody claims. None for an absent one. */
export const otherOwners = (object: KubeObject, key: string): readonly string[] => {
  const { annotations, managedFields = [] } = object.metadata;
  if (annotations?.[key] === undefined) return [];
  const owning = managedFields.filter(({ fieldsV1 }) => keysBelow(fieldsV1, "annotations").includes(`f:${key}`));
  // What Holdfast has written when it made the object anew is nobody else's.
  const others = [...new Set(owning.map((entry) => entry.manager).filter((name) => name !== manager))];
  if (appliedByKubectl(object, key) && others.length === 0) return ["kubectl apply"];
  return others.length === 0 && owning.length === 0 ? ["an unknown writer"] : others;
};
