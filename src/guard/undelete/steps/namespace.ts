/** The step that makes a namespace again. One that is being deleted cannot be kept: it has to be gone first. */
import { z } from "zod";
import { Failure, isFailure } from "../../../model/failure.ts";
import { until } from "../../../restore/zfs/rebind.ts";
import type { StepKind } from "../../../operation/step-kind.ts";
import type { Namespace } from "../../../inventory/raw.ts";
import type { KubeObject } from "../../../systems/kubernetes/port.ts";
import { resources } from "../../../systems/kubernetes/resources.ts";
import type { KeepOptions } from "./keep-volumes.ts";

const input = z.strictObject({
  name: z.string(),
  labels: z.record(z.string(), z.string()),
  annotations: z.record(z.string(), z.string()),
});
export type NamespaceInput = z.output<typeof input>;

interface Terminating extends Namespace {
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
  };
}

const holding = ({ status }: Terminating): string =>
  (status?.conditions ?? [])
    .filter((condition) => condition.status === "True")
    .map(({ message }) => message)
    .filter((message) => message !== undefined)
    .join(" ");

/** "make-namespace". Throws TIMEOUT with what the API server says still holds the one that is going. */
export const makeNamespace = (options: KeepOptions): StepKind<NamespaceInput> => {
  const { kubernetes } = options;
  const find = (name: string) => kubernetes.get<Terminating>(resources.namespaces, { name });
  const isThere = (namespace: Terminating | undefined): boolean =>
    namespace !== undefined && namespace.metadata.deletionTimestamp === undefined;
  return {
    kind: "make-namespace",
    input,
    check: async ({ name }) => (isThere(await find(name)) ? "present" : "absent"),
    apply: async ({ name, labels, annotations }, { signal }) => {
      let going: Terminating | undefined;
      const late = (): Failure =>
        new Failure("TIMEOUT", {
          what: `The namespace ${name} does not go.`,
          why: going === undefined ? "" : holding(going),
          todo: "Find out what holds it. Never empty its finalizers by hand: what is in it would be lost track of.",
        });
      const outcome = await until({ ...options, signal }, late, async () => {
        going = await find(name);
        if (going === undefined) return "gone";
        return isThere(going) ? "there" : undefined;
      });
      if (outcome === "there") return null;
      const object: KubeObject = { apiVersion: "v1", kind: "Namespace", metadata: { name, labels, annotations } };
      try {
        await kubernetes.create(resources.namespaces, object);
      } catch (error) {
        // GitOps, or somebody, was faster.
        if (!isFailure(error, "KUBERNETES_CONFLICT")) throw error;
      }
      return null;
    },
    // An empty namespace harms nobody, and somebody may have put something into it.
    undo: async () => null,
    redo: async () => null,
  };
};
