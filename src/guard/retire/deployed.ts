/** What git has to say about a claim that is to go: who deploys it, and the commit that takes it away. Pure. */
import type { Claim } from "../../inventory/raw.ts";
import { deployerText } from "../../systems/gitops/deployers.ts";
import type { DeployedObject } from "../../systems/gitops/port.ts";
import { argoSyncKey, fluxDisabled, fluxOwnerOf } from "../protect/gitops.ts";
import { marksOf } from "../protect/marks.ts";
import { hasOptions } from "../protect/options.ts";

/** The commit that deletes a claim. */
export interface Commit {
  /** "Application argocd/sonarr" */
  readonly deployer: string;
  /** "https://git.example/homelab, path apps/sonarr"; undefined where the cluster does not say it. */
  readonly source: string | undefined;
  /** What to take out of it: "PersistentVolumeClaim media/sonarr". */
  readonly object: string;
  /** What in git itself keeps the commit from deleting the claim; undefined when nothing does. */
  readonly hindrance: string | undefined;
}

/** A line that says "do not prune", and is not Holdfast's to take away. */
const hindranceIn = (claim: Claim, key: string, isSaid: boolean): string | undefined => {
  if (!isSaid || marksOf(claim).annotations[key] !== undefined) return undefined;
  const { annotations, labels } = claim.metadata;
  return `${key}: ${annotations?.[key] ?? labels?.[key] ?? ""}`;
};

const argoHindrance = (claim: Claim): string | undefined =>
  hindranceIn(claim, argoSyncKey, hasOptions(claim.metadata.annotations?.[argoSyncKey], ["Prune=false"]));

/** Undefined when nothing of a GitOps tool's would make it again: then it can be deleted at once. */
export const commitFor = (claim: Claim, deployed: DeployedObject | undefined): Commit | undefined => {
  const object = `PersistentVolumeClaim ${claim.metadata.namespace}/${claim.metadata.name}`;
  if (deployed !== undefined && !deployed.removedFromGit) {
    const { deployer, source } = deployed;
    return {
      deployer: deployerText(deployer),
      source: source === "" ? undefined : source,
      object,
      hindrance: argoHindrance(claim),
    };
  }
  const flux = fluxOwnerOf(claim);
  if (flux === undefined) return undefined;
  const [key, isSaid] = fluxDisabled(claim);
  return { deployer: `Kustomization ${flux}`, source: undefined, object, hindrance: hindranceIn(claim, key, isSaid) };
};

/** As a person reads it. `until`: how long the guard is open for it; undefined when it is not guarded. */
export const commitText = ({ deployer, source, object, hindrance }: Commit, until: string | undefined): string => {
  const [, path = ""] = object.split(" ");
  const [namespace = "", name = ""] = path.split("/");
  const place = source === undefined ? `what ${deployer} deploys` : `${source} (${deployer})`;
  const open = until === undefined ? "" : ` Until ${until} its guard is open for that.`;
  const end =
    hindrance === undefined
      ? `The sync with pruning that follows deletes it.${open}`
      : `Git says \`${hindrance}\`, so no sync deletes it: after the commit, \`kubectl -n ${namespace} delete pvc ${name}\`.${open}`;
  return `${path} is left to git: commit the removal of ${object} from ${place}. ${end}`;
};
