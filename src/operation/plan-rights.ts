/** What carrying a plan out asks of the API server beside the steps' own changes, and whom it touches. Pure. */
import type { Plan } from "../model/plan.ts";
import type { AccessRule } from "../systems/kubernetes/port.ts";
import { resources } from "../systems/kubernetes/resources.ts";

/** The locks of an operation. `namespace`: Holdfast's own. */
export const lockRules = (namespace: string): readonly AccessRule[] =>
  ["create", "get", "patch", "delete"].map((verb) => ({ verb, resource: resources.leases, namespace }));

/** Kinds of the objects that the steps name in `touches`: "PersistentVolumeClaim". */
export const touchedKinds = ({ steps }: Plan): ReadonlySet<string | undefined> =>
  new Set(steps.flatMap(({ touches }) => touches.map((text) => text.split(" ")[0])));
