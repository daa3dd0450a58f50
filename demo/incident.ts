/** The incident, with real Argo CD: once nobody had guarded anything, and once the volumes were guarded. */
import { checkClaim } from "../lab/checking.ts";
import { boundTime, type Holdfast } from "../lab/gitops/bound-time.ts";
import { describeIncident, type Incident, incidentApps, prune, revert } from "../lab/gitops/incident.ts";
import { waitForApplications } from "../lab/gitops/state.ts";
import type { Lab } from "../lab/lab.ts";
import type { Kubectl } from "../lab/site/kubectl.ts";
import { demand } from "./stages.ts";

export interface Theatre {
  readonly lab: Lab;
  readonly kubectl: Kubectl;
  readonly write: (text: string) => void;
  /** Runs holdfast before the audience; gives its exit status. */
  readonly show: (...words: readonly string[]) => Promise<number>;
  /** Runs it unseen. */
  readonly ask: Holdfast;
}

const claims = incidentApps.flatMap(({ namespace, claims }) => claims.map(({ name }) => ({ namespace, claim: name })));
const names = claims.map(({ namespace, claim }) => `${namespace}/${claim}`);
const applications = incidentApps.map(({ name }) => name);

const commit = async ({ lab, kubectl, write }: Theatre): Promise<Incident> => {
  write(`$ git rm ${names.map((name) => `apps/${name}/…`).join(" ")} && git commit && git push\n`);
  const incident = await prune({ lab, kubectl });
  write(`${describeIncident(incident).join("\n")}\n`);
  return incident;
};

const putBack = async ({ lab, kubectl, write }: Theatre): Promise<void> => {
  write("$ git revert HEAD && git push\n");
  await revert({ lab, kubectl });
  await waitForApplications(kubectl, applications);
};

/** Nobody has guarded anything: Argo CD deletes the claims, and undelete brings them back. */
export const unguarded = async (
  theatre: Theatre,
): Promise<{ readonly boundSeconds: number; readonly mismatches: number }> => {
  const { victims } = await commit(theatre);
  demand(
    victims.every(({ outcome }) => outcome === "being deleted"),
    "Argo CD has not deleted the claims",
  );
  const began = Date.now();
  demand((await theatre.show("undelete", ...names, "--yes")) === 0, "the undelete failed");
  const { seconds } = await boundTime(theatre.ask, began);
  await putBack(theatre);
  let mismatches = 0;
  for (const claim of claims) {
    // What kopia does not keep is missing since Sonarr's restore.
    const checked = await checkClaim(theatre.lab, theatre.kubectl, { ...claim, restored: claim.claim === "sonarr" });
    mismatches += checked.mismatches.length;
    demand(checked.files > 0, `${claim.namespace}/${claim.claim} is empty`);
    demand(checked.chain?.ok === true, `the database of ${claim.claim} is not sound`);
  }
  demand(mismatches === 0, "a file differs from the seed");
  theatre.write(
    `Both claims were Bound to their own volumes again after ${seconds.toFixed(1)} s; nothing differs from the seed\n`,
  );
  return { boundSeconds: Math.round(seconds * 10) / 10, mismatches };
};

/** The same commit, when the volumes are guarded: it deletes nothing. */
export const guarded = async (theatre: Theatre): Promise<{ readonly deleted: number }> => {
  demand((await theatre.show("guard", "on", "--yes")) === 0, "the guard was not turned on");
  const { victims } = await commit(theatre);
  const deleted = victims.filter(
    ({ object }) => object === undefined || object.metadata?.deletionTimestamp !== undefined,
  ).length;
  demand(deleted === 0, "a guarded claim was deleted");
  demand((await theatre.show("guard", "check")) === 0, "a way to delete a guarded volume is open");
  await putBack(theatre);
  return { deleted };
};
