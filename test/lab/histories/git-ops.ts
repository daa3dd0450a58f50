/** One sync of a GitOps tool with prune, as Argo CD does it. */
import { resources } from "../../../src/systems/kubernetes/resources.ts";
import { claimInGit, type Household, isLive, type Sight } from "./household.ts";
import type { ClaimName } from "./moves.ts";
import type { Outsider } from "./outsider.ts";

interface Site {
  readonly outsider: Outsider;
  readonly household: Household;
}

const prune = (annotations: Readonly<Record<string, string>> = {}): boolean =>
  !(annotations["argocd.argoproj.io/sync-options"] ?? "").split(",").includes("Prune=false");

/**
 * What is live, is the tool's by its tracking annotation, and not in git, is deleted unless the live object forbids it; what
 * is in git is applied, and made when it is not there. When a deletion is refused nothing is applied.
 */
export const gitOpsSync = async (
  { outsider, household }: Site,
  { claims }: Sight,
  git: readonly ClaimName[],
): Promise<string> => {
  const { namespace } = household;
  const outcomes: string[] = [];
  for (const [name, claim] of claims) {
    const { annotations, ownerReferences = [] } = claim.metadata;
    const isItsOwn = annotations?.["argocd.argoproj.io/tracking-id"] !== undefined && ownerReferences.length === 0;
    if (!isItsOwn || !isLive(claim) || git.some((one) => one === name)) continue;
    if (!prune(annotations)) {
      outcomes.push(`${name} ignored (no prune)`);
      continue;
    }
    const deletion = { propagation: "Foreground" } as const;
    const answer = await outsider.remove(resources.persistentVolumeClaims, { namespace, name }, deletion);
    outcomes.push(`${name} pruned: ${answer?.status ?? "gone"}`);
    if (answer !== undefined && answer.status === 403) return outcomes.join(", ");
  }
  await household.ensureNamespace();
  for (const name of git) {
    const { status } = await outsider.apply(
      resources.persistentVolumeClaims,
      claimInGit(namespace, name),
      "argocd-controller",
    );
    outcomes.push(`${name} applied: ${status}`);
  }
  return outcomes.join(", ");
};
