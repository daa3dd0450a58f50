/** The steps around an undelete that make GitOps stand still, and let it go on. */
import { z } from "zod";
import type { Presence, StepContext, StepKind } from "../../../operation/step-kind.ts";
import type { GitOps, ManagedObject } from "../../../systems/gitops/port.ts";

const input = z.strictObject({
  /** Outermost first. */
  deployers: z.array(
    z.strictObject({ kind: z.enum(["Application", "ApplicationSet"]), namespace: z.string(), name: z.string() }),
  ),
  /** The claims, and namespaces that are made again, as GitOps knows them: what it would do with them is told when it goes on. */
  objects: z.array(
    z.strictObject({
      group: z.string(),
      kind: z.string(),
      namespace: z.string(),
      name: z.string(),
      labels: z.record(z.string(), z.string()),
      annotations: z.record(z.string(), z.string()),
    }),
  ),
});
export type GitOpsInput = z.output<typeof input>;

const presences = { all: "present", some: "partial", none: "absent" } as const satisfies Record<string, Presence>;
const reversed = { all: "absent", some: "partial", none: "present" } as const satisfies Record<string, Presence>;

/** "freeze-gitops": nothing syncs, heals, prunes or cascades any more. */
export const freezeGitOps = (gitops: GitOps): StepKind<GitOpsInput> => {
  const freeze = async ({ deployers }: GitOpsInput, { operation, signal }: StepContext): Promise<null> => {
    await gitops.freeze(deployers, operation, signal);
    return null;
  };
  return {
    kind: "freeze-gitops",
    input,
    check: async ({ deployers }, { operation }) => presences[await gitops.frozenBy(deployers, operation)],
    apply: freeze,
    undo: async ({ deployers }, _, { operation }) => {
      await gitops.thaw(deployers, operation);
      return null;
    },
    redo: (wanted, _, context) => freeze(wanted, context),
  };
};

/** "thaw-gitops": exactly what was set before is set again. */
export const thawGitOps = (gitops: GitOps): StepKind<GitOpsInput> => {
  const thaw = async (wanted: GitOpsInput, context: StepContext): Promise<null> => {
    await tell(gitops, wanted.objects, context);
    await gitops.thaw(wanted.deployers, context.operation);
    return null;
  };
  return {
    kind: "thaw-gitops",
    input,
    check: async ({ deployers }, { operation }) => reversed[await gitops.frozenBy(deployers, operation)],
    apply: thaw,
    undo: async ({ deployers }, _, { operation, signal }) => {
      await gitops.freeze(deployers, operation, signal);
      return null;
    },
    redo: (wanted, _, context) => thaw(wanted, context),
  };
};

const nameIn = ({ kind, namespace, name }: ManagedObject): string =>
  kind === "Namespace" ? `the Namespace ${name}` : `the claim ${namespace}/${name}`;

/** Whoever reads it learns which commit has to be taken back: until then only an annotation keeps the claim. */
const tell = async (gitops: GitOps, objects: readonly ManagedObject[], context: StepContext): Promise<void> => {
  for (const [object, { deployer, removedFromGit, revision, source }] of await gitops.look(objects)) {
    if (!removedFromGit) continue;
    context.say(
      `git does not have ${nameIn(object)} any more (Application ${deployer.name}: ${source}, at ${revision ?? "an unknown commit"}). Put it back there. Until then its annotation Prune=false,Delete=false keeps it.`,
    );
  }
};
