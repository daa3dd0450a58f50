/**
 * What is changed on an Application or ApplicationSet so that it stands still, and back. Pure. Only keys that git hardly
 * ever has are written, so that a self-healing parent leaves them alone; what was there is kept in an annotation beside
 * them. Facts: argocd-and-deletion §1.5.
 */
import { z } from "zod";
import { Failure } from "../../model/failure.ts";
import type { KubeObject } from "../kubernetes/port.ts";
import type { Application, ApplicationSet } from "./argo-objects.ts";

/** Says who froze it and what was there before. */
export const frozenAnnotation = "holdfast.dev/frozen";
/** Argo CD from 2.7: the controller leaves the Application alone altogether, its deletion too. */
const skipAnnotation = "argocd.argoproj.io/skip-reconcile";

const beforeSchema = z.strictObject({
  /** Of an Application: `spec.syncPolicy.automated.enabled`; null when it was not set. */
  enabled: z.boolean().nullable().optional(),
  /** Of an Application: the skip-reconcile annotation. */
  skip: z.string().nullable().optional(),
  /** Of an ApplicationSet: `spec.syncPolicy.applicationsSync`; null when it was not set. */
  applicationsSync: z.string().nullable().optional(),
  /** Of an ApplicationSet: whether it had a `spec.syncPolicy`. */
  hadPolicy: z.boolean().optional(),
});
type Before = z.output<typeof beforeSchema>;

const recordSchema = z.strictObject({
  before: beforeSchema,
  /** By operation: since when, ISO 8601. */
  by: z.record(z.string(), z.string()),
});
export type FreezeRecord = z.output<typeof recordSchema>;

/** Undefined when it is frozen by nobody. Throws GITOPS_NOT_FROZEN when somebody has written something else there. */
export const recordOf = ({ kind, metadata }: KubeObject): FreezeRecord | undefined => {
  const text = metadata.annotations?.[frozenAnnotation];
  if (text === undefined) return undefined;
  try {
    return recordSchema.parse(JSON.parse(text));
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof z.ZodError)) throw error;
    throw new Failure("GITOPS_NOT_FROZEN", {
      what: `The annotation ${frozenAnnotation} of ${kind ?? "the object"} ${metadata.namespace}/${metadata.name} cannot be read.`,
      why: "something else than Holdfast has written it: nobody knows any more what was set there before",
      todo: 'docs/guard.md, "Argo CD does nothing any more", says how to put it back by hand. Then run it again.',
      cause: error,
    });
  }
};

export const isFrozenBy = (object: KubeObject, operation: string): boolean =>
  recordOf(object)?.by[operation] !== undefined;

interface Freezing {
  readonly operation: string;
  /** ISO 8601. */
  readonly now: string;
}

const withOperation = (before: Before, object: KubeObject, { operation, now }: Freezing): string => {
  const record = recordOf(object);
  const next: FreezeRecord = {
    // What another operation found is what there was.
    before: record === undefined ? before : { ...before, ...record.before },
    by: { ...record?.by, [operation]: record?.by[operation] ?? now },
  };
  return JSON.stringify(next);
};

const isAutomated = ({ spec }: Application): boolean =>
  spec.syncPolicy?.automated !== undefined && spec.syncPolicy.automated !== null;

/** True when it would sync by itself. */
export const syncsByItself = (application: Application): boolean =>
  isAutomated(application) && application.spec.syncPolicy?.automated?.enabled !== false && !isSkipped(application);

export const isSkipped = ({ metadata }: Application): boolean => metadata.annotations?.[skipAnnotation] === "true";

/** A merge patch: automated sync is switched off. An Argo CD before 3.1 does not know the field, and drops it. */
export const pausePatch = (application: Application, freezing: Freezing): object => {
  const enabled = application.spec.syncPolicy?.automated?.enabled ?? null;
  return {
    metadata: { annotations: { [frozenAnnotation]: withOperation({ enabled }, application, freezing) } },
    ...(isAutomated(application) ? { spec: { syncPolicy: { automated: { enabled: false } } } } : {}),
  };
};

/** A merge patch: the controller leaves it alone. For what is being deleted, and for an older Argo CD. */
export const skipPatch = (application: Application, freezing: Freezing): object => {
  const skip = application.metadata.annotations?.[skipAnnotation] ?? null;
  const record = withOperation({ skip }, application, freezing);
  return { metadata: { annotations: { [frozenAnnotation]: record, [skipAnnotation]: "true" } } };
};

/** A merge patch: Applications that exist are neither changed nor deleted. */
export const setPatch = (set: ApplicationSet, freezing: Freezing): object => {
  const policy = set.spec.syncPolicy ?? undefined;
  const before = { applicationsSync: policy?.applicationsSync ?? null, hadPolicy: policy !== undefined };
  return {
    metadata: { annotations: { [frozenAnnotation]: withOperation(before, set, freezing) } },
    spec: { syncPolicy: { applicationsSync: "create-only" } },
  };
};

/** A merge patch that takes the operation's freeze away, and with the last one all that was changed; undefined without one. */
export const thawPatch = (object: KubeObject, operation: string): object | undefined => {
  const record = recordOf(object);
  if (record?.by[operation] === undefined) return undefined;
  const { [operation]: _, ...others } = record.by;
  if (Object.keys(others).length > 0)
    return { metadata: { annotations: { [frozenAnnotation]: JSON.stringify({ ...record, by: others }) } } };
  const { enabled, skip, applicationsSync, hadPolicy } = record.before;
  const annotations = { [frozenAnnotation]: null, ...(skip === undefined ? {} : { [skipAnnotation]: skip }) };
  const automated = (object as Application).spec.syncPolicy?.automated;
  return {
    metadata: { annotations },
    // Without automated sync there is nothing to switch on again: `automated: {}` would turn it on.
    ...(enabled === undefined || automated === undefined || automated === null
      ? {}
      : { spec: { syncPolicy: { automated: { enabled } } } }),
    ...(applicationsSync === undefined
      ? {}
      : { spec: { syncPolicy: hadPolicy === true ? { applicationsSync } : null } }),
  };
};
