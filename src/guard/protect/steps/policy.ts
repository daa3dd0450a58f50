/** The step that puts the admission policy in place, changes it, or takes it away, and waits until it is obeyed. */
import { z } from "zod";
import type { Clock } from "../../../context.ts";
import { Failure, isFailure } from "../../../model/failure.ts";
import type { Json } from "../../../model/plan.ts";
import type { Presence, StepContext, StepKind } from "../../../operation/step-kind.ts";
import { changeObject } from "../../../systems/kubernetes/changing.ts";
import type { KubeObject, Kubernetes, Resource } from "../../../systems/kubernetes/port.ts";
import { resources } from "../../../systems/kubernetes/resources.ts";
import { isCurrent, isOurRefusal, policyName } from "../policy.ts";
import { nameOf, objectInput, readObject, resourceOf, titleOf } from "./set-marks.ts";

const pair = z.strictObject({ policy: z.json(), binding: z.json() });
const input = z.strictObject({
  /** Null members: there is none. */
  from: pair,
  to: pair,
  /** A guarded object whose removal must be refused once the policy is there. */
  witness: objectInput.nullable(),
});
export type PolicyInput = z.output<typeof input>;
type Pair = z.output<typeof pair>;

export interface PolicyOptions {
  readonly kubernetes: Kubernetes;
  readonly clock: Clock;
  /** ms to wait for the API server to obey. */
  readonly timeout: number;
}

const kinds = { policy: resources.admissionPolicies, binding: resources.admissionPolicyBindings } as const;
type Part = keyof typeof kinds;

const manifestOf = (wanted: Pair, part: Part): KubeObject | undefined =>
  wanted[part] === null ? undefined : (wanted[part] as unknown as KubeObject);

const read = (kubernetes: Kubernetes, part: Part): Promise<KubeObject | undefined> =>
  kubernetes.get(kinds[part], { name: policyName });

const isThere = async (kubernetes: Kubernetes, wanted: Pair): Promise<boolean> => {
  const parts = Object.keys(kinds) as Part[];
  const matches = await Promise.all(
    parts.map(async (part) => {
      const [manifest, live] = [manifestOf(wanted, part), await read(kubernetes, part)];
      return manifest === undefined ? live === undefined : isCurrent(manifest, live);
    }),
  );
  return matches.every(Boolean);
};

type Tree = Readonly<Record<string, unknown>>;
const isTree = (value: unknown): value is Tree => typeof value === "object" && value !== null && !Array.isArray(value);

/** The merge patch that makes one of the other: what is not wanted goes too. */
const difference = (live: Tree, wanted: Tree): Tree => {
  const surplus = Object.keys(live).filter((key) => !(key in wanted));
  const entries = Object.entries(wanted).map(([key, value]) => {
    const present = live[key];
    return [key, isTree(value) && isTree(present) ? difference(present, value) : value] as const;
  });
  return Object.fromEntries([...entries, ...surplus.map((key) => [key, null] as const)]);
};

const put = async (kubernetes: Kubernetes, resource: Resource, wanted: KubeObject): Promise<void> => {
  const { spec } = wanted as KubeObject & { readonly spec: Tree };
  const target = { kubernetes, resource, name: { name: policyName }, attempts: 1 };
  const present = await changeObject<KubeObject & { readonly spec?: Tree }>(target, (live) =>
    isCurrent(wanted, live) ? undefined : { spec: difference(live.spec ?? {}, spec) },
  );
  if (present === undefined) await kubernetes.create(resource, wanted);
};

/** The policy before its binding, and the binding gone before the policy: no moment in which one asks for the other. */
const bring = async (kubernetes: Kubernetes, wanted: Pair): Promise<void> => {
  const [policy, binding] = [manifestOf(wanted, "policy"), manifestOf(wanted, "binding")];
  if (binding === undefined) await kubernetes.remove(kinds.binding, { name: policyName });
  if (policy === undefined) await kubernetes.remove(kinds.policy, { name: policyName });
  else await put(kubernetes, kinds.policy, policy);
  if (binding !== undefined) await put(kubernetes, kinds.binding, binding);
};

const poll = 100;

/** The API server takes a policy up within about a second. Throws TIMEOUT when it does not. */
const untilObeyed = async (
  { kubernetes, clock, timeout }: PolicyOptions,
  witness: PolicyInput["witness"],
  context: StepContext,
) => {
  if (witness === null) return;
  const deadline = clock.now() + timeout;
  while ((await readObject(kubernetes, witness)) !== undefined) {
    try {
      await kubernetes.remove(resourceOf(witness), nameOf(witness), { uid: witness.uid, dryRun: true });
    } catch (error) {
      if (isFailure(error, "KUBERNETES_REFUSED") && isOurRefusal(error.why ?? "")) return;
      if (!isFailure(error, "KUBERNETES_REFUSED", "KUBERNETES_CONFLICT")) throw error;
    }
    if (clock.now() > deadline)
      throw new Failure("TIMEOUT", {
        what: `The API server does not obey the admission policy ${policyName}.`,
        why: `it would have let ${titleOf(witness)} be deleted (asked by a dry run)`,
      });
    await clock.sleep(poll, context.signal);
  }
};

const presenceOf = async (kubernetes: Kubernetes, { from, to }: PolicyInput): Promise<Presence> => {
  if (await isThere(kubernetes, to)) return "present";
  return (await isThere(kubernetes, from)) ? "absent" : "partial";
};

/** "guard-policy". */
export const guardPolicy = (options: PolicyOptions): StepKind<PolicyInput, null> => {
  const { kubernetes } = options;
  const forth = async ({ to, witness }: PolicyInput, context: StepContext): Promise<null> => {
    await bring(kubernetes, to);
    await untilObeyed(options, to.binding === null ? null : witness, context);
    return null;
  };
  return {
    kind: "guard-policy",
    input,
    check: (wanted) => presenceOf(kubernetes, wanted),
    apply: forth,
    undo: async ({ from }): Promise<Json> => {
      await bring(kubernetes, from);
      return null;
    },
    redo: (wanted, _, context) => forth(wanted, context),
  };
};
